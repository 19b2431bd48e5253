import JailCore
import TestSupport

@testable import JailHostAudit

/// A directory that looks like a host: a gateway in a jail, its state, a unit, a kernel. Nothing is wrong with it.
final class PreparedHost {
    private let directory: TemporaryDirectory
    var root: String { directory.path }

    static let user: UInt32 = 990
    static let now: Int64 = 1_800_000_000
    static let state = "/srv/claw/.openclaw"
    static let configuration = "\(state)/openclaw.json"
    static let unit = "/etc/systemd/system/openclaw-gateway.service"

    init() throws {
        directory = try TemporaryDirectory(mode: 0o755)
        try makeAccounts()
        try makeKernel()
        try makeProcesses()
        try makePrograms()
        try makeState()
        try write(
            Self.unit,
            """
            [Service]
            ExecStart=/usr/bin/openclaw gateway
            User=claw
            NoNewPrivileges=yes
            ProtectSystem=strict
            ProtectHome=yes
            PrivateTmp=yes
            CapabilityBoundingSet=
            PrivateDevices=yes
            ProtectKernelTunables=yes
            ProtectKernelModules=yes
            ProtectControlGroups=yes
            RestrictSUIDSGID=yes
            RestrictRealtime=yes
            LockPersonality=yes
            RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
            SystemCallFilter=@system-service
            UMask=0077

            """)
        try write("/var/lib/clawjail/snapshots/gw/20270114T000000Z.json", "{ time: \(Self.now - 86_400) }")
    }

    // MARK: Changing it

    func write(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
        try makeDirectories(path.parentPath)
        try? System.unlink(root + path)
        let file = try System.open(root + path, [.writeOnly, .create, .exclusive], mode: 0o600)
        try System.writeAll(file.borrowed, text)
        try System.changeMode(root + path, mode)
    }

    func read(_ path: String) throws -> String { String(decoding: try System.readFile(root + path), as: UTF8.self) }

    func replace(_ path: String, _ old: String, by new: String) throws {
        let text = try read(path)
        guard text.contains(old) else { throw Missing(text: "\(old) in \(path)") }
        let status = try System.status(root + path)
        try write(path, text.replacing(old, with: new), mode: status.permissions)
        try System.changeOwner(root + path, uid: status.uid, gid: status.gid)
    }

    struct Missing: Error { let text: String }

    func makeDirectories(_ path: String, mode: UInt32 = 0o755) throws {
        guard path != "/" else { return }
        try makeDirectories(path.parentPath)
        do { try System.makeDirectory(root + path, mode: mode) } catch  where error.errno == .exists { return }
        try System.changeMode(root + path, mode)
    }

    func link(_ path: String, to target: String) throws {
        try makeDirectories(path.parentPath)
        try? System.unlink(root + path)
        try System.makeSymlink(root + path, to: target)
    }

    func mode(_ path: String, _ mode: UInt32) throws { try System.changeMode(root + path, mode) }
    func own(_ path: String, _ uid: UInt32 = user) throws { try System.changeOwner(root + path, uid: uid, gid: uid) }
    func remove(_ path: String) throws { try System.unlink(root + path) }

    /// A file of the state's, as the gateway's user would make it.
    func keep(_ name: String, _ text: String = "", mode: UInt32 = 0o600) throws {
        let path = "\(Self.state)/\(name)"
        var missing: [String] = []
        var above = path.parentPath
        while (try? System.status(root + above)) == nil {
            missing.append(above)
            above = above.parentPath
        }
        try makeDirectories(path.parentPath, mode: 0o700)
        for directory in missing {
            try own(directory)
            try self.mode(directory, 0o700)
        }
        try write(path, text, mode: mode)
        try own(path)
    }

    /// Another setting at the top of the configuration.
    func configure(_ text: String) throws { try replace(Self.configuration, "{ //", by: "{ // \n \(text),") }

    // MARK: Looking at it

    func picture(callerUID: UInt32 = 0) throws -> HostPicture {
        try HostPicture.gather(AuditRequest(callerUID: callerUID, now: Self.now), in: HostView(root: root))
    }

    func findings() throws -> [HostFinding] { HostAudit.findings(try picture()) }
    func ids() throws -> [String] { try findings().map(\.check.id) }
}

