/// A process that is an OpenClaw gateway, by its looks.
package struct GatewayView: Equatable, Sendable {
    package var pid: Int32
    /// What it calls itself.
    package var title: String
    package var uid: UInt32 = 0
    /// All of them, its own first.
    package var gids: [UInt32] = []
    /// The five lines of /proc/PID/status that say what it may become; nil: it has no such line.
    package var hasNoNewPrivileges: Bool?
    package var seccompMode: UInt32?
    package var capabilities: UInt64?
    /// It is in a pid namespace of its own, as seen from here.
    package var isNested = false
    /// Its ids are mapped in another way than ours: capabilities count there, and not here.
    package var hasOwnUserNamespace = false
    /// /proc/PID/cgroup.
    package var cgroup = ""
    /// From its parent up.
    package var ancestors: [Int32] = []
    /// nil: it could not be read, or there is no AppArmor.
    package var appArmor: String?
    /// The soft limit of a core file is not 0.
    package var dumpsCore = false
    /// Names and lengths of variables whose names say that they are secrets; nil: not looked at.
    package var secretVariables: [SecretSize]?
    /// Options of its arguments that carry a secret.
    package var secretArguments: [SecretSize] = []
    /// nil: not looked at.
    package var listeners: [Listener]?
    /// Sockets of container engines that are mounted where it is.
    package var mountedSockets: [String] = []
    /// What runs: its entry file, its interpreter, their directories. Followed on the host.
    package var installation: [Way] = []
    /// Of its own variables: OPENCLAW_GATEWAY_PORT; nil: not said.
    package var port: UInt16?

    package init(pid: Int32, title: String) {
        self.pid = pid
        self.title = title
    }
}

/// A secret, by what may be said of it.
package struct SecretSize: Equatable, Sendable {
    package var name: String
    /// Bytes.
    package var length: Int

    package init(name: String, length: Int) {
        self.name = name
        self.length = length
    }

    var text: String { "\(name) (\(length) characters)" }
}

/// A socket that waits for connections.
package struct Listener: Hashable, Sendable {
    package var address: String
    package var port: UInt16
    package var isLoopback: Bool
    /// Whose it is.
    package var uid: UInt32
    package var inode: UInt64

    package init(address: String, port: UInt16, isLoopback: Bool, uid: UInt32, inode: UInt64) {
        self.address = address
        self.port = port
        self.isLoopback = isLoopback
        self.uid = uid
        self.inode = inode
    }

    var text: String { "\(address.contains(":") ? "[\(address)]" : address):\(port)" }
}

/// A jail of clawjail's, as its run directory says.
package struct JailView: Equatable, Sendable {
    package var name: String
    package var profile: String
    package var supervisor: Int32
    package var initPID: Int32
    /// Whose the run directory is.
    package var uid: UInt32
    /// Of its supervisor: published ports. nil: not looked at.
    package var listeners: [Listener]?
    /// Where its data is on the host.
    package var data: String?

    package init(name: String, profile: String, supervisor: Int32, initPID: Int32, uid: UInt32) {
        self.name = name
        self.profile = profile
        self.supervisor = supervisor
        self.initPID = initPID
        self.uid = uid
    }
}

/// What waits at the gateway's usual port, and is neither a gateway nor a jail.
package struct Stranger: Equatable, Sendable {
    package var listener: Listener
    /// nil: it could not be looked at.
    package var holder: String?

    package init(listener: Listener, holder: String?) {
        self.listener = listener
        self.holder = holder
    }
}
