internal import Glibc
import JailCore
import JailDecision
import JailHost
import JailPlan
import JailPolicy

/// From words on a command line to a plan.
struct Invocation: Equatable {
    var profile = "research"
    var name: String?
    var terminal = false
    /// Of jails that share the process of their ways out; nil: it has its own.
    var egressGroup: String?
    var overrides = ProfileOverrides()
    var command: [String] = []

    /// Where profiles are looked for: the user's own first, so that a name can be extended under the same name.
    static func profileDirectories() throws(JailError) -> [String] {
        var directories: [String] = []
        if System.effectiveUserID != 0 {
            if let config = System.environmentValue("XDG_CONFIG_HOME"), config.hasPrefix("/") {
                directories.append("\(config)/clawjail/profiles")
            } else if let home = System.environmentValue("HOME"), home.hasPrefix("/") {
                directories.append("\(home)/.config/clawjail/profiles")
            }
        }
        directories.append("/etc/clawjail/profiles")
        directories.append(try attempt(.host, "/proc/self/exe") { () throws(SystemError) in try shippedProfiles() })
        return directories
    }

    /// Beside the program's own prefix, as `make install` lays it out; else in the source tree that it was built in.
    private static func shippedProfiles() throws(SystemError) -> String {
        let program = try System.readLink("/proc/self/exe")
        let beside = program.parentPath.parentPath + "/share/clawjail/profiles"
        if try exists(beside) { return beside }
        // .build/x86_64-unknown-linux-gnu/release/clawjail
        var directory = program.parentPath
        while directory != "/" {
            if directory.hasSuffix("/.build"), try exists("\(directory.parentPath)/profiles/schema.json") {
                return "\(directory.parentPath)/profiles"
            }
            directory = directory.parentPath
        }
        return "/usr/share/clawjail/profiles"
    }

    private static func exists(_ path: String) throws(SystemError) -> Bool {
        do {
            _ = try System.status(path)
            return true
        } catch  where error.errno == .notFound || error.errno == .notDirectory {
            return false
        }
    }

    /// `prices.json5`, beside the directories of profiles: the user's own counts before the host's, and that before the
    /// shipped one, each as a whole.
    ///
    /// - Returns: nil for a profile that does not limit what may be spent.
    static func prices(for profile: Profile, _ directories: [String]) throws(JailError) -> PriceTable? {
        guard profile.spend != nil else { return nil }
        var files = directories.map { "\($0.parentPath)/prices.json5" }
        // Where it lies in the source tree.
        files += directories.suffix(1).map { "\($0.parentPath)/scripts/install.d/prices.json5" }
        return try PriceTable.load(files, owners: [0, System.effectiveUserID])
    }

    static func loader() throws(JailError) -> ProfileLoader { loader(try profileDirectories()) }

    private static func loader(_ directories: [String]) -> ProfileLoader {
        ProfileLoader(
            directories: directories, owners: [0, System.effectiveUserID], home: System.environmentValue("HOME"))
    }

    private func loadProfile(_ directories: [String]) throws(JailError) -> Profile {
        var profile = try Self.loader(directories).load(self.profile)
        var overrides = overrides
        let directory = try attempt(.host, "/proc/self/cwd") { () throws(SystemError) in
            try System.readLink("/proc/self/cwd")
        }
        overrides.workspace = overrides.workspace.map { Self.absolute($0, in: directory) }
        overrides.read = overrides.read.map { Self.absolute($0, in: directory) }
        overrides.write = overrides.write.map { Self.absolute($0, in: directory) }
        try overrides.apply(to: &profile, home: System.environmentValue("HOME"))
        return profile
    }

    /// `.` and relative paths of the command line start at the caller's directory. What else a path may be is judged
    /// where it is read.
    private static func absolute(_ path: String, in directory: String) -> String {
        if path.hasPrefix("/") || path.hasPrefix("~") { return path }
        if path == "." { return directory }
        let rest = path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return directory == "/" ? "/\(rest)" : "\(directory)/\(rest)"
    }

    /// The profile with everything that the command line adds to it.
    func loadProfile() throws(JailError) -> Profile { try loadProfile(Self.profileDirectories()) }

