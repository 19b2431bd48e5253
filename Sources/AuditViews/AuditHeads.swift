package import AuditLog

/// Heads of logs that were kept elsewhere, read from lines that have them in: the journal's, or those of a file of heads.
package struct AuditHeads: Sendable {
    private var heads: [String: [AuditPosition]] = [:]

    package init() {}

    /// Lines without a head are passed over; what a head says is checked by the log.
    package mutating func read(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(separator: " ")
            guard let start = words.firstIndex(of: "clawjail-audit"), words.count >= start + 5,
                words[start + 1] == "head",
                let position = AuditPosition(text: words[start + 2]), words[start + 3] == "jail"
            else { continue }
            heads[String(words[start + 4]), default: []].append(position)
        }
    }

    package subscript(jail: String) -> [AuditPosition] { heads[jail] ?? [] }
}
