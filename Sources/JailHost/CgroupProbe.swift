internal import JailCore
package import JailPlan

/// Where clawjail stands among the cgroups, and whether it may make groups below. See cgroups(7).
package enum CgroupProbe {
    /// Controllers that the limits of a profile need.
    private static let wanted = ["memory", "pids", "cpu"]

    package static func examine(
        mount: String = "/sys/fs/cgroup", membership: String = "/proc/self/cgroup"
    ) -> CgroupFacts {
        guard let text = try? System.readFile(membership) else {
            return .unavailable(reason: "\(membership) cannot be read")
        }
        let lines = Membership.parse(text)
        guard let type = try? System.fileSystem(at: mount).type else {
            return .unavailable(reason: "no cgroup file system is mounted at \(mount)")
        }
        return type == FileSystemStatus.cgroup2 ? unified(mount, lines) : separate(mount, lines)
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

    private static func unified(_ mount: String, _ lines: [Membership]) -> CgroupFacts {
        guard let line = lines.first(where: { $0.controllers.isEmpty }) else {
            return .unavailable(reason: "this process is in no cgroup of version 2")
        }
        if let reason = obstacle(mount, line.path, controlFile: "cgroup.procs") { return .unavailable(reason: reason) }
        let directory = line.path == "/" ? mount : mount + line.path
        let text = (try? System.readFile(directory + "/cgroup.controllers")) ?? []
        let controllers = text.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A }).map { String(decoding: $0, as: UTF8.self) }
        return .v2(directory: directory, controllers: Set(controllers))
    }

    /// Version 1, and hybrid hosts, whose version 2 hierarchy has no controllers.
    private static func separate(_ mount: String, _ lines: [Membership]) -> CgroupFacts {
        var directories: [String: String] = [:]
        for controller in wanted {
            guard let line = lines.first(where: { $0.controllers.contains(controller) }),
                let hierarchy = hierarchy(mount, controller, line)
            else { continue }
            if let reason = obstacle(hierarchy, line.path, controlFile: "tasks") { return .unavailable(reason: reason) }
            directories[controller] = line.path == "/" ? hierarchy : hierarchy + line.path
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

    /// Why no cgroups can be made below our own; nil if they can.
    private static func obstacle(_ mount: String, _ path: String, controlFile: String) -> String? {
        // In a container the kernel may name a group that lies outside of what is mounted; `..` says so outright.
        guard Paths.isCanonicalText(path) else {
            return "our own cgroup '\(path.printable)' lies outside of what is mounted at \(mount), as in a container"
        }
        let directory = path == "/" ? mount : mount + path
        guard (try? System.status(directory).isDirectory) == true else {
            return "our own cgroup '\(path.printable)' is not to be found below \(mount), as in a container"
        }
        guard System.mayAccess(directory, 3), System.mayAccess(directory + "/" + controlFile, 2) else {
            return "this user may not make cgroups in '\(directory.printable)': start with "
                + "'systemd-run --user --scope -p Delegate=yes clawjail …', or in a unit with Delegate=yes"
        }
        guard holdsUs(directory + "/" + controlFile) else {
            return "'\(directory.printable)' is not our own cgroup although the kernel names it so, as in a container"
        }
        return nil
    }

    /// Whether the group lists this process. A path alone proves nothing where the mount shows another part of the
    /// hierarchy than /proc does.
    private static func holdsUs(_ file: String) -> Bool {
        guard let text = try? System.readFile(file, limit: 8 << 20) else { return false }
        let own = Array(String(System.processID).utf8)
        return text.split(separator: 0x0A).contains { $0.elementsEqual(own) }
    }
}
