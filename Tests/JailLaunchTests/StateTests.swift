import JailCore
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `What a jail leaves word of` {
    static func cgroup(_ place: CgroupPlan.Place) -> LaunchPlan {
        .bare { $0.limits.cgroup = CgroupPlan(place: place, name: "clawjail-jail", swap: 0) }
    }

    @Test func `every control group is named`() {
        #expect(
            JailState(Self.cgroup(.v1(parents: [.memory: "/sys/fs/cgroup/memory/a", .cpu: "/sys/fs/cgroup/cpu/b"])))
                .cgroupList == "/sys/fs/cgroup/memory/a/clawjail-jail\n/sys/fs/cgroup/cpu/b/clawjail-jail\n")
        #expect(
            JailState(Self.cgroup(.v2(parent: "/sys/fs/cgroup/a"))).cgroupList
                == "/sys/fs/cgroup/a/clawjail-jail\n")
        #expect(JailState(.bare()).cgroupList.isEmpty)
    }

    /// The kernel removes only empty control groups, but an ordinary directory would go as well.
    @Test(arguments: [
        "%", "%/plain", "/sys/fs/cgroup/../../..%/clawjail-x", "/sys/fs/cgroup/x/../../../..%/clawjail-x",
        "%/sys/fs/cgroup/clawjail-x",
    ])
    func `only clawjail's own names below the cgroup file system are accepted`(pattern: String) throws {
        let host = try TemporaryDirectory()
        try host.directory("clawjail-x")
        try host.directory("plain")
        let path = pattern.split(separator: "%", omittingEmptySubsequences: false).joined(separator: host.path)
        #expect(JailState.removeCgroups(Array("\(path)\n\(path)/clawjail-x\n".utf8)))
        #expect(try host.names() == ["clawjail-x", "plain"])
    }

    @Test func `groups that are gone are no trouble, nor are bytes that mean nothing`() {
        #expect(JailState.removeCgroups(Array("/sys/fs/cgroup/memory/clawjail-there-is-none\n".utf8)))
        #expect(JailState.removeCgroups([]))
        #expect(JailState.removeCgroups([0xFF, 0, 0x0A, 0xFE]))
    }

    @Test func `the state names jail, profile and command`() {
        let text = JailState(.bare { $0.command.arguments = ["a", "b\n"] }).json.text()
        #expect(text.hasPrefix(#"{"version":1,"name":"jail","profile":"bare","supervisor":"#))
        #expect(text.contains(#""command":["a","b\n"]"#))
    }

    @Test func `a log is put aside before it is too large`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            let output = try System.duplicate(.standardOutput, atLeast: 10)
            let errors = try System.duplicate(.standardError, atLeast: 10)
            let log = try OutputLog(.init(directory: host.path + "/logs", name: "jail"))
            // The log has taken their place; what this test says goes where it went before.
            try System.duplicate(output.borrowed, to: 1, closeOnExec: false)
            try System.duplicate(errors.borrowed, to: 2, closeOnExec: false)
            let line = String(repeating: "x", count: (1 << 20) - 1)
            for _ in 0..<40 { log.note(line) }
            let sizes = try ["jail.log", "jail.log.1"].map { try System.status("\(host.path)/logs/\($0)").size }
            #expect(sizes.allSatisfy { $0 <= UInt64(OutputLog.capacity) }, "\(sizes)")
            #expect(sizes.reduce(0, +) >= UInt64(OutputLog.capacity))
            let logs = try System.open(host.path + "/logs", [.readOnly, .directory])
            #expect(try System.names(in: logs.borrowed).count == 2)
            #expect(try System.status(host.path + "/logs/jail.log").permissions == 0o600)
        }
    }

    @Test func `a log that is a symlink is not written`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            try host.file("victim", "keep")
            try host.directory("logs", mode: 0o700)
            try System.makeSymlink("\(host.path)/logs/jail.log", to: "../victim")
            #expect(throws: JailError.self) { _ = try OutputLog(.init(directory: host.path + "/logs", name: "jail")) }
            #expect(try host.read("victim") == "keep")
        }
    }
}
