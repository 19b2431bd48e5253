/// Something about a log that a reader should know.
package struct AuditFinding: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        // Somebody has changed the log, or it has lost something.
        case changed, dropped, reordered, duplicated, malformed, missingSegment, restarted, foreignKey, badSignature,
            cutOff, replaced, unreadable
        // What a log does not promise, or was told.
        /// The last line has no end: its writer was killed, or the host lost power, while it was written.
        case torn
        /// A launch ended without its last checkpoint: its supervisor was killed.
        case unclosed
        /// Records after the last checkpoint of a launch: chained, and not signed.
        case unsigned
        /// The log does not begin with its first record: what is older was removed, as its retention says.
        case beheaded

        package var isBreach: Bool {
            switch self {
            case .torn, .unclosed, .unsigned, .beheaded: false
            default: true
            }
        }
    }

    package var kind: Kind
    package var segment: UInt64
    /// From 1; 0: the file as a whole.
    package var line: Int
    package var sequence: UInt64?
    /// For people.
    package var text: String

    package var description: String {
        "segment \(segment)" + (line > 0 ? ", line \(line)" : "") + (sequence.map { " (record \($0))" } ?? "")
            + ": \(text)"
    }
}

/// What came of reading a log.
package struct AuditReport: Sendable {
    package var findings: [AuditFinding] = []
    package var records: UInt64 = 0
    package var checkpoints: UInt64 = 0
    package var launches: UInt64 = 0
    package var segments: UInt64 = 0
    /// Of the last whole record.
    package var last = AuditPosition.start
    /// The number of the last record that a signature covers.
    package var signed: UInt64 = 0
    /// Heads from elsewhere that the log agrees with.
    package var headsConfirmed: UInt64 = 0
    /// The number of the last record that a head from elsewhere covers.
    package var anchored: UInt64 = 0

    package var isIntact: Bool { !findings.contains { $0.kind.isBreach } }
}
