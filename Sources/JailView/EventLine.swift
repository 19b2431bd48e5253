internal import JailCore
internal import JailPolicy

/// One event of a jail, as a line for people.
package struct EventLine: Equatable, Sendable {
    package enum Weight: Sendable { case good, plain, bad }

    /// Milliseconds since the epoch.
    package var time: Int64
    package var weight: Weight
    /// Printable, and of no certain length.
    package var text: String
    /// What kind of event it is: `network`, `alert`.
    package var name: String
    /// By a rule, or for want of one: nothing that was tried and failed.
    package var isDenial: Bool
    /// Of something that was denied: the smallest rule that allows it, as it stands in a profile.
    package var remedy: String?

    /// What a supervisor answers when it is asked for the last events; nil: that is none.
    package static func all(answer text: [UInt8]) -> [EventLine]? {
        guard let value = try? JSON5Reader.read(text, file: ""), case .array(let entries)? = value["events"]?.content
        else { return nil }
        return entries.compactMap { entry in
            guard let event = entry["event"], case .object(let members) = event.content else { return nil }
            return EventLine(event, members, time: entry["time"]?.integer ?? 0)
        }
    }

    private init(_ event: JSON5Value, _ members: [JSON5Member], time: Int64) {
        self.time = time
        let name = event["event"]?.text ?? "?"
        self.name = name.printable
        isDenial = event["verdict"]?.text == "denied"
        if isDenial { remedy = event["remedy"]?.text?.printable }
        switch (name, event["verdict"]?.text, event["state"]?.text) {
        case (_, "denied"?, _), (_, "failed"?, _), (_, _, "unhealthy"?), ("limit", _, _), ("egress", _, _),
            ("exec-refused", _, _), ("exec-lost", _, _), ("restarting", _, _), ("restart-ended", _, _),
            ("secret-returned", _, _), ("secret-misuse", _, _), ("canary", _, _):
            weight = .bad
        case (_, "allowed"?, _), (_, "made"?, _), (_, _, "healthy"?): weight = .good
        default: weight = .plain
        }
        let line = name == "network" ? Self.network(event) : Self.other(name, members)
        text = line.printable
    }

    private static func network(_ event: JSON5Value) -> String {
        var text = event["verdict"]?.text ?? "?"
        if event["subject"]?.text == "gateway" { text = "way out" }
        if event["subject"]?.text == "name" { text += " name" }
        if let method = event["method"]?.text { text += " \(method)" }
        if let host = event["host"]?.text {
            let scheme = event["scheme"]?.text
            text += " " + (scheme.map { "\($0)://" } ?? "") + (host.utf8.contains(0x3A) ? "[\(host)]" : host)
            if let port = event["port"]?.integer, !(scheme == "https" && port == 443 || scheme == "http" && port == 80)
            {
                text += ":\(port)"
            }
            text += event["path"]?.text ?? ""
        } else if let port = event["port"]?.integer {
            text += " port \(port)"
        }
        if let reason = event["reason"]?.text { return text + ": \(reason)" }
        if let status = event["status"]?.integer { text += " \(status)" }
        if let received = event["received"]?.count { text += ", \(Quantity.bytes(received)) back" }
        return text
    }

    /// The name, and its texts and numbers as they stand: whatever kinds there are one day.
    private static func other(_ name: String, _ members: [JSON5Member]) -> String {
        var words = [name]
        var message = ""
        for member in members where member.key != "event" {
            switch member.value.content {
            case .string(let text) where ["message", "reason"].contains(member.key): message = ": \(text)"
            // The message of a limit says which.
            case .string where name == "limit": break
            case .string(let text): words.append(text)
            case .number(let number):
                if let number = number.integer { words.append("\(member.key) \(number)") }
            default: break
            }
        }
        return words.joined(separator: " ") + message
    }
}
