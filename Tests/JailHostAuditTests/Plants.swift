import JailCore
import TestSupport
import Testing

@testable import JailHostAudit

/// One weakness, and the id by which it is to be found.
struct Plant: Sendable, CustomTestStringConvertible {
    let id: String
    let how: String
    /// What comes with it.
    var others: Set<String> = []
    let plant: @Sendable (PreparedHost) throws -> Void

    init(
        _ id: String, _ how: String, with others: Set<String> = [],
        _ plant: @escaping @Sendable (PreparedHost) throws -> Void
    ) {
        self.id = id
        self.how = how
        self.others = others
        self.plant = plant
    }

    var testDescription: String { "\(id): \(how)" }

    private static let gateway = "/proc/102"
    private static let state = PreparedHost.state

    /// The jail is forgotten: the process is in namespaces of somebody's.
    private static func forget(_ host: PreparedHost) throws { try host.remove("/run/clawjail/gw/state.json") }

    static let processes: [Plant] = [
        Plant("host.gateway.root", "uid 0") { try $0.replace("\(gateway)/status", "Uid:\t990\t990", by: "Uid:\t0\t0") },
        Plant("host.gateway.login_user", "alice, in no jail of clawjail's") {
            try forget($0)
            try $0.replace("\(gateway)/status", "Uid:\t990\t990", by: "Uid:\t1000\t1000")
        },
        Plant("host.gateway.privileged_group", "docker among its groups") {
            try $0.replace("\(gateway)/status", "Groups:\t", by: "Groups:\t800 ")
        },
        Plant("host.gateway.privileged_group", "its user is in docker, and it is in no jail of clawjail's") {
            try forget($0)
            try $0.replace("/etc/group", "docker:x:800:", by: "docker:x:800:claw")
        },
        Plant("host.gateway.not_jailed", "the host's pid namespace") {
            try $0.replace("\(gateway)/status", "NSpid:\t102\t2", by: "NSpid:\t102")
        },
        Plant("host.gateway.new_privileges", "no_new_privs not set") {
            try $0.replace("\(gateway)/status", "NoNewPrivs:\t1", by: "NoNewPrivs:\t0")
        },
        Plant("host.gateway.no_seccomp", "no filter") {
            try $0.replace("\(gateway)/status", "Seccomp:\t2", by: "Seccomp:\t0")
        },
        Plant("host.gateway.capabilities", "one capability") {
            try $0.replace("\(gateway)/status", "CapEff:\t0000000000000000", by: "CapEff:\t0000000000200000")
        },
        Plant("host.gateway.container_socket", "docker.sock mounted into a container") {
            try forget($0)
            try $0.write("\(gateway)/mountinfo", "1 0 0:1 / /run/docker.sock rw - tmpfs tmpfs rw\n")
        },
        Plant("host.gateway.apparmor_unconfined", "unconfined, in no jail of clawjail's") {
            try forget($0)
            try $0.write("\(gateway)/attr/current", "unconfined\n")
        },
        Plant("host.gateway.core_dumps", "unlimited, in no jail of clawjail's") {
            try forget($0)
            try $0.replace("\(gateway)/limits", "size        0 ", by: "size        unlimited ")
        },
        Plant("host.gateway.secret_in_environment", "a provider's key") {
            try $0.write("\(gateway)/environ", "PATH=/usr/bin\0OPENAI_API_KEY=sk-0123456789abcdef0123\0")
        },
        Plant("host.gateway.secret_in_arguments", "--token") {
            try $0.write("\(gateway)/cmdline", "openclaw-gateway\0--token\0hunter2hunter2\0")
        },
        Plant("host.listen.non_loopback", "the jail's published port, on all addresses") {
            try $0.replace("/proc/100/net/tcp", "0100007F:4965", by: "00000000:4965")
        },
        Plant("host.listen.non_loopback", "the gateway's own, in the host's network") {
            try $0.link("\(gateway)/ns/net", to: "net:[1]")
            try $0.link("\(gateway)/fd/9", to: "socket:[501]")
            try $0.write(
                "\(gateway)/net/tcp6",
                "head\n 0: 00000000000000000000000000000000:4965 0:0 0A 0:0 0:0 0 990 0 501 1\n")
        },
        Plant("host.listen.non_loopback", "somebody else at the gateway's port") {
            try $0.write(
                "/proc/net/tcp6", "head\n 0: 00000000000000000000000000000000:4965 0:0 0A 0:0 0:0 0 33 0 777 1\n")
        },
        Plant("host.listen.extra_port", "port 9999 on loopback") {
            try $0.link("\(gateway)/ns/net", to: "net:[1]")
            try $0.link("\(gateway)/fd/9", to: "socket:[501]")
            try $0.write("\(gateway)/net/tcp", "head\n 0: 0100007F:270F 0:0 0A 0:0 0:0 0 990 0 501 1\n")
        },
    ]

