import JailApprovals
import JailCore
import JailLaunch
import JailPlan
import JailView

/// Asks supervisors about approvals, and tells them what was decided.
enum ApprovalCall {
    /// The queue of a running jail; nil: it has ended.
    ///
    /// - Throws: its supervisor does not answer, or does not accept the token.
    static func queue(_ name: String, token: String?) throws(JailError) -> ApprovalsView? {
        let order = try order(.list, token: token)
        let connection = try open(name, token: token)
        return try hidden(name) { () throws(JailError) in
            guard let answer = try JailConnection.file(.approvals(order), connection, "approvals") else { return nil }
            guard let view = ApprovalsView(jail: name, answer: answer) else {
                throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
            }
            return view
        }
    }

    /// Those of all running jails that this user, or the token, may see. One that does not answer is left out.
    static func queues(token: String?) throws(JailError) -> [ApprovalsView] {
        let order = try order(.list, token: token)
        var views: [ApprovalsView] = []
        for jail in try JailLook.jails(named: nil) {
            if let connection = try? JailConnection.open(jail.name),
                let answer = try? JailConnection.file(.approvals(order), connection, "approvals"),
                let view = ApprovalsView(jail: jail.name, answer: answer)
            {
                views.append(view)
            }
        }
        let doors = DeciderDoors.views(order)
        if views.isEmpty, let refusal = doors.refusal { throw refusal }
        return views + doors.views.map(\.view)
    }

    /// - Returns: what came of it; empty: it was done.
    static func decide(
        _ name: String, _ action: ApprovalOrder.Action, reason: String?, token: String?,
        patience: Int32 = JailConnection.patience
    ) throws(JailError) -> String {
        let order = try order(action, reason: reason, token: token)
        let connection = try open(name, token: token)
        return try hidden(name) { () throws(JailError) in
            switch try JailConnection.ask(.approvals(order), connection, patience: patience) {
            case .state(let text): return text
            case .done: return ""
            default:
                throw JailError(.supervise, reason: "jail '\(name)' has ended", status: ExitStatus.notRunning)
            }
        }
    }

    /// To its supervisor: through the run directory of this user's, or through the deciders' door. Two jails may have one name, and
    /// nobody is to decide about the wrong one.
    private static func open(_ name: String, token: String?) throws(JailError) -> SharedDescriptor {
        let list = try order(.list, token: token)
        let (views, refusal) = DeciderDoors.views(list)
        let doors = views.filter { $0.view.jail == name }.compactMap { DeciderDoors.connect($0.path) }
        do throws(JailError) {
            let own = try JailConnection.open(name)
            guard doors.isEmpty else {
                throw JailError(
                    .usage, reason: "root has started a jail of that name as well, and it is not clear which is meant")
            }
            return own
        } catch {
            guard [ExitStatus.notThere, ExitStatus.notRunning].contains(error.status) else { throw error }
            guard doors.count < 2 else {
                throw JailError(
                    .usage, reason: "root has started two jails of that name, and it is not clear which is meant")
            }
            guard let door = doors.first else { throw refusal ?? error }
            return door
        }
    }

    /// One that must not be known of is one that is not there, in the same words.
    private static func hidden<Result>(
        _ name: String, _ body: () throws(JailError) -> Result
    ) throws(JailError) -> Result {
        do throws(JailError) { return try body() } catch {
            guard error.status == ExitStatus.notThere else { throw error }
            throw JailConnection.notThere(name)
        }
    }

    private static func order(
        _ action: ApprovalOrder.Action, reason: String? = nil, token: String?
    ) throws(JailError) -> ApprovalOrder {
        if let order = ApprovalOrder(action, reason: reason, token: token) { return order }
        throw JailError(
            .usage,
            reason: "a reason, a token and a path are one line each, of up to \(ApprovalOrder.longestText) bytes")
    }
}
