internal import JailCore
internal import JailPolicy

/// Host paths that no profile can show, however it is written: they hold keys, sockets of daemons that act for anyone,
/// the kernel's own interfaces, or clawjail's policy and state.
package struct Boundaries: Equatable, Sendable {
    /// Canonical home directories: the caller's and the payload's.
    package var homes: [String]
    /// Profiles in force and the directories they come from: not to be written from inside.
    package var policy: [String]
    /// clawjail's own state and runtime directories.
    package var ownDirectories: [String]

    package init(homes: [String], policy: [String] = [], ownDirectories: [String] = []) {
        self.homes = homes.filter { $0 != "/" && !$0.isEmpty }
        self.policy = policy
        self.ownDirectories = ownDirectories
    }

    /// Refused with all that lies below.
    private static let closedTrees: [(path: String, reason: String)] = [
        ("/proc", "the jail has a /proc of its own"),
        ("/sys", "it is the kernel's interface to the host's devices"),
        ("/dev", "the jail has a /dev of its own"),
        ("/run/user", "it holds the sockets of the users' sessions"),
        ("/run/docker", "it holds sockets of a daemon that acts as root"),
        ("/run/docker.sock", "it is the socket of a daemon that acts as root"),
        ("/run/containerd", "it holds sockets of a daemon that acts as root"),
        ("/run/podman", "it holds sockets of a daemon that acts as root"),
        ("/run/clawjail", "it is clawjail's own"),
        ("/var/lib/clawjail", "it is clawjail's own"),
    ]

    /// Refused themselves; what lies below is judged by itself.
    private static let closedDirectories: [(path: String, reason: String)] = [
        ("/", "it is the whole host"),
        ("/home", "it holds home directories"),
        ("/root", "it is a home directory, with keys in it"),
        ("/etc", "it holds the host's keys and passwords"),
        ("/run", "it holds the sockets of the host's daemons"),
        ("/var", "it holds the host's state"),
        ("/var/lib", "it holds the host's state"),
        ("/boot", "it holds the host's kernel"),
    ]

    /// Below a home directory, refused with all that lies below.
    package static let credentials = [
        ".ssh", ".aws", ".azure", ".gnupg", ".docker", ".kube", ".password-store", ".netrc", ".git-credentials",
        ".npmrc",
        ".pypirc", ".config/gcloud", ".config/gh", ".config/clawjail", ".local/share/keyrings",
    ]

    /// Why a canonical path cannot be shown; nil if nothing speaks against it.
    package func refusal(of path: String, writable: Bool) -> String? {
        if let closed = Self.closedTrees.first(where: { path.isInside($0.path) }) { return closed.reason }
        if let closed = Self.closedDirectories.first(where: { path == $0.path }) { return closed.reason }
        for home in homes {
            if path == home { return "it is a home directory, with keys in it" }
            if home.isInside(path) { return "it holds the home directory '\(home.printable)'" }
            if path == Paths.join(home, ".config") { return "it holds programs' settings and tokens" }
            if let name = Self.credentials.first(where: { path.isInside(Paths.join(home, $0)) }) {
                return "'~/\(name)' holds credentials or policy"
            }
        }
        // One level below /home is somebody's home, whoever that is.
        if Paths.parent(path) == "/home" { return "it is a home directory, with keys in it" }
        for own in ownDirectories where path.isInside(own) || own.isInside(path) {
            return "it holds '\(own.printable)', which is clawjail's own"
        }
        guard writable else { return nil }
        if let file = policy.first(where: { $0.isInside(path) || path.isInside($0) }) {
            return "it holds '\(file.printable)', from which the rules of jails are read, and would be writable inside"
        }
        return nil
    }

    /// Names that projects use as well, for settings without any secret: no reason to refuse what they lie in.
    private static let ambiguous: Set<String> = [".npmrc", ".pypirc", ".docker"]

    /// A known place of credentials that lies below a canonical path, and is there: in a home directory that nobody said
    /// is one, or as in `~/.local/share`, which holds the keyrings. Looks at a few names, and into no directory.
    func credentials(in path: String, _ tree: inout HostTree) throws(JailError) -> String? {
        for home in homes {
            for name in Self.credentials {
                let place = Paths.join(home, name)
                if place.isInside(path), try tree.isThere(place) { return place }
            }
        }
        for name in Self.credentials where !Self.ambiguous.contains(name) {
            // The path may end with where the name begins.
            let parts = name.split(separator: "/")
            for count in 0..<parts.count {
                let start = parts[..<count].joined(separator: "/")
                guard start.isEmpty || path.hasSuffix("/" + start) else { continue }
                let place = Paths.join(path, parts[count...].joined(separator: "/"))
                if try tree.isThere(place) { return place }
            }
        }
        return nil
    }

    /// Whether the tree around a script may be shown without the profile naming it.
    func mayShowTree(_ directory: String, in tree: inout HostTree) -> Bool {
        guard refusal(of: directory, writable: false) == nil else { return false }
        let system = [
            "/usr", "/usr/lib", "/usr/bin", "/usr/share", "/usr/local", "/opt", "/srv", "/tmp", "/var/tmp", "/mnt",
        ]
        guard !system.contains(directory) else { return false }
        return !Self.credentials.contains { tree.status(Paths.join(directory, $0)) != nil }
    }
}
