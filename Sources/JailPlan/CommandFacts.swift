/// What was looked up on the host for commands that run elsewhere than in the jail which asks. Empty for other profiles.
package struct CommandFacts: Equatable, Sendable {
    /// clawjail itself, which starts jails for commands. It need not be visible to the jail's user.
    package var launcher: LauncherFacts?
    /// By what the profile calls them.
    package var users: [String: HostUser] = [:]
    /// Canonical, by what the profile calls them: of programs those that nobody but root and their user can replace.
    package var programs: [String: String] = [:]
    package var directories: [String: String] = [:]

    package init() {}
}

/// A user of the host, as the files of accounts have it.
package struct HostUser: Equatable, Sendable {
    package struct Group: Equatable, Sendable {
        package var name: String
        package var gid: UInt32

        package init(name: String, gid: UInt32) {
            self.name = name
            self.gid = gid
        }
    }

    package var identity: HostIdentity
    /// Supplementary ones.
    package var groups: [Group]
    package var home: String

    package init(identity: HostIdentity, groups: [Group], home: String) {
        self.identity = identity
        self.groups = groups
        self.home = home
    }
}
