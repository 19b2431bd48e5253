internal import JailCore

/// Tells the processes of one jail from all others, by their pid namespace.
///
/// By the number that the kernel has noted for whoever connected. A process that is gone is nobody; where its number is another
/// process's by now, that one is looked at, and is let in only if it is in the jail as well.
struct JailPeers {
    private let namespace: String
    private let uid: UInt32

    /// - Parameters:
    ///   - pid: of the jail's init. To be called before that one is dumpable to nobody any more.
    ///   - uid: that the jail's processes have on the host.
    init(of pid: Int32, uid: UInt32) throws(SystemError) {
        namespace = try Self.namespace(of: pid)
        self.uid = uid
    }

    /// False for whatever cannot be told.
    func isInside(_ caller: SharedDescriptor) -> Bool {
        guard let peer = try? System.peer(of: caller.borrowed), peer.pid > 0, peer.uid == uid,
            let other = try? Self.namespace(of: peer.pid)
        else { return false }
        return other == namespace
    }

    private static func namespace(of pid: Int32) throws(SystemError) -> String {
        try System.readLink("/proc/\(pid)/ns/pid")
    }
}
