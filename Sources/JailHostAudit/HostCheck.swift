/// One question that is asked of a host: a stable name, and why the answer matters.
///
/// Where `openclaw security audit` asks the same, the id is OpenClaw's.
package struct HostCheck: Hashable, Sendable {
    package enum Area: String, CaseIterable, Sendable {
        case process, network, state, configuration, programs, units, kernel, backups
    }

    package let id: String
    package let area: Area
    /// One sentence, without a full stop.
    package let why: String

    init(_ area: Area, _ id: String, _ why: String) {
        self.id = id
        self.area = area
        self.why = why
    }

    package static let all =
        process + network + state + configuration + sandboxes + programs + units + kernel + backups
}

/// How bad it is. In this order.
package enum Severity: String, CaseIterable, Comparable, Sendable {
    case low, medium, high, critical

    package static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }
}

/// Something that should be otherwise.
package struct HostFinding: Equatable, Sendable {
    package let check: HostCheck
    package var severity: Severity
    /// What it is about: a process, a path, a unit.
    package var subject: String
    /// What was seen there. Never a secret's value.
    package var seen: String
    /// The command that mends it.
    package var remedy: String
    /// What `--fix` could do about it.
    package var fixes: [ModeFix] = []

    package init(
        _ check: HostCheck, _ severity: Severity, _ subject: String, seen: String, remedy: String,
        fixes: [ModeFix] = []
    ) {
        self.check = check
        self.severity = severity
        self.subject = subject
        self.seen = seen
        self.remedy = remedy
        self.fixes = fixes
    }
}
