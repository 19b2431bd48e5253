import JailCore
import Testing

@testable import JailHostAudit

/// What a prepared directory cannot have, or what is clearer without one.
@Suite struct JudgementTests {
    private func view(_ path: String, _ mode: UInt32, uid: UInt32 = 0, gid: UInt32 = 0) -> FileView {
        FileView(
            path: path, kind: path.hasSuffix("sock") ? .socket : .directory, permissions: mode, uid: uid, gid: gid,
            identity: FileIdentity(device: 1, inode: 1))
    }

    @Test(arguments: [
        (UInt32(0o660), UInt32(0o755), true), (0o600, 0o755, false), (0o666, 0o755, true), (0o660, 0o700, false),
        (0o640, 0o755, false),
    ])
    func `a container engine's socket is reached by mode and groups`(socket: UInt32, above: UInt32, reached: Bool) {
        var picture = HostPicture()
        var gateway = GatewayView(pid: 7, title: "openclaw-gateway")
        gateway.uid = 990
        gateway.gids = [990, 800]
        picture.gateways = [gateway]
        let end = view("/run/docker.sock", socket, gid: 800)
        picture.engineSockets = [
            Way(named: end.path, canonical: end.path, directories: [view("/", 0o755), view("/run", above)], end: end)
        ]
        #expect(HostAudit.identity(picture).contains { $0.check == .containerSocket } == reached)
    }

    @Test func `a user's own group is nobody else's`() {
        var picture = HostPicture()
        picture.accounts = [.init(name: "alice", uid: 1000, gid: 1000, home: "/home/alice", shell: "/bin/sh")]
        picture.groups = [.init(name: "alice", gid: 1000, members: [])]
        #expect(!HostAudit.isOpen(view("/home/alice", 0o775, uid: 1000, gid: 1000), picture))
        #expect(HostAudit.isOpen(view("/home/alice", 0o777, uid: 1000, gid: 1000), picture))
        picture.groups[0].members = ["bob"]
        #expect(HostAudit.isOpen(view("/home/alice", 0o775, uid: 1000, gid: 1000), picture))
        #expect(!HostAudit.isOpen(view("/tmp", 0o1777), picture))
    }

    @Test func `the worst comes first`() {
        var picture = HostPicture()
        var gateway = GatewayView(pid: 7, title: "x")
        gateway.hasNoNewPrivileges = false
        picture.gateways = [gateway]
        let severities = HostAudit.findings(picture).map(\.severity)
        #expect(severities == severities.sorted(by: >))
        #expect(severities.first == .critical && severities.last == .low)
        #expect(!HostAudit.isGood(HostAudit.findings(picture)))
        #expect(HostAudit.isGood(HostAudit.findings(HostPicture())))
    }

    @Test(arguments: [
        ("openclaw-gatewa", ["openclaw-gateway"], true), ("node", ["openclaw-gateway", ""], true),
        ("node", ["/usr/bin/node", "/usr/bin/openclaw", "gateway"], true),
        ("node", ["node", "--max-old-space-size=1", "/x/openclaw/dist/entry.js", "gateway", "run"], true),
        ("node", ["node", "/usr/bin/openclaw", "status"], false), ("node", ["node", "/x/gateway.js"], false),
        ("clawjail", ["clawjail", "run", "--", "openclaw", "gateway"], false),
        ("vi", ["vi", "openclaw", "gateway"], false),
        ("x", [], false),
    ])
    func `a gateway is known by what it calls itself, and by its entry file`(name: String, words: [String], isOne: Bool)
    {
        #expect(HostPicture.isGateway(name, words) == isOne)
    }

    @Test func `units are read as systemd reads them`() {
        let settings = HostPicture.settings(
            "# no\n[Service]\nEnvironment=\"A=b c\" \\\n  D=e\n ; no\nUser = root \nUser=\n[Install]\nUser=x\njunk\n")
        var unit = UnitView(name: "x", isOfUser: false)
        unit.settings = settings
        #expect(unit.values("Environment").flatMap(\.unitWords) == ["A=b c", "D=e"])
        #expect(unit.value("User") == nil)
        #expect(unit.says("User"))
    }

    @Test func `secrets of arguments are those that stand there themselves`() {
        #expect(SecretSize.arguments(["--token", "abc"]) == [SecretSize(name: "--token", length: 3)])
        #expect(SecretSize.arguments(["--password=abcd"]) == [SecretSize(name: "--password", length: 4)])
        for words in [
            ["--token", "--force"], ["--token=$TOKEN"], ["--token"], ["--password-file", "/x"], ["--port", "1"],
        ] {
            #expect(SecretSize.arguments(words).isEmpty)
        }
    }

    @Test func `a unit that starts clawjail has its walls inside`() {
        var unit = UnitView(name: "openclaw-gateway.service", isOfUser: false)
        unit.settings = [
            .init(section: "Service", key: "ExecStart", value: "-/usr/bin/clawjail run -- openclaw gateway")
        ]
        var picture = HostPicture()
        picture.units = [unit]
        #expect(HostAudit.unitHardening(picture) == [])
        #expect(HostAudit.unitFiles(picture) == [])
        picture.units[0].settings[0].value = "/usr/bin/openclaw gateway"
        #expect(HostAudit.unitHardening(picture).count == 6)
        #expect(HostAudit.unitFiles(picture).map(\.check) == [.unitRoot])
        // A user's service manager can give little of it.
        picture.units[0].isOfUser = true
        #expect(HostAudit.unitHardening(picture).allSatisfy { $0.severity == .low })
    }

    @Test func `capabilities in a user namespace of its own are worth less`() {
        var gateway = GatewayView(pid: 7, title: "x")
        gateway.uid = 990
        gateway.isNested = true
        gateway.capabilities = 1
        var picture = HostPicture()
        picture.gateways = [gateway]
        #expect(HostAudit.walls(picture).first { $0.check == .capabilities }?.severity == .high)
        picture.gateways[0].hasOwnUserNamespace = true
        #expect(HostAudit.walls(picture).first { $0.check == .capabilities }?.severity == .low)
    }
}
