internal import JailApprovals
internal import JailCore
internal import JailPlan

/// Who somebody is that looks at a jail from outside or wants something of it, and what they may do.
final class AccessDesk {
    /// Why somebody is nobody here.
    struct Refusal: Error {
        let status: Int32
        let reason: String
        /// What is written down of it, and of whom; nil: nothing.
        var told: (by: String, reason: String)?

        /// Of a jail that is not theirs nobody learns more than this, and it is what they hear of one that is not there.
        static let invisible = Refusal(status: ExitStatus.notThere, reason: "there is no such jail")
    }

    /// Which socket somebody has come through.
    enum Door {
        /// Of the run directory, which only root and whoever the supervisor runs as reach: they may do everything.
        case own
        /// For everybody of this host: who is not in the list of deciders, and shows no token, is nobody.
        case deciders
    }

    private let owner: UInt32
    private let tokens: String
    private let deciders: String
    private var wrong: TokenGuard
    private let now: () -> ApprovalMoment
    private let accounts: () throws(JailError) -> (Accounts, AccountGroups)

    /// - Parameters:
    ///   - owner: the user whose jail it is.
    ///   - state: the directory of the lists of tokens and of deciders.
    init(
        owner: UInt32, state: String, now: @escaping () -> ApprovalMoment = { .now },
        accounts: @escaping () throws(JailError) -> (Accounts, AccountGroups) = { () throws(JailError) in
            (try Accounts(), try AccountGroups())
        }
    ) {
        self.owner = owner
        tokens = "\(state)/\(ApprovalsPlan.tokensFile)"
        deciders = "\(state)/\(ApprovalsPlan.decidersFile)"
        wrong = TokenGuard(now())
        self.now = now
        self.accounts = accounts
    }

    /// - Parameters:
    ///   - token: who shows one may do what that says, and no more.
    ///   - uid: of who speaks, as the kernel says.
    ///   - ability: what they want to do.
    func admit(
        _ token: String?, by uid: UInt32, through door: Door, to ability: ApprovalRole.Ability
    ) throws(Refusal) -> ApprovalDecider {
        var decider = if let token { try find(token, uid) } else { try find(uid, door) }
        if door == .deciders, uid != 0 { decider.person = uid }
        guard decider.maySee(jailOf: owner) else { throw .invisible }
        guard decider.role.may(ability) else {
            let reason = "\(decider.text) is \(decider.role.rawValue), which may not \(ability.text)"
            throw Refusal(status: ExitStatus.refused, reason: reason, told: (decider.text, reason))
        }
        return decider
    }

    private func find(_ token: String, _ uid: UInt32) throws(Refusal) -> ApprovalDecider {
        guard wrong.mayTry(uid, now()) else {
            throw Refusal(status: ExitStatus.refused, reason: "too many wrong tokens; try again in a minute")
        }
        let list: TokenList
        do throws(JailError) { list = try TokenFile.read(tokens) } catch {
            throw told(uid, error.description)
        }
        guard let found = list.find(token, now: now().realtime) else {
            wrong.tookWrong(uid, now())
            throw told(uid, "this token is not known, or has expired")
        }
        return found.decider
    }

    private func told(_ uid: UInt32, _ reason: String) -> Refusal {
        Refusal(status: ExitStatus.refused, reason: reason, told: ("uid \(uid)", reason))
    }

    private func find(_ uid: UInt32, _ door: Door) throws(Refusal) -> ApprovalDecider {
        if door == .own || uid == 0 {
            return ApprovalDecider(.user(uid), role: .admin, tenant: uid == 0 ? nil : uid)
        }
        // What gets out of a jail is still its user, who never says yes to what the jail asks for.
        guard uid != owner else { throw .invisible }
        let role: ApprovalRole?
        do throws(JailError) { role = try listed(uid) } catch {
            // The host's administrator has to hear of it, and nobody else.
            var refusal = Refusal.invisible
            refusal.told = ("uid \(uid)", error.description)
            throw refusal
        }
        guard let role else { throw .invisible }
        return ApprovalDecider(.user(uid), role: role, tenant: owner)
    }

    private func listed(_ uid: UInt32) throws(JailError) -> ApprovalRole? {
        let list = try DeciderList.read(deciders)
        guard !list.entries.isEmpty else { return nil }
        let (accounts, groups) = try accounts()
        return list.role(of: uid, forJailsOf: owner, accounts, groups)
    }
}

extension ApprovalRole.Ability {
    fileprivate var text: String {
        switch self {
        case .see: "look"
        case .handle: "pause or stop"
        case .decide: "decide"
        case .administer: "do that"
        }
    }
}
