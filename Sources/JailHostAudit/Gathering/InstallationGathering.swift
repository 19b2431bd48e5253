internal import JailCore
internal import JailHost

/// What a gateway is executed from: its entry file, its package, its interpreter, as they are on the host.
struct InstallationGathering {
    let view: HostView

    static let standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    func ways(_ files: ProcessFiles, _ words: [String], _ searchPath: String?) -> [Way] {
        var result: [Way] = []
        let named = words.first { $0.hasPrefix("/") && $0.lastComponent.hasPrefix("openclaw") }
        if let entry = named.flatMap(view.way) ?? search("openclaw", searchPath ?? Self.standardPath) {
            result.append(entry)
            result += package(of: entry)
        }
        if let program = files.link("exe"), Paths.isCanonicalText(program), let way = view.way(program) {
            result.append(way)
        }
        return result
    }

    private func search(_ name: String, _ searchPath: String) -> Way? {
        for directory in searchPath.split(separator: ":").prefix(64) where directory.hasPrefix("/") {
            if let way = view.way(Paths.join(String(directory), name)) { return way }
        }
        return nil
    }

    /// The nearest directory above that is called as the package is, and what is in it that is loaded.
    private func package(of entry: Way) -> [Way] {
        guard let home = entry.directories.last(where: { $0.path.lastComponent == "openclaw" }) else { return [] }
        return ["", "/dist", "/node_modules", "/package.json"].compactMap { view.way(home.path + $0) }
    }
}

/// Sockets by which a container engine takes orders.
enum EngineSockets {
    static let paths = [
        "/run/docker.sock", "/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/podman/podman.sock",
        "/run/crio/crio.sock", "/var/lib/lxd/unix.socket", "/var/snap/lxd/common/lxd/unix.socket",
        "/var/lib/incus/unix.socket",
    ]
    static let names: Set<String> = ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"]
}

extension HostPicture {
    private static let mostHelpers = 20_000

    mutating func gatherPrograms(_ view: HostView) {
        var seen: Set<String> = []
        engineSockets = EngineSockets.paths.compactMap(view.way).filter {
            $0.end.kind == .socket && seen.insert($0.canonical).inserted
        }
        let own = surroundings.compactMap(\.searchPath)
        let names = (own.isEmpty ? [InstallationGathering.standardPath] : own).flatMap {
            $0.split(separator: ":", omittingEmptySubsequences: false).prefix(64).map(String.init)
        }
        var known: Set<String> = []
        searchPath = names.filter { known.insert($0).inserted }.prefix(128).map {
            SearchDirectory(name: $0.printable, way: $0.hasPrefix("/") ? view.way($0) : nil)
        }
        gatherHelpers(view)
    }

    /// In the directories where programs are looked for: the host's own, whatever a gateway has in its PATH.
    private mutating func gatherHelpers(_ view: HostView) {
        let standard = InstallationGathering.standardPath.split(separator: ":").map(String.init).compactMap(view.way)
        var directories: Set<String> = []
        var left = Self.mostHelpers
        for way in standard + searchPath.compactMap(\.way) where directories.insert(way.canonical).inserted {
            for name in view.names(way.canonical) ?? [] {
                left -= 1
                guard left >= 0 else {
                    return view.remember("only \(Self.mostHelpers) programs were looked at for set-user-ID bits")
                }
                guard case .found(let file) = view.look(Paths.join(way.canonical, name)), file.kind == .regular,
                    file.permissions & 0o6000 != 0, file.permissions & 0o111 != 0
                else { continue }
                helpers.append(file)
            }
        }
    }
}
