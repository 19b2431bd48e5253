import JailCore
import TestSupport
import Testing

@testable import JailHostAudit

/// What somebody may have prepared who wants the audit to hang, to read what is not its, or to say something wrong.
@Suite(.needsRoot, .timeLimit(.minutes(3))) struct HostileTests {
    private let host: PreparedHost

    init() throws { host = try PreparedHost() }

    private var state: String { PreparedHost.state }

    @Test func `links in circles, FIFOs and sockets in the place of files`() throws {
        try host.link("\(state)/loop", to: "loop")
        try host.link("\(state)/credentials/up", to: "..")
        try host.own("\(state)/credentials/up")
        try host.link(PreparedHost.configuration, to: "openclaw.json")
        try host.own(PreparedHost.configuration)
        for name in [".env", "openclaw.json.bak", "logs/x.log"] {
            try? host.remove("\(state)/\(name)")
            _ = try Program.run("/usr/bin/mkfifo", [host.root + "\(state)/\(name)"])
            try host.own("\(state)/\(name)")
            try host.mode("\(state)/\(name)", 0o600)
        }
        for name in ["comm", "environ", "cmdline", "status", "limits", "mountinfo"] {
            try host.remove("/proc/102/\(name)")
            _ = try Program.run("/usr/bin/mkfifo", [host.root + "/proc/102/\(name)"])
        }
        #expect(Set(try host.ids()) == ["host.config.unjudged", "fs.config.symlink", "host.state_file.symlink"])
    }

    @Test func `a FIFO is not read, even if somebody has written to it`() throws {
        let path = host.root + "/etc/fifo"
        _ = try Program.run("/usr/bin/mkfifo", [path])
        let end = try System.open(path, [.readWrite, .nonBlocking])
        try System.writeAll(end.borrowed, "text")
        let view = try HostView(root: host.root)
        #expect(view.text("/etc/fifo") == nil)
        try host.write("/etc/file", "text")
        #expect(view.text("/etc/file") == "text")
        #expect(try System.read(end.borrowed, most: 16) == Array("text".utf8))
    }

    @Test func `a FIFO in the place of the configuration`() throws {
        try host.remove(PreparedHost.configuration)
        _ = try Program.run("/usr/bin/mkfifo", ["-m", "600", host.root + PreparedHost.configuration])
        try host.own(PreparedHost.configuration)
        #expect(try host.ids() == ["host.config.unjudged"])
    }

    @Test(arguments: [
        String(repeating: " ", count: 2 << 20), String(repeating: "[", count: 100_000), "{ a: 1, a: 2 }", "\0",
        "{ gateway: { auth: { token: '\u{1B}[2J' } } }",
    ])
    func `a configuration that is huge, deep, or says a thing twice`(text: String) throws {
        try host.keep("openclaw.json", text)
        let found = try host.findings()
        #expect(found.map(\.check.id) == ["host.config.unjudged"])
        #expect(!HostAudit.isGood(found))
    }

    @Test func `includes in a circle, and one that leads to what is another user's`() throws {
        try host.keep("a.json5", "{ $include: './a.json5' }")
        try host.configure("$include: './a.json5'")
        #expect(try host.ids() == ["host.config.unjudged"])
        try host.write("/etc/secret.json5", "{ gateway: { auth: { mode: 'none' } } }", mode: 0o600)
        try host.link("\(state)/b.json5", to: "/etc/secret.json5")
        try host.replace(PreparedHost.configuration, "./a.json5", by: "./b.json5")
        #expect(Set(try host.ids()) == ["host.config.unjudged", "host.state_file.symlink"])
        // Named itself, without a link.
        try host.remove("\(state)/b.json5")
        for path in ["/etc/secret.json5", "../../../etc/secret.json5"] {
            try host.keep("openclaw.json", "{ $include: '\(path)' }")
            #expect(try host.ids() == ["host.config.unjudged"])
        }
        try host.own("/etc/secret.json5")
        #expect(Set(try host.ids()) == ["gateway.loopback_no_auth", "host.sandbox.off"])
    }

    @Test func `wrong types count as not said`() throws {
        try host.keep(
            "openclaw.json",
            "{ gateway: [1], agents: { list: { a: 1 }, defaults: { sandbox: { mode: 'all', docker: [] } } }, plugins: 7, tools: { exec: 'full', elevated: { allowFrom: 3 } } }"
        )
        #expect(try host.ids() == [])
    }

    @Test func `names that write to a terminal are shown as what they are`() throws {
        let name = "agents/\u{1B}[31mred\nok        everything/sessions/x"
        try host.keep(name, mode: 0o666)
        try host.keep("credentials/\u{202E}gpj.exe", mode: 0o644)
        let report = HostReport(try host.picture())
        #expect(report.findings.count == 2)
        let text = report.text(all: false)
        #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}"))
        #expect(!text.split(separator: "\n").contains { $0.hasPrefix("ok ") })
        #expect(!report.json().text().contains("\u{1B}"))
    }

    @Test func `a name that is no UTF-8 is told`() throws {
        _ = try Program.run(
            "/bin/sh", ["-c", "cd \"$1\" && touch \"$(printf 'credentials/\\377')\"", "-", host.root + state])
        let picture = try host.picture()
        #expect(picture.notLooked.contains { $0.contains("no UTF-8") })
    }

    @Test func `a tree that is too deep or too wide is told`() throws {
        try host.keep((0..<12).map { "d\($0)" }.joined(separator: "/") + "/x")
        let script = "cd \"$1\" && mkdir wide && cd wide && seq 1 20100 | xargs touch"
        _ = try Program.run("/bin/sh", ["-c", script, "-", host.root + state])
        let picture = try host.picture()
        #expect(picture.notes.contains { $0.contains("deeper than 8") })
        #expect(picture.notes.contains { $0.contains("only 20000 names") })
    }

    @Test func `a jail that only a state file speaks of is believed as far as the kernel says the same`() throws {
        try host.replace("/proc/102/status", "NSpid:\t102\t2", by: "NSpid:\t102")
        #expect(try host.ids() == ["host.gateway.not_jailed"])
        try host.write("/run/clawjail/gw/state.json", "{ supervisor: 1e99, init: 'x' }")
        #expect(Set(try host.ids()) == ["host.gateway.not_jailed"])
    }

    @Test func `what may not be read is said`() throws {
        try host.remove("/proc/102/environ")
        try host.remove("/proc/102/ns/net")
        let picture = try host.picture()
        #expect(picture.notLooked == ["the sockets and variables of process 102"])
        #expect(!HostAudit.applies(.environmentSecret, to: picture))
        #expect(!HostAudit.applies(.listensBeyond, to: picture))
        #expect(
            HostReport(picture).text(all: false).contains("not looked at: the sockets and variables of process 102"))
    }
}