extension PreparedHost {
    private func makeAccounts() throws {
        try write(
            "/etc/passwd",
            """
            root:x:0:0::/root:/bin/sh
            claw:x:990:990::/srv/claw:/usr/sbin/nologin
            alice:x:1000:1000::/home/alice:/bin/bash

            """)
        try write("/etc/group", "root:x:0:\nclaw:x:990:\nalice:x:1000:\ndocker:x:800:\nadm:x:4:\n")
        for path in ["/root", "/home", "/var/lib", "/run", "/usr/local/bin", "/usr/sbin"] { try makeDirectories(path) }
        try makeDirectories("/tmp", mode: 0o1777)
    }

    private func makeKernel() throws {
        for (path, text) in [
            ("/proc/sys/kernel/yama/ptrace_scope", "1\n"), ("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n"),
            ("/proc/sys/kernel/core_pattern", "core\n"),
            ("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n"),
            ("/sys/kernel/security/lsm", "lockdown,capability,yama,apparmor\n"),
            ("/proc/swaps", "Filename Type Size Used Priority\n/dev/zram0 partition 1 0 1\n"),
        ] { try write(path, text) }
    }

    /// The supervisor, jail init, and the gateway in its own namespaces.
    private func makeProcesses() throws {
        let head = "  sl  local_address rem_address   st\n"
        let own = "   0: 0100007F:4965 00000000:0000 0A 0:0 0:0 0 0 0 500 1 0\n"
        try write("/proc/self/uid_map", "0 0 4294967295\n")
        try write("/proc/net/tcp", head + own)
        try link("/proc/self/ns/net", to: "net:[1]")
        for (pid, parent, name, network) in [
            (100, 1, "clawjail", 1), (101, 100, "jail-init", 2), (102, 101, "openclaw-gatewa", 2),
        ] {
            let place = "/proc/\(pid)"
            try write("\(place)/comm", name + "\n")
            try write("\(place)/cmdline", pid == 102 ? "openclaw-gateway\0" : "\(name)\0")
            try write(
                "\(place)/status",
                """
                Name:\t\(name)
                PPid:\t\(parent)
                Uid:\t990\t990\t990\t990
                Gid:\t990\t990\t990\t990
                Groups:\t
                NSpid:\t\(pid)\t2
                CapEff:\t0000000000000000
                NoNewPrivs:\t1
                Seccomp:\t2

                """)
            try write("\(place)/environ", "PATH=/usr/bin\0HOME=/home/claw\0")
            try write("\(place)/uid_map", "0 0 4294967295\n")
            try write(
                "\(place)/limits", "Limit  Soft  Hard\nMax core file size        0                    0      bytes\n")
            try write("\(place)/attr/current", "clawjail (enforce)\n")
            try write("\(place)/mountinfo", "1 0 0:1 / / ro - tmpfs tmpfs ro\n")
            try write("\(place)/cgroup", "0::/clawjail-gw\n")
            try link("\(place)/ns/net", to: "net:[\(network)]")
            try write("\(place)/net/tcp", head + own)
            try makeDirectories("\(place)/fd")
            try link("\(place)/exe", to: "/usr/bin/node")
        }
        try link("/proc/100/fd/5", to: "socket:[500]")
        try write(
            "/run/clawjail/gw/state.json", "{ supervisor: 100, init: 101, profile: 'stateful', name: 'gw' }",
            mode: 0o600)
        try mode("/run/clawjail/gw", 0o700)
    }

    private func makePrograms() throws {
        for name in ["node", "sudo", "true"] {
            try write("/usr/bin/\(name)", "", mode: name == "sudo" ? 0o4755 : 0o755)
        }
        try link("/bin", to: "usr/bin")
        try write("/usr/lib/node_modules/openclaw/openclaw.mjs", "", mode: 0o755)
        try link("/usr/bin/openclaw", to: "../lib/node_modules/openclaw/openclaw.mjs")
    }

    private func makeState() throws {
        try makeDirectories(Self.state, mode: 0o700)
        for path in ["/srv/claw", Self.state] { try own(path) }
        try keep(
            "openclaw.json",
            """
            { //
              gateway: { bind: "loopback", auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" } },
              agents: { defaults: { sandbox: { mode: "non-main", backend: "clawjail" } } },
              channels: { telegram: { botToken: { source: "env", provider: "default", id: "BOT" } } },
            }
            """)
        for name in [
            "openclaw.json.bak", ".env", "credentials/whatsapp/creds.json", "agents/main/agent/auth-profiles.json",
            "agents/main/sessions/1.jsonl", "state/openclaw.sqlite", "logs/gateway.log",
        ] { try keep(name) }
    }
}