    /// - Parameters:
    ///   - session: instead of a command.
    ///   - isBackground: the jail goes on when its caller has ended.
    ///   - loaded: the profile, if ``loadProfile()`` has been called for it already.
    ///   - first: of a jail that is started again: the plan that has given it its name.
    func makePlan(
        session: SessionPlan? = nil, isBackground: Bool = false, with loaded: Profile? = nil,
        again first: LaunchPlan? = nil
    ) throws(JailError) -> LaunchPlan {
        guard session != nil || (!command.isEmpty && command[0] != "") else {
            throw JailError(.usage, reason: "no command is given", hint: "write it after --")
        }
        let directories = try Self.profileDirectories()
        let profile: Profile
        if let loaded { profile = loaded } else { profile = try loadProfile(directories) }
        return try makePlan(
            of: profile, directories, session: session, isBackground: isBackground, named: first?.name
        ).plan
    }

    /// What the jail would be, for questions about it: of a jail without a command too, and of one that cannot start here for
    /// want of groups or limits.
    func makeDecisions() throws(JailError) -> JailDecisions {
        let directories = try Self.profileDirectories()
        var profile = try loadProfile(directories)
        profile.optional.formUnion([.groups, .cgroup, .time, .apparmor])
        let (plan, request) = try makePlan(of: profile, directories)
        return JailDecisions(plan, of: profile, host: try HostSight(request, for: plan))
    }

    private func makePlan(
        of profile: Profile, _ directories: [String], session: SessionPlan? = nil, isBackground: Bool = false,
        named given: String? = nil
    ) throws(JailError) -> (plan: LaunchPlan, request: HostRequest) {
        var request = try HostRequest.fromEnvironment(profile: profile, command: command)
        request.user = overrides.user
        request.profileDirectories = directories
        request.outlivesCaller = isBackground
        request.workspace = profile.filesystem.workspaceSource
        let facts = try HostFacts.gather(request)
        let name: String
        if let given { name = given } else { name = try jailName(profile) }
        var launch = LaunchRequest(name: name, arguments: command, bootID: try Self.randomUUID())
        launch.terminal = terminal
        launch.isNamed = self.name != nil || Self.keepsState(profile)
        launch.egressGroup = egressGroup
        if let sessions = profile.sessions {
            launch.sessionProfile = try Self.loader(directories).load(sessions.profile)
        }
        launch.commandProfiles = try Self.commandProfiles(of: profile, directories)
        launch.prices = try Self.prices(for: profile, directories)
        launch.session = session
        launch.environment = Self.passed(by: profile)
        return (try Planner.plan(profile, on: facts, for: launch), request)
    }

    /// The profiles that commands of a profile have jails of.
    static func commandProfiles(
        of profile: Profile, _ directories: [String]
    ) throws(JailError) -> [String: Profile] {
        var profiles: [String: Profile] = [:]
        for case .profile(let name) in profile.commands.rules.map(\.place) where profiles[name] == nil {
            profiles[name] = try loader(directories).load(name)
        }
        return profiles
    }

    /// Of the caller's variables those that a jail may get. The others are not even copied: one may hold a secret.
    static func passed(by profile: Profile) -> [EnvironmentVariable] {
        (profile.process.passEnvironment + ["TERM"]).compactMap { name in
            System.environmentValue(name).map { EnvironmentVariable(name: name, value: $0) }
        }
    }

    /// The profile's, if the jail has state that the next one of that name is to find again; otherwise one of its own.
    private func jailName(_ profile: Profile) throws(JailError) -> String {
        if let name { return name }
        if Self.keepsState(profile) { return profile.name }
        return try Self.randomName(profile.name)
    }

    private static func keepsState(_ profile: Profile) -> Bool {
        profile.filesystem.data != nil || profile.filesystem.hasReview
    }

    /// A name that nobody else has.
    static func randomName(_ prefix: String) throws(JailError) -> String {
        "\(prefix.prefix(39))-\(hex(try random(4)))"
    }

    static func randomUUID() throws(JailError) -> String {
        var bytes = try random(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let digits = Array(hex(bytes))
        let groups = [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
        return groups.joined(separator: "-")
    }

    private static func random(_ count: Int) throws(JailError) -> [UInt8] {
        try attempt(.plan) { () throws(SystemError) in try System.randomBytes(count) }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
