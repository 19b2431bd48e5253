internal import JailCore

extension AuditRules {
    /// The keys of `audit`.
    static let table = SectionTable<AuditRules>([
        SectionKey(
            "keep",
            read: { (field, rules) throws(JailError) in rules.keep = try time(field, keepRange) },
            write: { .string(TimeSpan.format($0.keep)) }),
        SectionKey(
            "checkpoint",
            read: { (field, rules) throws(JailError) in rules.checkpoint = try time(field, checkpointRange) },
            write: { .string(TimeSpan.format($0.checkpoint)) }),
        SectionKey(
            "sync",
            read: { (field, rules) throws(JailError) in rules.sync = try field.oneOf(Synchronization.self) },
            write: { .string($0.sync.rawValue) }),
        SectionKey(
            "onFull",
            read: { (field, rules) throws(JailError) in rules.onFull = try field.oneOf(FullDisk.self) },
            write: { .string($0.onFull.rawValue) }),
        SectionKey(
            "fileSize",
            read: { (field, rules) throws(JailError) in rules.fileSize = try field.size(fileSizeRange) },
            write: { .size($0.fileSize) }),
        SectionKey(
            "redact",
            read: { (field, rules) throws(JailError) in
                for text in try field.list({ (element) throws(JailError) in try element.name(checkPattern) })
                where !rules.redact.contains(text) { rules.redact.append(text) }
            },
            write: { .strings($0.redact) }),
        SectionKey(
            "journal",
            read: { (field, rules) throws(JailError) in rules.journal = try field.boolean() },
            write: { .boolean($0.journal) }),
        SectionKey(
            "anchors",
            read: { (field, rules) throws(JailError) in
                for command in try field.list({ (element) throws(JailError) in try readCommand(element) })
                where !rules.anchors.contains(command) { rules.anchors.append(command) }
                guard rules.anchors.count <= mostAnchors else {
                    throw field.refusal("must have at most \(mostAnchors) elements, not \(rules.anchors.count)")
                }
            },
            write: { .array($0.anchors.map(JSON.strings)) }),
    ])

    /// In milliseconds: a day, and ten years.
    private static let keepRange: ClosedRange<UInt64> = 86_400_000...315_360_000_000
    private static let checkpointRange: ClosedRange<UInt64> = 1000...3_600_000
    private static let fileSizeRange: ClosedRange<UInt64> = (1 << 20)...(1 << 30)
    private static let mostAnchors = 8

    private static func time(_ field: Field, _ range: ClosedRange<UInt64>) throws(JailError) -> UInt64 {
        let time = try field.parsed(as: "a time such as \"30d\"", TimeSpan.parse)
        guard range.contains(time) else {
            throw field.refusal(
                "must be from \"\(TimeSpan.format(range.lowerBound))\" to \"\(TimeSpan.format(range.upperBound))\", "
                    + "not \"\(TimeSpan.format(time))\"")
        }
        return time
    }

    /// Less than that would take half of every text away.
    private static let leastLiteral = 3

    private static func checkPattern(_ text: String) throws(ValueError) {
        let literals = text.utf8.split(separator: UInt8(ascii: "*"))
        guard text.utf8.count <= 200, text == text.printable, literals.reduce(0, { $0 + $1.count }) >= leastLiteral
        else {
            throw ValueError(
                expected: "a text such as \"acme_*\", with \(leastLiteral) characters and more besides '*'", found: text
            )
        }
    }

    private static func readCommand(_ field: Field) throws(JailError) -> [String] {
        let words = try field.filledList { (element) throws(JailError) in
            try element.name { (text) throws(ValueError) in
                guard !text.utf8.contains(0) else { throw ValueError("must be a text without NUL") }
            }
        }
        guard words[0].hasPrefix("/") else { throw field.refusal("must begin with the absolute path of a program") }
        return words
    }
}
