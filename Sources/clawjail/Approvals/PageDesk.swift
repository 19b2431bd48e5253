import JailApprovals
import JailCore
import JailLaunch
import JailPlan
import JailPolicy
import JailView
import PageControl

/// What the page asks, answered: the only one of the two that reaches jails. It knows nobody but by a token, which it looks up each
/// time, and it does nothing that the token may not.
struct PageDesk {
    /// Milliseconds that supervisors have to answer, together, and that one has which is told something.
    private static let patience: Int64 = 1000
    private static let decisionPatience: Int32 = 5000

    private let tokens: String
    private let now: () -> Int64

    /// - Parameter tokens: the list of tokens.
    init(tokens: String, now: @escaping () -> Int64 = { System.realtimeMilliseconds() }) {
        self.tokens = tokens
        self.now = now
    }

    /// - Parameter bytes: of the page: nothing of it is trusted.
    func answer(_ bytes: [UInt8]) -> PageAnswer {
        guard let call = PageCall(bytes) else { return .refused("this is nothing that can be asked for") }
        do throws(JailError) {
            guard let token = try TokenFile.read(tokens).find(call.token, now: now()) else { return .unknown }
            return try carry(out: call, token)
        } catch { return .refused(error.description) }
    }

    private func carry(out call: PageCall, _ token: AccessToken) throws(JailError) -> PageAnswer {
        switch call.order {
        case .who: return Self.content(["name": .string(token.name), "role": .string(token.role.rawValue)])
        case .queue: return Self.content(try queue(call.token))
        case .jails: return Self.content(try jails(for: token))
        case .approve(let jail, let id, let terms, let reason):
            return try decide(jail, .approve(id, terms), reason, call.token)
        case .deny(let jail, let id, let reason): return try decide(jail, .deny(id), reason, call.token)
        case .revoke(let jail, let grant): return try decide(jail, .revoke(grant: grant), nil, call.token)
        case .lockdown(let jail, let reason): return try lockdown(jail, reason, token)
        }
    }

    private static func content(_ json: JSON) -> PageAnswer { .content(json.bytes()) }

    /// Whether somebody's token is for a jail; whose one is, that has been started by another, is the other one's.
    static func maySee(_ token: AccessToken, _ jail: RunningJail, among jails: [RunningJail]) -> Bool {
        guard token.owner != nil else { return true }
        let gateway = jail.name.split(separator: "/").first.map(String.init)
        guard let owner = jail.owner ?? jails.first(where: { $0.name == gateway })?.owner else { return false }
        return token.decider.maySee(jailOf: owner)
    }

    // MARK: Approvals: supervisors see the token, and decide about it themselves

    private func queue(_ token: String) throws(JailError) -> JSON {
        guard let order = ApprovalOrder(.list, token: token) else { return ["entries": [], "grants": []] }
        let jails = try JailLook.jails(named: nil)
        let answers = JailLook.files(.approvals(order), of: jails.map(\.name), patience: Self.patience)
        var entries: [JSON] = []
        var grants: [JSON] = []
        for (jail, answer) in zip(jails, answers) {
            guard let value = answer.flatMap({ try? JSON5Reader.read($0, file: "") }) else { continue }
            let common: [(String, JSON)] = [("jail", .string(jail.name)), ("profile", .string(jail.profile))]
            entries += (value["entries"]?.elements ?? []).map { Self.shown(common, $0) }
            grants += (value["grants"]?.elements ?? []).map { Self.shown(common, $0) }
        }
        return ["entries": .array(entries), "grants": .array(grants)]
    }

    /// Whatever a supervisor says of one, printable.
    private static func shown(_ common: [(String, JSON)], _ value: JSON5Value) -> JSON {
        guard case .object(let members) = value.json else { return .object(common.map { ($0.0, $0.1.printable) }) }
        // A profile that is asked for is the subject's own.
        let own = Set(members.map(\.0))
        return JSON.object(common.filter { !own.contains($0.0) } + members).printable
    }

    private func decide(
        _ jail: String, _ action: ApprovalOrder.Action, _ reason: String?, _ token: String
    ) throws(JailError) -> PageAnswer {
        let text = try ApprovalCall.decide(
            jail, action, reason: reason, token: token, patience: Self.decisionPatience)
        return Self.content(["text": .string("\(jail): \(text)".printable)])
    }

    // MARK: Lockdown: supervisors know no token with it, so this does

    private func lockdown(_ name: String?, _ reason: String, _ token: AccessToken) throws(JailError) -> PageAnswer {
        guard token.role.may(.handle) else {
            return .refused("\(token.decider.text) is \(token.role.rawValue), which may not stop jails")
        }
        let jails = try JailLook.jails(named: nil)
        let subject: LockdownMarker.Subject
        if let name {
            guard let jail = jails.first(where: { $0.name == name }), Self.maySee(token, jail, among: jails) else {
                return .refused("there is no such jail")
            }
            subject = try Lockdown.subject(name, all: false)
        } else {
            guard Self.mayHandleAll(token) else { return .refused("your token is for some jails, and not for all") }
            subject = .all
        }
        var work = try LockdownWork(
            subject, reason: reason, who: token.decider.text, options: .init(keepsEvidence: false, stops: false))
        try work.freeze()
        let next = "'clawjail lockdown \(subject.shown) --reason TEXT' keeps evidence and ends them"
        return Self.content(["text": .string("\(work.summary); \(next)".printable)])
    }

    /// Of an ordinary user's jails all are that user's.
    static func mayHandleAll(_ token: AccessToken) -> Bool {
        token.role.may(.handle) && (token.owner == nil || token.owner == System.effectiveUserID)
    }
}

extension JSON {
    /// Each text of it as it can be shown.
    fileprivate var printable: JSON {
        switch self {
        case .string(let text): .string(text.printable)
        case .array(let values): .array(values.map(\.printable))
        case .object(let members): .object(members.map { ($0.0, $0.1.printable) })
        case .null, .boolean, .integer: self
        }
    }
}