    static let files: [Plant] = [
        Plant("fs.state_dir.perms_world_writable", "0777") { try $0.mode(state, 0o777) },
        Plant("fs.state_dir.perms_group_writable", "0770") { try $0.mode(state, 0o770) },
        Plant("fs.state_dir.perms_readable", "0750") { try $0.mode(state, 0o750) },
        Plant("fs.state_dir.symlink", "a link to it") {
            try System.rename($0.root + state, to: $0.root + "/srv/claw/real")
            try $0.link(state, to: "real")
        },
        Plant("host.state_dir.owner", "of another user") {
            _ = try Program.run(
                "/usr/bin/find", [$0.root + state, "-mindepth", "1", "!", "-name", "openclaw.json", "-delete"])
            try $0.own(state, 1000)
            try $0.own(PreparedHost.configuration, 1000)
        },
        Plant("fs.config.perms_writable", "0620") { try $0.mode(PreparedHost.configuration, 0o620) },
        Plant("fs.config.perms_group_readable", "0640") { try $0.mode(PreparedHost.configuration, 0o640) },
        Plant("fs.config.perms_world_readable", "a backup with 0604") {
            try $0.mode("\(state)/openclaw.json.bak", 0o604)
        },
        Plant("fs.config.symlink", "a link to another file of its user's") {
            try $0.keep("real.json5", try $0.read(PreparedHost.configuration))
            try $0.link(PreparedHost.configuration, to: "real.json5")
            try $0.own(PreparedHost.configuration)
        },
        Plant("fs.config_include.perms_writable", "0602") {
            try $0.keep("more.json5", "{}", mode: 0o602)
            try $0.configure("$include: './more.json5'")
        },
        Plant("fs.config_include.perms_world_readable", "0644") {
            try $0.keep("more.json5", "{}", mode: 0o644)
            try $0.configure("$include: ['./more.json5']")
        },
        Plant("fs.config_include.perms_group_readable", "0640, within a section") {
            try $0.keep("more.json5", "{}", mode: 0o640)
            try $0.configure("logging: { $include: './more.json5' }")
        },
        Plant("fs.auth_profiles.perms_writable", "0660") {
            try $0.mode("\(state)/agents/main/agent/auth-profiles.json", 0o660)
        },
        Plant("fs.auth_profiles.perms_readable", "0644") {
            try $0.mode("\(state)/agents/main/agent/auth-profiles.json", 0o644)
        },
        Plant("fs.credentials_dir.perms_writable", "0777") { try $0.mode("\(state)/credentials", 0o777) },
        Plant("fs.credentials_dir.perms_readable", "0755") { try $0.mode("\(state)/credentials", 0o755) },
        Plant("host.env_file.perms_writable", "0622") { try $0.mode("\(state)/.env", 0o622) },
        Plant("host.env_file.perms_readable", "0644, of a workspace") {
            try $0.keep("workspace/.env", mode: 0o644)
        },
        Plant("host.sessions.perms_writable", "0666") { try $0.mode("\(state)/agents/main/sessions/1.jsonl", 0o666) },
        Plant("host.sessions.perms_readable", "0644") { try $0.mode("\(state)/agents/main/sessions/1.jsonl", 0o644) },
        Plant("host.database.perms_writable", "0660") { try $0.mode("\(state)/state/openclaw.sqlite", 0o660) },
        Plant("host.database.perms_readable", "0644") { try $0.mode("\(state)/state/openclaw.sqlite", 0o644) },
        Plant("fs.log_file.perms_readable", "0644") { try $0.mode("\(state)/logs/gateway.log", 0o644) },
        Plant("host.log_file.perms_writable", "0622") { try $0.mode("\(state)/logs/gateway.log", 0o622) },
        Plant("host.log_dir.unsafe", "/tmp/openclaw open") {
            try $0.makeDirectories("/tmp/openclaw", mode: 0o755)
            try $0.own("/tmp/openclaw")
        },
        Plant("host.log_dir.unsafe", "/tmp/openclaw a link") { try $0.link("/tmp/openclaw", to: "/etc") },
        Plant("host.log_dir.unsafe", "/tmp/openclaw of another user") {
            try $0.makeDirectories("/tmp/openclaw", mode: 0o700)
            try $0.own("/tmp/openclaw", 1000)
        },
        Plant("host.state_file.symlink", "a link for credentials") {
            try $0.keep("elsewhere/x")
            try $0.link("\(state)/credentials/more", to: "/etc")
            try $0.own("\(state)/credentials/more")
        },
        Plant("host.state_file.owner", "of another user") { try $0.own("\(state)/.env", 1000) },
        Plant("host.path.writable", "0777 above") { try $0.mode("/srv", 0o777) },
        Plant("host.path.writable", "a group's above") {
            try System.changeOwner($0.root + "/srv", uid: 0, gid: 4)
            try $0.mode("/srv", 0o775)
        },
        Plant("host.path.owner", "another user's above") { try $0.own("/srv", 1000) },
        Plant("fs.synced_dir", "a mark of Syncthing's") { try $0.makeDirectories("/srv/claw/.stfolder") },
    ]

