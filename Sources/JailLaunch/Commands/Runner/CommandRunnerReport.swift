internal import JailCore

/// What a keeper tells the runner of its call, and the runner the supervisor.
enum CommandRunnerReport: Equatable {
    /// It has opened what it will need.
    case ready
    /// It could not begin.
    case unable(String)
    /// A call's jail has this name.
    case jail(UInt32, String)
    case report(CommandReport)

    /// Characters of a text that whoever calls reads.
    static let longestText = 1000

    var bytes: [UInt8]? {
        var fields: SessionFields
        switch self {
        case .ready: fields = SessionFields("ready")
        case .unable(let text):
            fields = SessionFields("unable")
            fields.add("text", Self.short(text))
        case .jail(let number, let name):
            fields = SessionFields("jail")
            fields.add("number", String(number))
            fields.add("name", name)
        case .report(.ended(let number, let status, let note)):
            fields = SessionFields("ended")
            fields.add("number", String(number))
            fields.add("status", String(status))
            fields.add("text", note.map(Self.short))
        case .report(.failed(let number, let status, let reason)):
            fields = SessionFields("failed")
            fields.add("number", String(number))
            fields.add("status", String(status))
            fields.add("text", Self.short(reason))
        }
        return fields.bytes
    }

    init?(_ bytes: [UInt8]) {
        guard var fields = SessionFields(bytes) else { return nil }
        let number = fields.take("number").flatMap { UInt32($0) }
        let status = fields.take("status").flatMap { Int32($0) }.flatMap { (0...255).contains($0) ? $0 : nil }
        let text = fields.take("text")
        switch (fields.word, number, status, text) {
        case ("ready", nil, nil, nil): self = .ready
        case ("unable", nil, nil, let text?): self = .unable(text)
        case ("jail", let number?, nil, nil):
            guard let name = fields.take("name"), !name.isEmpty else { return nil }
            self = .jail(number, name)
        case ("ended", let number?, let status?, let note): self = .report(.ended(number, status: status, note: note))
        case ("failed", let number?, let status?, let reason?):
            self = .report(.failed(number, status: status, reason: reason))
        default: return nil
        }
        guard fields.isEmpty, self.bytes == bytes else { return nil }
    }

    /// A text without control characters, of a bounded length.
    private static func short(_ text: String) -> String {
        String(String.UnicodeScalarView(text.printable.unicodeScalars.prefix(longestText)))
    }
}
