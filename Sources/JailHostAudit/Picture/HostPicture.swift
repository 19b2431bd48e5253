/// All that was seen of a host. A value of its own, so that every judgement can be tested without such a host.
package struct HostPicture: Sendable {
    package struct Account: Equatable, Sendable {
        package var name: String
        package var uid: UInt32
        package var gid: UInt32
        package var home: String
        package var shell: String

        package init(name: String, uid: UInt32, gid: UInt32, home: String, shell: String) {
            self.name = name
            self.uid = uid
            self.gid = gid
            self.home = home
            self.shell = shell
        }
    }

    package struct Group: Equatable, Sendable {
        package var name: String
        package var gid: UInt32
        package var members: [String]

        package init(name: String, gid: UInt32, members: [String]) {
            self.name = name
            self.gid = gid
            self.members = members
        }
    }

    /// A directory of a search path for programs.
    package struct SearchDirectory: Equatable, Sendable {
        package var name: String
        /// nil: it is not there.
        package var way: Way?

        package init(name: String, way: Way?) {
            self.name = name
            self.way = way
        }
    }

    /// A device that memory is swapped to.
    package struct SwapDevice: Equatable, Sendable {
        package var name: String
        package var isSafe: Bool

        package init(name: String, isSafe: Bool) {
            self.name = name
            self.isSafe = isSafe
        }
    }

    /// Whoever asks.
    package var callerUID: UInt32 = 0
    /// Seconds since the epoch.
    package var now: Int64 = 0
    package var accounts: [Account] = []
    package var groups: [Group] = []
    package var gateways: [GatewayView] = []
    package var jails: [JailView] = []
    /// Sockets of container engines.
    package var engineSockets: [Way] = []
    /// On the gateway's usual port, of processes that are no gateways.
    package var strangers: [Stranger] = []
    /// Of the gateways, in their order: what is never printed.
    var surroundings: [Surroundings] = []
    package var states: [StateView] = []
    /// `/tmp/openclaw` and its like, with what is in them.
    package var logs: [(directory: FileView, files: [FileView])] = []
    package var units: [UnitView] = []
    /// Names of timers that make backups.
    package var timers: [String] = []
    /// Programs with a set-user-ID or set-group-ID bit.
    package var helpers: [FileView] = []
    package var searchPath: [SearchDirectory] = []
    /// The first line of files in /proc and /sys; a missing one could not be read.
    package var lines: [String: String] = [:]
    package var swaps: [SwapDevice] = []
    /// When the newest snapshot was made: seconds since the epoch.
    package var lastBackup: Int64?
    /// What could not be looked at, and why. In the order of its finding.
    package var notLooked: [String] = []
    /// Bounds that were met.
    package var notes: [String] = []

    package init() {}

    /// `alice`, or the number.
    func userName(_ uid: UInt32) -> String { account(uid)?.name ?? String(uid) }
    func account(_ uid: UInt32) -> Account? { accounts.first { $0.uid == uid } }
    func groupName(_ gid: UInt32) -> String { groups.first { $0.gid == gid }?.name ?? String(gid) }

    /// A user has it for itself: the group of that name, with nobody else in it.
    func isPrivate(group gid: UInt32, of uid: UInt32) -> Bool {
        guard let account = account(uid), account.gid == gid else { return false }
        let others = accounts.contains { $0.gid == gid && $0.uid != uid }
        let members = groups.filter { $0.gid == gid }.flatMap(\.members).filter { $0 != account.name }
        return !others && members.isEmpty
    }

    /// There is something of OpenClaw's on this host.
    var hasAnything: Bool { !gateways.isEmpty || !states.isEmpty || !units.isEmpty }
}
