internal import JailCore
package import JailPolicy

/// Who is asked about what, and by what they are known.
package struct ApprovalsPlan: Equatable, Sendable {
    package var rules: ApprovalRules
    /// Whose jail it is: the user that its command runs as on the host.
    package var owner: UInt32
    /// The list of tokens on the host, which may not be there.
    package var tokens: String
    /// nil: nobody is told that something waits.
    package var notify: Notify?

    package init(rules: ApprovalRules, owner: UInt32, tokens: String) {
        self.rules = rules
        self.owner = owner
        self.tokens = tokens
    }

    /// In clawjail's state directory.
    package static let tokensFile = "tokens.json"
    package static let decidersFile = "deciders.json5"
    /// Where others than root reach the supervisors of jails that root has started. The names in it say nothing.
    package static let socketDirectory = "/run/clawjail.approvals"

    /// Two who decide are two only where one of them cannot act for the other.
    static func make(_ profile: Profile, _ facts: HostFacts) throws(JailError) -> ApprovalsPlan? {
        // What a rule of commands wants to be asked about needs no word more.
        let isAsked = profile.commands.rules.contains(where: \.asks)
        guard let rules = profile.approvals ?? (isAsked ? ApprovalRules() : nil) else { return nil }
        guard isAsked || !rules.ask.isEmpty else {
            throw JailError(
                .plan,
                reason: "'approvals' asks for nothing: 'ask' is empty, and no rule of 'commands' has 'ask: true'",
                hint: "approvals: \"none\" asks nobody")
        }
        guard rules.fourEyes.isEmpty || facts.caller.isRoot else {
            throw JailError(
                .plan,
                reason: "'approvals.fourEyes' needs root: whoever starts a jail without it can be both of the two",
                hint: "start it as root for 'process.user', or take 'fourEyes' out of the profile")
        }
        // Of a webhook's address the path is often the secret: it is in no plan that is shown or recorded.
        var told = rules
        told.notify = ApprovalNotify()
        var plan = ApprovalsPlan(
            rules: told, owner: facts.payload.uid, tokens: "\(facts.stateDirectory)/\(tokensFile)")
        plan.notify = try Notify.make(rules.notify, facts.programs)
        return plan
    }

    var json: JSON {
        ["rules": rules.json, "owner": .number(owner), "tokens": .string(tokens), "notify": notify?.json ?? .null]
    }
}
