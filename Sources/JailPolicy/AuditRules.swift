/// `audit`: how the log of what happens to a jail is kept. That it is kept is not a key.
package struct AuditRules: Equatable, Sendable {
    /// When what is written must outlive a power cut.
    package enum Synchronization: String, CaseIterable, Sendable {
        /// Every record, before anything else goes on.
        case record
        /// With each checkpoint while the jail runs. That of its end is handed to the kernel, and not waited for.
        case checkpoint
        /// When the kernel comes to it, within half a minute or so.
        case never
    }

    /// What becomes of a jail whose log cannot be written on.
    package enum FullDisk: String, CaseIterable, Sendable {
        /// The jail is stopped.
        case stop
        /// It stands still until there is room again.
        case pause
    }

    /// Milliseconds after which a file of the log is removed.
    package var keep: UInt64 = 30 * 86_400_000
    package var sync = Synchronization.checkpoint
    package var onFull = FullDisk.stop
    /// Milliseconds between two checkpoints, where anything was recorded.
    package var checkpoint: UInt64 = 60_000
    /// Bytes of a file of the log.
    package var fileSize: UInt64 = 16 << 20
    /// What else is never written: literal texts in which `*` stands for letters, digits and `-_.~+/=`.
    package var redact: [String] = []
    /// Heads go to the journal, or to syslog where there is none.
    package var journal = true
    /// Host commands that get each head on standard input.
    package var anchors: [[String]] = []

    package init() {}

    /// Each command with the key that names it. None is empty.
    package var namedAnchors: [(key: String, words: [String])] {
        anchors.enumerated().map { ("audit.anchors[\($0)]", $1) }
    }
}
