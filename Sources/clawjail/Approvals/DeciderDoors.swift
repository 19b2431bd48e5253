import JailCore
import JailLaunch
import JailPlan
import JailView

/// The sockets through which others than root reach the supervisors of jails that root has started. Which jail is behind one is for
/// its supervisor to say, and only to those who may know.
enum DeciderDoors {
    /// Root needs none of them.
    static var paths: [String] {
        let base = ApprovalsPlan.socketDirectory
        guard System.effectiveUserID != 0, let directory = try? System.open(base, [.readOnly, .directory, .noFollow]),
            let status = try? System.status(of: directory.borrowed), status.uid == 0, status.permissions & 0o022 == 0,
            let names = try? System.names(in: directory.borrowed)
        else { return [] }
        return names.map(\.name).filter { $0.hasSuffix(".sock") }.sorted().map { "\(base)/\($0)" }
    }

    /// nil: nobody is behind it, or too many wait; or it is not root's, and no place to show a token.
    static func connect(_ path: String) -> SharedDescriptor? {
        guard let socket = try? SharedDescriptor(System.makeUnixSocket(.sequencedPacket)) else { return nil }
        return withExtendedLifetime(socket) {
            do throws(SystemError) {
                try System.setNonBlocking(socket.borrowed)
                try System.connect(socket.borrowed, path: path)
                guard try System.peer(of: socket.borrowed).uid == 0 else { return nil }
                try System.setNonBlocking(socket.borrowed, false)
                return socket
            } catch { return nil }
        }
    }

    /// What waits behind each of them, for whoever may see it; and why none of them has answered, such as a token that is not known.
    static func views(_ order: ApprovalOrder) -> (views: [(path: String, view: ApprovalsView)], refusal: JailError?) {
        var views: [(path: String, view: ApprovalsView)] = []
        var refusal: JailError?
        for path in paths {
            guard let connection = connect(path) else { continue }
            do throws(JailError) {
                guard let answer = try JailConnection.file(.approvals(order), connection, "approvals"),
                    let view = ApprovalsView(answer: answer)
                else { continue }
                views.append((path, view))
            } catch {
                if error.status == ExitStatus.refused { refusal = error }
            }
        }
        return (views, views.isEmpty ? refusal : nil)
    }
}