    static let surroundings: [Plant] = [
        Plant("host.setuid.unusual", "a program of somebody's") { try $0.write("/usr/bin/helper", "", mode: 0o4755) },
        Plant("host.setuid.unusual", "a group's") { try $0.write("/usr/sbin/helper", "", mode: 0o2755) },
        Plant("host.path.writable_directory", "/usr/local/bin open") { try $0.mode("/usr/local/bin", 0o777) },
        Plant(
            "host.path.writable_directory", "/tmp in the PATH of a gateway that is in no namespace",
            with: ["host.gateway.not_jailed"]
        ) {
            try $0.replace("\(gateway)/status", "NSpid:\t102\t2", by: "NSpid:\t102")
            try $0.write("\(gateway)/environ", "PATH=/usr/bin:/tmp\0")
        },
        Plant(
            "host.path.writable_directory", "a relative directory in the PATH of such a gateway",
            with: ["host.gateway.not_jailed"]
        ) {
            try $0.replace("\(gateway)/status", "NSpid:\t102\t2", by: "NSpid:\t102")
            try $0.write("\(gateway)/environ", "PATH=/usr/bin:.\0")
        },
        Plant("host.install.writable", "a package that everybody may write to") {
            try $0.mode("/usr/lib/node_modules/openclaw", 0o777)
        },
        Plant("host.install.owned_by_gateway", "in no jail of clawjail's, its own package") {
            try forget($0)
            try $0.own("/usr/lib/node_modules/openclaw/openclaw.mjs")
        },
        Plant("host.unit.root", "no User=") { try $0.replace(PreparedHost.unit, "User=claw", by: "") },
        Plant("host.unit.root", "User=root in a drop-in") {
            try $0.write(PreparedHost.unit + ".d/user.conf", "[Service]\nUser=root\n")
        },
        Plant("host.unit.writable", "0666") { try $0.mode(PreparedHost.unit, 0o666) },
        Plant("host.unit.writable", "a drop-in of the gateway's user") {
            try $0.write(PreparedHost.unit + ".d/own.conf", "[Service]\n")
            try $0.own(PreparedHost.unit + ".d/own.conf")
        },
        Plant("host.unit.secret", "a key in Environment=") {
            try $0.replace(PreparedHost.unit, "User=claw", by: "User=claw\nEnvironment=\"A=1\" OPENAI_API_KEY=abc")
        },
        Plant("host.unit.secret", "a token in ExecStart=") {
            try $0.replace(PreparedHost.unit, "openclaw gateway", by: "openclaw gateway --token abcdef")
        },
        Plant("host.unit.no_new_privileges", "taken back") {
            try $0.replace(PreparedHost.unit, "NoNewPrivileges=yes", by: "NoNewPrivileges=no")
        },
        Plant("host.unit.protect_system", "missing") {
            try $0.replace(PreparedHost.unit, "ProtectSystem=strict", by: "")
        },
        Plant("host.unit.protect_home", "missing") { try $0.replace(PreparedHost.unit, "ProtectHome=yes", by: "") },
        Plant("host.unit.private_tmp", "missing") { try $0.replace(PreparedHost.unit, "PrivateTmp=yes", by: "") },
        Plant("host.unit.capabilities", "missing") {
            try $0.replace(PreparedHost.unit, "CapabilityBoundingSet=", by: "")
        },
        Plant("host.unit.hardening", "one of the rest missing") {
            try $0.replace(PreparedHost.unit, "UMask=0077", by: "")
        },
        Plant("host.kernel.ptrace_scope", "0") { try $0.write("/proc/sys/kernel/yama/ptrace_scope", "0\n") },
        Plant("host.kernel.ptrace_scope", "no Yama") { try $0.remove("/proc/sys/kernel/yama/ptrace_scope") },
        Plant("host.kernel.unprivileged_bpf", "0") {
            try $0.write("/proc/sys/kernel/unprivileged_bpf_disabled", "0\n")
        },
        Plant("host.kernel.lockdown", "none") {
            try $0.write("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n")
        },
        Plant("host.kernel.no_mac", "neither") { try $0.write("/sys/kernel/security/lsm", "capability,yama\n") },
        Plant("host.kernel.core_pattern", "a handler") {
            try $0.write("/proc/sys/kernel/core_pattern", "|/bin/x %p\n")
        },
        Plant("host.swap.unencrypted", "a partition") {
            try $0.write("/proc/swaps", "Filename Type Size Used Priority\n/dev/sda2\tpartition\t1\t0\t-2\n")
        },
        Plant("host.backup.none", "no snapshot") {
            try $0.remove("/var/lib/clawjail/snapshots/gw/20270114T000000Z.json")
        },
        Plant("host.backup.old", "of 30 days ago") {
            try $0.write(
                "/var/lib/clawjail/snapshots/gw/20270114T000000Z.json", "{ time: \(PreparedHost.now - 30 * 86_400) }")
        },
    ]
}
