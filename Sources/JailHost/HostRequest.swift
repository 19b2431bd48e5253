package import JailCore
package import JailPlan
package import JailPolicy

/// What is asked of the host: the profile, the command line, and what of the caller's environment matters.
package struct HostRequest: Sendable {
    package var profile: Profile
    /// The program and its arguments; empty: none, for now.
    package var command: [String]
    /// Canonical host directory for `/workspace`, from the command line.
    package var workspace: String?
    /// The caller's PATH.
    package var searchPath: String?
    /// The caller's working directory, canonical.
    package var workingDirectory: String
    /// The caller's HOME.
    package var home: String?
    /// A user named on the command line, before `process.user`.
    package var user: String?
    /// The caller's XDG_STATE_HOME and XDG_RUNTIME_DIR.
    package var stateHome: String?
    package var runtimeHome: String?
    /// Sources that whoever asks has opened, and keeps open, as what they may be shown: which directory each is. They need
    /// not be reachable by name for the payload, and may lie in a directory of clawjail's own.
    package var granted: [String: FileIdentity] = [:]
    /// The jail goes on in the background, whatever becomes of who has started it.
    package var outlivesCaller = false
    /// Where profiles are looked for, whether they are there or not.
    package var profileDirectories: [String] = []

    package init(profile: Profile, command: [String], workingDirectory: String) {
        self.profile = profile
        self.command = command
        self.workingDirectory = workingDirectory
    }

    /// As the caller's environment has it; the working directory from /proc/self/cwd.
    package static func fromEnvironment(profile: Profile, command: [String]) throws(JailError) -> HostRequest {
        let directory: String
        do throws(SystemError) {
            directory = try System.readLink("/proc/self/cwd")
        } catch {
            throw JailError(.host, error, path: "/proc/self/cwd")
        }
        var request = HostRequest(profile: profile, command: command, workingDirectory: directory)
        for (name, value) in System.environment() where !value.isEmpty {
            switch name {
            case "PATH": request.searchPath = value
            case "HOME": request.home = value
            case "XDG_STATE_HOME": request.stateHome = value
            case "XDG_RUNTIME_DIR": request.runtimeHome = value
            default: break
            }
        }
        return request
    }

    /// clawjail's own lasting state. Only computed; whoever uses it makes and checks it.
    package func stateDirectory(
        _ caller: CallerFacts, accounts: () -> Accounts? = { try? Accounts() }
    ) -> String {
        if caller.isRoot { return "/var/lib/clawjail" }
        if let own = Self.serviceDirectory(in: "/var/lib", of: caller.uid, accounts: accounts) { return own }
        // The XDG rules: a relative path is invalid and ignored.
        if let stateHome, stateHome.utf8.first == 0x2F { return Paths.join(stateHome, "clawjail") }
        return Paths.join(home ?? "/", ".local/state/clawjail")
    }

    /// What is running.
    package func runtimeDirectory(
        _ caller: CallerFacts, accounts: () -> Accounts? = { try? Accounts() }
    ) -> String {
        Self.runtimeDirectory(uid: caller.uid, runtimeHome: runtimeHome, accounts: accounts)
    }

    /// - Parameter runtimeHome: XDG_RUNTIME_DIR.
    package static func runtimeDirectory(
        uid: UInt32, runtimeHome: String?, accounts: () -> Accounts? = { try? Accounts() }
    ) -> String {
        if uid == 0 { return "/run/clawjail" }
        if let own = serviceDirectory(in: "/run", of: uid, accounts: accounts) { return own }
        if let runtimeHome, runtimeHome.utf8.first == 0x2F { return Paths.join(runtimeHome, "clawjail") }
        return "/tmp/clawjail-\(uid)"
    }

    /// `clawjail-NAME`, which root has made for a service's user of that name, see docs/systemd.md: one place, whether it is
    /// the service that asks or somebody who has become that user. nil: there is none, or it is not that user's alone.
    ///
    /// - Parameter base: a directory that nobody but root can write to.
    package static func serviceDirectory(
        in base: String, of uid: UInt32, accounts: () -> Accounts? = { try? Accounts() }
    ) -> String? {
        guard let name = accounts()?.user(uid: uid)?.name, name.utf8.first != 0x2E, !name.utf8.contains(0x2F) else {
            return nil
        }
        let path = Paths.join(base, "clawjail-\(name)")
        guard let status = try? System.status(path), status.isDirectory, status.uid == uid,
            status.permissions & 0o077 == 0
        else { return nil }
        return path
    }
}
