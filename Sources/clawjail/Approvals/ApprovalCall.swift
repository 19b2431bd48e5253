import JailApprovals
import JailCore
import JailLaunch
import JailPlan
import JailView

/// Asks supervisors about approvals, and tells them what was decided.
enum ApprovalCall {
    /// The queue of a running jail; nil: it has ended, or its profile lets it ask for nothing.
    ///
    /// - Throws: its supervisor does not answer, or does not accept the token.
    static func queue(_ name: String, token: String?) throws(JailError) -> ApprovalsView? {
        let order = try order(.list, token: token)
        guard let answer = try JailConnection.file(.approvals(order), try JailConnection.open(name), "approvals") else {
            return nil
        }
        guard let view = ApprovalsView(jail: name, answer: answer) else {
            throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
        }
        return view
    }

    /// Those of all running jails that this user, or the token, may see. One that does not answer is left out.
    static func queues(token: String?) throws(JailError) -> [ApprovalsView] {
        var views: [ApprovalsView] = []
        for jail in try JailLook.jails(named: nil) {
            if let view = try? queue(jail.name, token: token) { views.append(view) }
        }
        return views
    }

    /// - Returns: what came of it.
    static func decide(
        _ name: String, _ action: ApprovalOrder.Action, reason: String?, token: String?,
        patience: Int32 = JailConnection.patience
    ) throws(JailError) -> String {
        let order = try order(action, reason: reason, token: token)
        let connection = try JailConnection.open(name)
        guard case .state(let text)? = try JailConnection.ask(.approvals(order), connection, patience: patience) else {
            throw JailError(.supervise, reason: "jail '\(name)' has ended", status: ExitStatus.notRunning)
        }
        return text
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
