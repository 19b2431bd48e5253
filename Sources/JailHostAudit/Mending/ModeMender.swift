package import JailCore

/// Takes permissions away, of exactly the file that was looked at.
package enum ModeMender {
    package enum Refusal: Error, Equatable, Sendable {
        /// Another file has its name now, or it is not as it was.
        case changed
        /// It has other names, which may be somebody else's.
        case linked
        case notOwn
        case failed(SystemError)

        package var text: String {
            switch self {
            case .changed: "it has changed since it was looked at"
            case .linked: "it has more than one name"
            case .notOwn: "it belongs to another user, who can mend it"
            case .failed(let error): "\(error.call.name): \(error.errno)"
            }
        }
    }

    /// By a descriptor of the file, which no link has led to: what is checked is what is changed.
    package static func perform(_ fix: ModeFix, in view: HostView, as uid: UInt32) throws(Refusal) {
        guard fix.after & ~fix.before == 0, fix.after != fix.before else { throw .changed }
        let file: SharedDescriptor
        let status: FileStatus
        do throws(SystemError) {
            file = SharedDescriptor(
                try System.open(
                    fix.path, [.pathOnly, .noFollow], at: view.root.borrowed,
                    resolve: [.inRoot, .noSymlinks, .noMagicLinks]))
            status = try System.status(of: file.borrowed)
        } catch { throw .failed(error) }
        if let refusal = refusal(fix, status, uid) { throw refusal }
        // The kernel takes no fchmod(2) of a descriptor that is a place only; by this name it does.
        do throws(SystemError) { try System.changeMode("/proc/self/fd/\(file.borrowed.number)", fix.after) } catch {
            throw .failed(error)
        }
    }

    private static func refusal(_ fix: ModeFix, _ status: FileStatus, _ uid: UInt32) -> Refusal? {
        guard status.identity == fix.identity, status.kind == fix.kind, status.permissions == fix.before,
            status.uid == fix.uid
        else { return .changed }
        guard status.uid == uid else { return .notOwn }
        return status.kind == .regular && status.links > 1 ? .linked : nil
    }
}
