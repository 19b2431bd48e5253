/// One process of a running jail, as /proc of the host shows it.
package struct ProcessFacts: Equatable, Sendable {
    package var pid: Int32
    /// Of jail init some things are nobody's to read but root's.
    package var isInit = false
    package var users: [String] = []
    package var groups: [String] = []
    package var supplementary: [String] = []
    /// CapInh, CapPrm, CapEff, CapBnd, CapAmb.
    package var capabilities: [String] = []
    package var noNewPrivileges: String?
    package var seccomp: String?
    package var filters: Int?
    /// Links of /proc/PID/ns, by name; empty: they cannot be read.
    package var namespaces: [String: String] = [:]
    package var mounts: [MountFinding] = []
    /// Lines of /proc/PID/cgroup.
    package var controlGroups: [String] = []
    package var interfaces: [String] = []
    /// Soft and hard limit of open files, and of core files.
    package var openFiles: [String] = []
    package var coreSize: [String] = []

    package init(pid: Int32) { self.pid = pid }
}

/// A running jail, looked at from outside: nothing is added to it.
package struct RunningJailFacts: Equatable, Sendable {
    package var processes: [ProcessFacts] = []
    /// Of the host.
    package var namespaces: [String: String] = [:]
    /// Its supervisor is in a user namespace that is not ours, as a service with PrivateUsers is: whoever is not root there may
    /// not ask for the namespaces of what it has started.
    package var isBehindUserNamespace = false
    package var group: GroupFigures?
    package var log: LogFinding?
    /// What the log says of the plan that it was started with, and what its supervisor hands out.
    package var recordedPlan: String?
    package var shownPlan: String?

    package init() {}
}
