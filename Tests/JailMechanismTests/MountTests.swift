import CLinux
import JailCore
import TestSupport
import Testing

@testable import JailMounts
@testable import JailNamespaces
@testable import JailPlan

@Suite(.timeLimit(.minutes(1)))
struct `The mounted tree` {
    static let namespaces: NamespaceFlags = [.user, .mount, .pid, .network, .ipc, .uts]

    static func bind(
        _ source: String, at target: String, _ attributes: MountAttributes = [.readOnly, .noSetuid, .noDevices]
    ) throws -> MountStep {
        let status = try System.status(source, followSymlink: true)
        return .bind(
            BindPlan(
                source: source, target: target, identity: status.identity, isDirectory: status.isDirectory,
                makesTarget: !status.isDirectory, attributes: attributes, purpose: .read))
    }

    static func enter(_ steps: [MountStep]) throws(SystemError) {
        var tree = MountTree(steps)
        try tree.cloneData()
        try tree.cloneSources()
        try tree.build()
        try tree.enter()
    }

    @Test func `a read-only bind is not written, and stays read-only for a payload`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o777)
            try host.file("f", "host")
            let steps: [MountStep] = [.directory(path: "/d", mode: 0o755), try Self.bind(host.path, at: "/d")]
            try Child.run(in: Self.namespaces) {
                try Self.enter(steps)
                try requireEqual(try text("/d/f"), "host")
                try requireFailure(.readOnly) { () throws(SystemError) in
                    _ = try System.open("/d/new", [.writeOnly, .create], mode: 0o600)
                }
                try requireFailure(.readOnly) { () throws(SystemError) in _ = try System.open("/d/f", .writeOnly) }
                try System.setCapabilities(.empty)
                let mount = try System.open("/d", [.pathOnly, .directory])
                try requireEqual(cl_mount_setattr(mount.borrowed.number, 0x1000, 0, 1, 0), -1)
            }
            #expect(try host.names() == ["f"])
        }
    }

    @Test func `a writable bind is written, without programs, devices and set-uid`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o777)
            let steps: [MountStep] = [
                .directory(path: "/d", mode: 0o755), .directory(path: "/proc", mode: 0o755), .proc(path: "/proc"),
                try Self.bind(host.path, at: "/d", [.noSetuid, .noDevices, .noExec]),
            ]
            try Child.run(in: Self.namespaces) {
                try Self.enter(steps)
                let file = try System.open("/d/new", [.writeOnly, .create], mode: 0o700)
                try System.writeAll(file.borrowed, "x")
                let line = try text("/proc/self/mountinfo").split(separator: "\n").first { $0.contains(" /d ") } ?? ""
                try require(line.contains(" rw,nosuid,nodev,noexec"), "\(line)")
            }
            #expect(try host.names() == ["new"])
        }
    }

    @Test(.needsRoot) func `no mount receives what the host mounts later`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o755)
            let steps: [MountStep] = [
                .directory(path: "/proc", mode: 0o755), .proc(path: "/proc"), .directory(path: "/d", mode: 0o755),
                .directory(path: "/t", mode: 0o755),
                .tmpfs(TmpfsPlan(target: "/t", size: 1 << 20, inodes: 1024, mode: 0o755, attributes: [.noSetuid])),
                try Self.bind(host.path, at: "/d"), .cover(path: "/proc/version", content: "x"),
            ]
            // A host whose mounts are all shared, as systemd makes them.
            let share: () throws -> Void = {
                try System.unshare(.mount)
                let root = try System.open("/", [.pathOnly, .directory])
                try requireEqual(cl_mount_setattr(root.borrowed.number, 0x9000, 0, 0, 1 << 20), 0)
            }
            try Child.run(in: Self.namespaces, prepare: share) {
                try require(try text("/proc/self/mountinfo").contains(" master:"), "the host's mounts are not shared")
                try Self.enter(steps)
                let mounts = try text("/proc/self/mountinfo")
                try require(!mounts.contains(" master:") && !mounts.contains(" shared:"), mounts)
                // Root, /proc, its cover, /t and /d: nothing of the host is left.
                try requireEqual(mounts.split(separator: "\n").count, 5)
            }
        }
    }

    @Test func `a target is never reached through a symlink`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o777)
            try host.directory("real")
            try host.file("real/f")
            try System.makeSymlink("\(host.path)/link", to: "real")
            try System.makeSymlink("\(host.path)/file", to: "real/f")
            for target in ["/d/link", "/d/link/f", "/d/file"] {
                let steps: [MountStep] = [
                    .directory(path: "/d", mode: 0o755), try Self.bind(host.path, at: "/d"),
                    try Self.bind(target == "/d/link" ? host.path : "\(host.path)/real/f", at: target),
                ]
                var plain = steps
                if case .bind(var bind) = plain[2] {
                    bind.makesTarget = false
                    plain[2] = .bind(bind)
                }
                try Child.run(in: Self.namespaces) {
                    try requireFailure(.symlinkLoop) { () throws(SystemError) in try Self.enter(plain) }
                }
            }
        }
    }

    @Test func `a source that was replaced since the plan is refused`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o755)
            try host.directory("other")
            let steps: [MountStep] = [
                .directory(path: "/d", mode: 0o755), try Self.bind(try host.directory("source"), at: "/d"),
            ]
            try System.rename("\(host.path)/source", to: "\(host.path)/old")
            // Another directory of that name, a symlink to another, and one to the very same.
            try host.directory("source")
            try Child.run(in: Self.namespaces) {
                try requireFailure(.stale) { () throws(SystemError) in try Self.enter(steps) }
            }
            try System.unlink("\(host.path)/source", isDirectory: true)
            for target in ["other", "old"] {
                try System.makeSymlink("\(host.path)/source", to: target)
                try Child.run(in: Self.namespaces) {
                    try requireFailure(.stale) { () throws(SystemError) in try Self.enter(steps) }
                }
                try System.unlink("\(host.path)/source")
            }
        }
    }

    @Test func `the root is read-only, and the host's is gone`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory(mode: 0o777)
            let path = host.path
            let steps: [MountStep] = [
                .directory(path: "/sub", mode: 0o755), .file(path: "/sub/f", content: "made", mode: 0o444),
                .symlink(path: "/l", target: "sub"),
            ]
            try Child.run(in: Self.namespaces) {
                let outside = try System.status("/").identity
                try Self.enter(steps)
                try requireEqual(try text("/l/f"), "made")
                try requireFailure(.readOnly) { () throws(SystemError) in try System.makeDirectory("/x", mode: 0o755) }
                try requireFailure(.readOnly) { () throws(SystemError) in try System.unlink("/sub/f") }
                try requireFailure(.notFound) { () throws(SystemError) in _ = try System.status(path) }
                try require(try System.status("/").identity != outside, "the root is the host's")
                try requireEqual(try System.status("/..").identity, try System.status("/").identity)
                let root = try System.open("/", [.readOnly, .directory])
                try requireEqual(try System.names(in: root.borrowed).map(\.name).sorted(), ["l", "sub"])
            }
        }
    }

    @Test func `a tmpfs holds as much as the plan says`() async {
        await #expect(processExitsWith: .success) {
            let tmpfs = TmpfsPlan(
                target: "/t", size: 1 << 20, inodes: 1024, mode: 0o1777, attributes: [.noSetuid, .noDevices, .noExec])
            let steps: [MountStep] = [.directory(path: "/t", mode: 0o755), .tmpfs(tmpfs)]
            try Child.run(in: Self.namespaces) {
                try Self.enter(steps)
                let status = try System.fileSystem(at: "/t")
                try requireEqual(status.blocks * status.blockSize, 1 << 20)
                try requireEqual(status.inodes, 1024)
                try requireEqual(try System.status("/t").permissions, 0o1777)
                let file = try System.open("/t/f", [.writeOnly, .create], mode: 0o600)
                try requireFailure(.noSpace) { () throws(SystemError) in
                    try System.writeAll(file.borrowed, [UInt8](repeating: 1, count: (1 << 20) + 4096))
                }
            }
        }
    }

    @Test func `a file of proc is covered, and the cover stays`() async {
        await #expect(processExitsWith: .success) {
            let steps: [MountStep] = [
                .directory(path: "/proc", mode: 0o755), .proc(path: "/proc"),
                .cover(path: "/proc/meminfo", content: "covered\n"),
            ]
            try Child.run(in: Self.namespaces) {
                try Self.enter(steps)
                try requireEqual(try text("/proc/meminfo"), "covered\n")
                try requireEqual(try text("/proc/self/stat").split(separator: " ").first, "1")
                try requireFailure(.readOnly) { () throws(SystemError) in
                    _ = try System.open("/proc/self/oom_score_adj", .writeOnly)
                }
                try requireFailure(.notFound) { () throws(SystemError) in _ = try System.status("/.cover") }
            }
        }
    }

    @Test func `a script may be executed, is its user's own, and stays as it is`() async {
        await #expect(processExitsWith: .success) {
            let steps: [MountStep] = [
                .directory(path: "/proc", mode: 0o755), .proc(path: "/proc"),
                .script(path: "/s", content: "#!/s nothing\n"), .file(path: "/f", content: "f", mode: 0o555),
            ]
            try Child.run(in: Self.namespaces) {
                try Self.enter(steps)
                try requireEqual(try text("/s"), "#!/s nothing\n")
                let status = try System.status("/s")
                try requireEqual(status.permissions, 0o555)
                try requireEqual(status.uid, System.effectiveUserID)
                let lines = try text("/proc/self/mountinfo").split(separator: "\n")
                let script = lines.first { $0.contains(" /s ") } ?? ""
                try require(script.contains(" ro,nosuid,nodev") && !script.contains("noexec"), "\(script)")
                let root = lines.first { $0.contains(" / ") } ?? ""
                try require(root.contains("noexec"), "\(root)")
                try requireFailure(.readOnly) { () throws(SystemError) in _ = try System.open("/s", .writeOnly) }
                try requireFailure(.readOnly) { () throws(SystemError) in try System.unlink("/s") }
            }
        }
    }
}
