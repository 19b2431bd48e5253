/// `approvals`: what a person may be asked about, instead of being denied at once. nil in a profile: nobody is asked.
package struct ApprovalRules: Hashable, Sendable {
    /// What may be asked for. Empty: what rules of commands want to be asked about, and nothing else.
    package var ask: Set<ApprovalKind> = []
    /// Milliseconds that somebody has to answer; after that it is denied.
    package var timeout: UInt64 = 60_000
    /// What needs two deciders that are not the same.
    package var fourEyes: Set<ApprovalKind> = []
    /// Who is told that something waits.
    package var notify = ApprovalNotify()

    package init() {}

    package static let timeouts: ClosedRange<UInt64> = 1000...600_000
}

/// What an approval is about.
package enum ApprovalKind: String, CaseIterable, Sendable {
    case network, command, session

    /// In a profile.
    package var key: String {
        switch self {
        case .command: "commands"
        case .network: "network"
        case .session: "sessions"
        }
    }
}

extension Profile {
    /// Whether anything of the jail's can get outside: by a rule, or because somebody says so.
    package var hasWayOut: Bool { !network.allow.isEmpty || asksForNetwork }

    package var asksForNetwork: Bool { approvals?.ask.contains(.network) == true }
}
