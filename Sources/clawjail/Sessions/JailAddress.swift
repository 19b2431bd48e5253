import JailCore
import JailLaunch
import JailPlan

/// Which jail a name means: `NAME`, or `GATEWAY/ID` for a session that the jail of that name has had made.
struct JailAddress {
    /// As people write it.
    let shown: String
    /// The jail that has had it made.
    let gateway: String?
    /// Of its run directory, and where that lies.
    let name: String
    let base: String

    init(_ text: String) throws(JailError) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        // Any other text would lead to another directory.
        guard parts.count <= 2, parts.allSatisfy(JailName.isValid) else {
            throw JailError(.usage, reason: "'\(text.printable)' is not a name of a jail")
        }
        let directory = RunningJail.directory()
        if parts.count == 2 {
            self.init(gateway: parts[0], id: parts[1], base: RunDirectory.sessions(of: parts[0], in: directory))
        } else {
            self.init(name: text, base: directory)
        }
    }

    init(gateway: String, id: String, base: String) {
        shown = "\(gateway)/\(id)"
        self.gateway = gateway
        name = id
        self.base = base
    }

    private init(name: String, base: String) {
        shown = name
        gateway = nil
        self.name = name
        self.base = base
    }

    var presence: RunDirectory.Presence { RunDirectory.presence(of: name, in: base) }

    /// All of this user's jails, each followed by the sessions that it has had made.
    static func all() -> [(address: JailAddress, presence: RunDirectory.Presence)] {
        let base = RunningJail.directory()
        return RunDirectory.all(in: base).flatMap { (name, presence) in
            let inner = RunDirectory.sessions(of: name, in: base)
            return [(JailAddress(name: name, base: base), presence)]
                + RunDirectory.all(in: inner).map {
                    (JailAddress(gateway: name, id: $0.name, base: inner), $0.presence)
                }
        }
    }
}
