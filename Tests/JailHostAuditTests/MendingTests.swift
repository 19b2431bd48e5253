import JailCore
import TestSupport
import Testing

@testable import JailHostAudit

/// What `--fix` does to files, as whoever runs the tests.
@Suite struct MendingTests {
    private let directory: TemporaryDirectory
    private let view: HostView

    init() throws {
        directory = try TemporaryDirectory()
        view = try HostView(root: directory.path)
    }

    private func fix(_ name: String, taking bits: UInt32 = 0o077) throws -> ModeFix {
        guard case .found(let found) = view.look("/\(name)"), let fix = ModeFix(found, taking: bits) else {
            throw PreparedHost.Missing(text: name)
        }
        return fix
    }

    private func mode(_ name: String) throws -> UInt32 { try System.status("\(directory.path)/\(name)").permissions }

    private func refusal(_ fix: ModeFix, uid: UInt32 = System.effectiveUserID) -> ModeMender.Refusal? {
        do throws(ModeMender.Refusal) {
            try ModeMender.perform(fix, in: view, as: uid)
            return nil
        } catch { return error }
    }

    @Test func `files and directories lose bits, and gain none`() throws {
        try directory.file("a")
        try directory.directory("d")
        try System.changeMode("\(directory.path)/a", 0o4646)
        #expect(refusal(try fix("a")) == nil)
        #expect(try mode("a") == 0o4600)
        #expect(refusal(try fix("d")) == nil)
        #expect(try mode("d") == 0o700)
    }

    @Test func `there is no fix of a link, a FIFO, or what is closed already`() throws {
        try directory.file("a")
        try System.makeSymlink("\(directory.path)/link", to: "a")
        _ = try Program.run("/usr/bin/mkfifo", ["-m", "666", "\(directory.path)/fifo"])
        for name in ["link", "fifo"] {
            guard case .found(let found) = view.look("/\(name)") else { throw PreparedHost.Missing(text: name) }
            #expect(ModeFix(found, taking: 0o077) == nil)
        }
        guard case .found(let found) = view.look("/a") else { throw PreparedHost.Missing(text: "a") }
        #expect(ModeFix(found, taking: 0o1000) == nil)
    }

    @Test func `a link that has come in its place is not followed`() throws {
        try directory.file("a")
        try directory.file("b")
        let fix = try fix("a")
        try System.unlink("\(directory.path)/a")
        try System.makeSymlink("\(directory.path)/a", to: "b")
        #expect(refusal(fix) != nil)
        #expect(try mode("b") == 0o644)
    }

    @Test func `a link that has come in the place of a directory above is not followed`() throws {
        try directory.directory("d")
        try directory.directory("e")
        try directory.file("d/a")
        try directory.file("e/a")
        let fix = try fix("d/a")
        try System.rename("\(directory.path)/d", to: "\(directory.path)/old")
        try System.makeSymlink("\(directory.path)/d", to: "e")
        #expect(refusal(fix) != nil)
        #expect(try mode("e/a") == 0o644)
        #expect(try mode("old/a") == 0o644)
    }

    @Test func `another file, another mode, another owner, another name: nothing is changed`() throws {
        try directory.file("a")
        let first = try fix("a")
        try System.changeMode("\(directory.path)/a", 0o604)
        #expect(refusal(first) == .changed)
        let second = try fix("a")
        try System.rename("\(directory.path)/a", to: "\(directory.path)/b")
        try directory.file("a")
        try System.changeMode("\(directory.path)/a", 0o604)
        #expect(refusal(second) == .changed)
        #expect(refusal(try fix("a"), uid: System.effectiveUserID + 1) == .notOwn)
        _ = try Program.run("/bin/ln", ["\(directory.path)/a", "\(directory.path)/c"])
        #expect(refusal(try fix("a")) == .linked)
        #expect(try mode("a") == 0o604)
    }

    @Test(.needsRoot) func `root mends nothing of another user's, and nothing that a user's link leads to`() throws {
        let host = try PreparedHost()
        try host.mode(PreparedHost.state, 0o755)
        #expect(try host.findings().flatMap(\.fixes) == [])
        // The same as the user that it belongs to.
        let own = HostAudit.findings(try host.picture(callerUID: PreparedHost.user))
        #expect(own.flatMap(\.fixes).map(\.path) == [PreparedHost.state])
        // alice says that /etc is her state directory.
        try host.makeDirectories("/home/alice")
        try host.own("/home/alice", 1000)
        try host.link("/home/alice/.openclaw", to: "/etc")
        try host.own("/home/alice/.openclaw", 1000)
        let found = try host.findings()
        #expect(found.contains { $0.check == .stateLink && $0.subject == "/home/alice/.openclaw" })
        #expect(found.flatMap(\.fixes) == [])
    }

    @Test(.needsRoot) func `a process cannot name a directory of another user's as its state`() throws {
        let host = try PreparedHost()
        try host.replace("/proc/102/status", "NSpid:\t102\t2", by: "NSpid:\t102")
        try host.makeDirectories("/srv/other")
        try host.write("/proc/102/environ", "OPENCLAW_STATE_DIR=/srv/other\0")
        #expect(try host.picture().states.map(\.path) == [PreparedHost.state])
        try host.own("/srv/other")
        #expect(Set(try host.picture().states.map(\.path)) == [PreparedHost.state, "/srv/other"])
    }
}
