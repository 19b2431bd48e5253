internal import JailCore
internal import JailPolicy

/// What an event says for the rules of alerts.
///
/// Only events of the jail's doings are looked at. What alerts themselves bring about (that one was told, that a jail was
/// paused, that a program failed) is none of them: no alert comes of an alert.
struct AlertFacts: Equatable {
    var amounts: [AlertSubject: UInt64] = [:]
    var hosts: [String] = []
    var paths: [String] = []
    var commands: [String] = []
    var files: [String] = []
    /// What is never right, in words.
    var occurrences: [AlertSubject: String] = [:]
    /// A host that the jail has reached, or could have.
    var reached: String?
    /// Bytes in both directions.
    var traffic: UInt64 = 0
    /// Something was done at all.
    var isActivity = false

    /// nil: it says nothing to any rule.
    init?(_ event: JSON) {
        guard case .object(let members) = event, let name = members.text("event") else { return nil }
        switch name {
        case "network": readNetwork(members)
        case "executed": readExecuted(members)
        case "command": readCommand(members)
        case "exec-refused": amounts[.denials] = 1
        case "session" where members.text("verdict") == "refused": amounts[.denials] = 1
        // What the kernel tells of files that were denied.
        case "denied": if let path = members.text("path") { files = [path] }
        case "canary":
            let to = members.text("to").map { " to \($0)" } ?? ""
            occurrences[.canary] = "\(members.text("id") ?? "?"), in \(members.text("place") ?? "?")\(to)"
        case "secret-misuse":
            occurrences[.secretMisuse] = "\(members.text("secretName") ?? "?"), to \(members.text("to") ?? "?")"
        case "secret-returned":
            occurrences[.secretReturned] = "\(members.text("secretName") ?? "?"), from \(members.text("host") ?? "?")"
        default: return nil
        }
    }

    private mutating func readNetwork(_ members: [(String, JSON)]) {
        let verdict = members.text("verdict")
        let subject = members.text("subject")
        guard subject != "gateway" else { return }
        if verdict == "denied" { amounts[.denials] = 1 }
        if let host = members.text("host") { hosts = [host] }
        if let path = members.text("path") { paths = [path] }
        // Of a request to a provider, in millionths of a dollar.
        if let cost = members.number("cost") { amounts[.spend] = cost }
        guard verdict != "denied" else { return }
        isActivity = true
        reached = hosts.first
        guard subject == "connection" || subject == "request" else { return }
        amounts[.connections] = 1
        let sent = members.number("sent") ?? 0
        if sent > 0 { amounts[.upload] = sent }
        traffic = sent.addingReportingOverflow(members.number("received") ?? 0).partialValue
    }

    /// What was called by programs inside, and run for them or not.
    private mutating func readCommand(_ members: [(String, JSON)]) {
        switch members.text("verdict") {
        case "denied": amounts[.denials] = members.number("count") ?? 1
        case "allowed": readExecuted(members)
        default: break
        }
    }

    private mutating func readExecuted(_ members: [(String, JSON)]) {
        isActivity = true
        let words = members.texts("arguments") ?? [members.text("program") ?? ""]
        commands = [words.joined(separator: " ")]
        files = words.filter { $0.utf8.contains(0x2F) || $0.utf8.first == 0x2E }
    }
}

extension [(String, JSON)] {
    fileprivate func text(_ key: String) -> String? {
        if case .string(let text)? = first(where: { $0.0 == key })?.1 { text } else { nil }
    }

    fileprivate func number(_ key: String) -> UInt64? {
        if case .integer(let number)? = first(where: { $0.0 == key })?.1 { UInt64(exactly: number) } else { nil }
    }

    fileprivate func texts(_ key: String) -> [String]? {
        guard case .array(let values)? = first(where: { $0.0 == key })?.1 else { return nil }
        return values.compactMap { if case .string(let text) = $0 { text } else { nil } }
    }
}
