internal import JailCore
package import JailPlan
internal import JailPolicy

/// Where clawjail stands among the cgroups, and whether it may make groups below. See cgroups(7).
package enum CgroupProbe {
    /// Controllers that the limits of a profile may need.
    package static let wanted = ["memory", "pids", "cpu"]

    /// - Parameters:
    ///   - controllers: those that are needed.
    ///   - outlivesCaller: see ``UnifiedGroup/facts(wanting:outlivesCaller:)``.
    package static func examine(
        mount: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup",
        wanting controllers: [String] = wanted, outlivesCaller: Bool = false
    ) -> CgroupFacts {
        guard let text = try? System.readFile(membership) else {
            return .unavailable(reason: "\(membership) cannot be read")
        }
        let lines = Membership.parse(text)
        guard let type = try? System.fileSystem(at: mount).type else {
            return .unavailable(reason: "no cgroup file system is mounted at \(mount)")
        }
        return type == FileSystemStatus.cgroup2
            ? unified(mount, lines).map { $0.facts(wanting: Set(controllers), outlivesCaller: outlivesCaller) }.facts
            : separate(mount, lines)
    }

    /// One line of /proc/self/cgroup.
    package struct Membership: Equatable, Sendable {
        package var controllers: [String]
        package var path: String

        /// `4:memory:/a/b`; version 2 is `0::/a/b`.
        package static func parse(_ text: [UInt8]) -> [Membership] {
            text.split(separator: 0x0A).compactMap { line in
                let fields = line.split(separator: 0x3A, maxSplits: 2, omittingEmptySubsequences: false)
                guard fields.count == 3, fields[2].first == 0x2F else { return nil }
                return Membership(
                    controllers: fields[1].split(separator: 0x2C).map { String(decoding: $0, as: UTF8.self) },
                    path: String(decoding: fields[2], as: UTF8.self))
            }
        }
    }

    private static func unified(_ mount: String, _ lines: [Membership]) -> Result<UnifiedGroup, Obstacle> {
        guard let line = lines.first(where: { $0.controllers.isEmpty }) else {
            return .failure(Obstacle("this process is in no cgroup of version 2"))
        }
        let mounts = MountTable()
        let root = mounts.root(of: mount)
        let group = UnifiedGroup.read(line.path, mount: mount, isWhole: root == "/") { path in
            guard let root, let directory = place(path, root: root, mount: mount),
                (try? System.status(directory).isDirectory) == true
            else { return nil }
            return directory
        }
        if let group { return .success(group) }
        return .failure(
            Obstacle(
                "our own cgroup '\(line.path.printable)' lies outside of what is mounted at \(mount), as in a container"
            ))
    }

    /// Version 1, and hybrid hosts, whose version 2 hierarchy has no controllers.
    private static func separate(_ mount: String, _ lines: [Membership]) -> CgroupFacts {
        var directories: [String: String] = [:]
        let mounts = MountTable()
        for controller in wanted {
            guard let line = lines.first(where: { $0.controllers.contains(controller) }),
                let hierarchy = hierarchy(mount, controller, line)
            else { continue }
            switch own(hierarchy, line.path, controlFile: "tasks", mounts: mounts) {
            case .failure(let obstacle): return .unavailable(reason: obstacle.reason)
            case .success(let directory): directories[controller] = directory
            }
        }
        guard !directories.isEmpty else {
            return .unavailable(reason: "none of the controllers memory, pids and cpu is mounted below \(mount)")
        }
        return .v1(directories: directories)
    }

    /// The directory that a controller is mounted at: its own name, or the names that it is mounted with together.
    private static func hierarchy(_ mount: String, _ controller: String, _ line: Membership) -> String? {
        for name in [line.controllers.joined(separator: ","), controller] {
            let path = mount + "/" + name
            guard (try? System.status(path).isDirectory) == true,
                (try? System.fileSystem(at: path).type) == FileSystemStatus.cgroup1
            else { continue }
            return path
        }
        return nil
    }

    /// Our own group's directory, or why no cgroups can be made below it.
    private static func own(
        _ hierarchy: String, _ path: String, controlFile: String, mounts: MountTable
    ) -> Result<String, Obstacle> {
        guard let root = mounts.root(of: hierarchy), let directory = place(path, root: root, mount: hierarchy) else {
            return .failure(
                Obstacle(
                    "our own cgroup '\(path.printable)' lies outside of what is mounted at \(hierarchy), "
                        + "as in a container"
                ))
        }
        guard (try? System.status(directory).isDirectory) == true else {
            return .failure(
                Obstacle("our own cgroup '\(path.printable)' is not to be found below \(hierarchy), as in a container"))
        }
        guard System.mayAccess(directory, 3), System.mayAccess(directory + "/" + controlFile, 2) else {
            return .failure(
                Obstacle(
                    "this user may not make cgroups in '\(directory.printable)': start with "
                        + "'systemd-run --user --scope -p Delegate=yes clawjail …', or in a unit with Delegate=yes"))
        }
        return .success(directory)
    }

    /// The directory of the group `path` where the part `root` of the hierarchy is mounted at `mount`; nil if the group
    /// lies outside of it. In a container it may, and the kernel then says so with `..`, in either of them.
    package static func place(_ path: String, root: String, mount: String) -> String? {
        guard Paths.isCanonicalText(root), Paths.isCanonicalText(path), path.isInside(root) else { return nil }
        let rest = root == "/" ? path : String(path.dropFirst(root.count))
        return rest.isEmpty || rest == "/" ? mount : mount + rest
    }

    fileprivate struct Obstacle: Error {
        var reason: String
        init(_ reason: String) { self.reason = reason }
    }
}

extension Result<CgroupFacts, CgroupProbe.Obstacle> {
    fileprivate var facts: CgroupFacts {
        switch self {
        case .success(let facts): facts
        case .failure(let obstacle): .unavailable(reason: obstacle.reason)
        }
    }
}

/// Which part of a file system is mounted where: the fourth field of /proc/self/mountinfo, see proc(5). Without it the
/// path that the kernel gives for our cgroup cannot be placed below a mount point.
package struct MountTable {
    private let text: [UInt8]

    package init(_ text: [UInt8]) { self.text = text }

    package init(path: String = "/proc/self/mountinfo") {
        self.init((try? System.readFile(path, limit: 16 << 20)) ?? [])
    }

    /// The root of the uppermost mount at `point`; nil if nothing is mounted there.
    ///
    /// One pass over the bytes: a host may have thousands of mounts, and this is on the way of every launch.
    package func root(of point: String) -> String? {
        let wanted = Array(point.utf8)
        var result: Range<Int>?
        var field = 0
        var start = 0
        var root = 0..<0
        for index in text.indices {
            let byte = text[index]
            guard byte == 0x20 || byte == 0x0A else { continue }
            if field == 3 { root = start..<index }
            if field == 4, index - start == wanted.count, text[start..<index].elementsEqual(wanted) { result = root }
            field = byte == 0x0A ? 0 : field + 1
            start = index + 1
        }
        return result.map { String(decoding: text[$0], as: UTF8.self) }
    }
}
