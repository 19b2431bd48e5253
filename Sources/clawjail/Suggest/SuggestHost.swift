import JailCore
import JailHost
import JailLearning
import JailPlan
import JailPolicy

extension HostLook {
    /// This host, as whoever asks sees it.
    static func here(for profile: Profile) throws(JailError) -> HostLook {
        let request = try HostRequest.fromEnvironment(profile: profile, command: [])
        let caller = try CallerFacts.current()
        let accounts = try Accounts()
        var homes: [String] = []
        let users = [accounts.user(String(caller.uid))?.home, profile.process.user.flatMap { accounts.user($0)?.home }]
        for home in [request.home] + users {
            guard let home, home.hasPrefix("/") else { continue }
            for path in [home, canonical(home) ?? home] where !homes.contains(path) { homes.append(path) }
        }
        let boundaries = Boundaries(
            homes: homes, policy: profile.files + (try Invocation.profileDirectories()),
            ownDirectories: [request.stateDirectory(caller), request.runtimeDirectory(caller)])
        let searchPath = (request.searchPath ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":").map(String.init)
        return HostLook(
            kind: { kind($0) },
            hasProgram: { name in
                searchPath.contains { directory in
                    let path = "\(directory)/\(name)"
                    return directory.hasPrefix("/") && kind(path) == .file && System.mayAccess(path, 1)
                }
            },
            // A link is judged by where it leads, and a path that leads nowhere by itself.
            boundary: { path, writable in
                boundaries.refusal(of: path, writable: writable)
                    ?? canonical(path).flatMap { boundaries.refusal(of: $0, writable: writable) }
            },
            homes: homes)
    }

    private static func canonical(_ path: String) -> String? {
        var tree = HostTree()
        return (try? tree.resolve(path))?.path
    }

    private static func kind(_ path: String) -> Kind {
        guard let status = try? System.status(path, followSymlink: true) else { return .missing }
        return switch status.kind {
        case .regular: .file
        case .directory: .directory
        case .socket: .socket
        default: .other
        }
    }
}
