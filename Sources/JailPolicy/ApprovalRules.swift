/// `approvals`: what a person may be asked about, instead of being denied at once. nil in a profile: nobody is asked.
package struct ApprovalRules: Hashable, Sendable {
    /// What may be asked for. Never empty.
    package var ask: Set<ApprovalKind> = []
    /// Milliseconds that somebody has to answer; after that it is denied.
    package var timeout: UInt64 = 60_000
    /// What needs two deciders that are not the same.
    package var fourEyes: Set<ApprovalKind> = []

    package init() {}

    package static let timeouts: ClosedRange<UInt64> = 1000...600_000
}

/// What an approval is about.
package enum ApprovalKind: String, CaseIterable, Sendable {
    case command, network, workspace, session

    /// What a profile may let a jail ask for. The others have nobody yet who asks.
    package static let asked: [ApprovalKind] = [.network]
}

extension Profile {
    /// Whether anything of the jail's can get outside: by a rule, or because somebody says so.
    package var hasWayOut: Bool { !network.allow.isEmpty || asksForNetwork }

    package var asksForNetwork: Bool { approvals?.ask.contains(.network) == true }
}
