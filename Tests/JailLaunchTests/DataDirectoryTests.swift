import JailCore
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `The data directory` {
    static func plan(_ source: String, owner: UInt32 = System.effectiveUserID) -> LaunchPlan {
        let bind = BindPlan(
            source: source, target: "/data", identity: FileIdentity(device: 0, inode: 0), isDirectory: true,
            makesTarget: false, attributes: [.noSetuid, .noDevices], purpose: .data)
        return .bare {
            $0.mounts = [.directory(path: "/data", mode: 0o755), .bind(bind)]
            $0.data = DataPlan(source: source, target: "/data", size: 1 << 20, isOwn: true)
            $0.identity.host.uid = owner
        }
    }

    @Test func `it is made for the payload alone, and the plan gets to know which one it is`() throws {
        let host = try TemporaryDirectory()
        var plan = Self.plan("\(host.path)/state/data/jail")
        try DataDirectory.prepare(&plan)
        let status = try System.status("\(host.path)/state/data/jail")
        #expect(status.permissions == 0o700)
        guard case .bind(let bind) = plan.mounts[1] else {
            Issue.record("no bind")
            return
        }
        #expect(bind.identity == status.identity)
        // The second time it is there already.
        try DataDirectory.prepare(&plan)
    }

    @Test func `one that others may write to is refused`() throws {
        let host = try TemporaryDirectory()
        for mode: UInt32 in [0o720, 0o702, 0o777] {
            var plan = Self.plan(try host.directory("d\(mode)", mode: 0o700))
            try System.changeMode("\(host.path)/d\(mode)", mode)
            let error = failure { () throws(JailError) in try DataDirectory.prepare(&plan) }
            #expect(error?.reason == "others may write to it")
        }
    }

    @Test func `one of somebody else's, a file and a symlink are refused`() throws {
        let host = try TemporaryDirectory()
        var plan = Self.plan(try host.directory("d", mode: 0o700), owner: System.effectiveUserID + 1)
        #expect(
            failure { () throws(JailError) in try DataDirectory.prepare(&plan) }?.reason.contains("belongs to") == true)
        try System.makeSymlink("\(host.path)/link", to: "d")
        for path in [try host.file("f"), "\(host.path)/link"] {
            var plan = Self.plan(path)
            #expect(failure { () throws(JailError) in try DataDirectory.prepare(&plan) }?.stage == .runtime)
        }
    }

    @Test func `its size is what is really on the disk, symlinks not followed`() throws {
        let host = try TemporaryDirectory()
        let data = try host.directory("data")
        try host.directory("data/sub")
        try host.file("data/a", String(repeating: "x", count: 100_000))
        try host.file("data/sub/b", String(repeating: "x", count: 200_000))
        try host.file("outside", String(repeating: "x", count: 4_000_000))
        try System.makeSymlink("\(data)/link", to: "../outside")
        try System.makeSymlink("\(data)/loop", to: ".")
        let sparse = try System.open("\(data)/sparse", [.writeOnly, .create], mode: 0o600)
        try System.truncate(sparse.borrowed, to: 1 << 30)
        let opened = try System.open(data, [.readOnly, .directory])
        let size = try DataDirectory.size(of: opened.borrowed, limit: .max)
        #expect((300_000...500_000).contains(size), "\(size)")
        #expect(try DataDirectory.size(of: opened.borrowed, limit: 1000) > 1000)
    }
}
