package import JailCore
package import JailPolicy

extension Observation {
    /// As one line of a record has it. What is not known is left out.
    package var json: JSON {
        var members = subject.members
        members.append(("outcome", .string(outcome.rawValue)))
        members.append(("knowledge", .string(knowledge.rawValue)))
        if let errno { members.append(("errno", .string(errno))) }
        if let program { members.append(("program", .string(program.clipped))) }
        members.append(("count", .number(count)))
        return .object(members)
    }

    /// nil: it is none.
    package init?(_ value: JSON5Value) {
        var members = RecordMembers(value)
        guard let kind = members.text("kind"), let outcome = members.value("outcome", Outcome.self),
            let knowledge = members.value("knowledge", Knowledge.self), let count = members.integer("count"), count >= 1
        else { return nil }
        let errno = members.text("errno")
        if let errno, !Self.isErrorName(errno) { return nil }
        let program = members.text("program")
        guard let subject = Subject(kind, &members), members.isUsedUp else { return nil }
        self.init(subject, outcome, knowledge, errno: errno, program: program, count: Int(count))
    }

    private static func isErrorName(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "E") && text.utf8.count <= 16
            && text.utf8.allSatisfy { (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) }
    }
}

extension Observation.Subject {
    fileprivate var members: [(String, JSON)] {
        switch self {
        case .file(let path, let access):
            [("kind", "file"), ("path", .string(path.clipped)), ("access", .string(access.rawValue))]
        case .program(let name): [("kind", "program"), ("name", .string(name.clipped))]
        case .systemCall(let name): [("kind", "systemCall"), ("name", .string(name.clipped))]
        case .bind(let port): [("kind", "bind"), ("port", .number(port))]
        case .network(let fields): [("kind", "network")] + fields.members
        case .limit(let name, let value):
            [("kind", "limit"), ("name", .string(name.clipped)), ("value", .string(value.clipped))]
        }
    }

    fileprivate init?(_ kind: String, _ members: inout RecordMembers) {
        switch kind {
        case "file":
            guard let path = members.text("path"), path.hasPrefix("/"),
                let access = members.value("access", FileAccess.self)
            else { return nil }
            self = .file(path: path, access: access)
        case "program":
            guard let name = members.text("name"), !name.isEmpty else { return nil }
            self = .program(name)
        case "systemCall":
            guard let name = members.text("name"), !name.isEmpty else { return nil }
            self = .systemCall(name)
        case "bind":
            guard let number = members.integer("port"), let port = UInt16(exactly: number) else { return nil }
            self = .bind(port: port)
        case "network":
            guard let fields = NetworkSubjectFields(&members) else { return nil }
            self = .network(fields)
        case "limit":
            guard let name = members.text("name"), !name.isEmpty, let value = members.text("value") else { return nil }
            self = .limit(name: name, value: value)
        default: return nil
        }
    }
}

extension NetworkSubjectFields {
    fileprivate var members: [(String, JSON)] {
        var members: [(String, JSON)] = [("host", .string(host.clipped))]
        if let port { members.append(("port", .number(port))) }
        if let scheme { members.append(("scheme", .string(scheme.clipped))) }
        if let method { members.append(("method", .string(method.clipped))) }
        if let path { members.append(("path", .string(path.clipped))) }
        members.append(("websocket", .boolean(isWebSocket)))
        return members
    }

    fileprivate init?(_ members: inout RecordMembers) {
        guard let host = members.text("host"), !host.isEmpty else { return nil }
        self.init(host: host)
        if let number = members.integer("port") {
            guard let port = UInt16(exactly: number) else { return nil }
            self.port = port
        }
        scheme = members.text("scheme")
        if let scheme, !["http", "https", "tcp"].contains(scheme) { return nil }
        method = members.text("method")
        path = members.text("path")
        isWebSocket = members.boolean("websocket") ?? false
    }
}

extension String {
    /// As much of it as a record takes, up to the end of a character.
    fileprivate var clipped: String {
        guard utf8.count > ObservationFile.textLimit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: ObservationFile.textLimit)
        while utf8[end] & 0xC0 == 0x80 { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
