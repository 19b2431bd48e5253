import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailExport
@testable import JailPlan

extension LaunchPlan {
    /// A plan that shows what its mounts say.
    static func showing(_ mounts: [MountStep], _ access: [LandlockPlan.Rule] = []) -> LaunchPlan {
        var plan = LaunchPlan(
            name: "jail", profile: "research",
            command: CommandPlan(
                path: "/bin/true", arguments: ["true"], environment: [], workingDirectory: "/", terminal: false),
            identity: IdentityPlan(
                host: HostIdentity(name: "x", uid: 1, gid: 1), inside: InsideIdentity(), startedByRoot: false,
                groups: .notNeeded),
            namespaces: NamespacePlan(time: false, hostName: "h"), limits: LimitPlan(resources: []),
            seccomp: SeccompPlan(variant: .strict, additional: []),
            network: NetworkPlan(publish: []), audit: AuditPlan(directory: "/state/audit/j"), stopGrace: 0,
            runtimeDirectory: "", stateDirectory: "")
        plan.mounts = mounts
        plan.access = access
        return plan
    }

    func appArmor(complain: Bool = false, abi: AppArmorProfile.ABI = .three) throws(JailError) -> String {
        try AppArmorProfile(self, name: "jail-1", isComplaining: complain, abi: abi).text()
    }
}

func bind(
    _ target: String, _ attributes: MountAttributes, isDirectory: Bool = false, purpose: BindPlan.Purpose = .read
) -> MountStep {
    .bind(
        BindPlan(
            source: "/host" + target, target: target, identity: FileIdentity(device: 1, inode: 1),
            isDirectory: isDirectory, makesTarget: true, attributes: attributes, purpose: purpose))
}

struct `An AppArmor profile of a jail` {
    static let readOnly: MountAttributes = [.readOnly, .noSetuid, .noDevices]
    static let data: MountAttributes = [.noSetuid, .noDevices, .noExec]

    /// The lines about files.
    static func files(_ mounts: [MountStep], _ access: [LandlockPlan.Rule] = []) throws -> [String] {
        let lines = try LaunchPlan.showing(mounts, access).appArmor().split(separator: "\n")
        return lines.filter { $0.hasPrefix("  \"/") }.map { String($0.dropFirst(2)) }
    }

    @Test func `allows what each mount shows, as it shows it`() throws {
        let tmpfs = TmpfsPlan(target: "/tmp", size: 1, inodes: 1, mode: 0o1777, attributes: Self.data)
        let lines = try Self.files([
            .directory(path: "/usr", mode: 0o755), .file(path: "/etc/hosts", content: "", mode: 0o444),
            .trust(path: "/run/ca.pem", file: .authority, covers: false), .symlink(path: "/bin", target: "usr/bin"),
            bind("/usr/lib/libc.so.6", Self.readOnly, purpose: .library),
            bind("/usr/share/zoneinfo", Self.readOnly.union(.noExec), isDirectory: true, purpose: .system),
            bind("/dev/null", [.readOnly, .noExec], purpose: .device), .devpts(path: "/dev/pts"), .proc(path: "/proc"),
            .cover(path: "/proc/meminfo", content: ""), .tmpfs(tmpfs),
            bind("/data", Self.data, isDirectory: true, purpose: .data), bind("/data/note", Self.data, purpose: .write),
            .pin(path: "/data/x"), .socket(path: "/run/sessions.sock"),
        ])
        #expect(
            lines == [
                #""/" r,"#, #""/usr/" r,"#, #""/etc/hosts" r,"#, #""/run/ca.pem" r,"#,
                #""/usr/lib/libc.so.6" mrk,"#,
                #""/usr/share/zoneinfo/" r,"#, #""/usr/share/zoneinfo/**" rk,"#,
                #""/dev/null" rw,"#, #""/dev/pts/" r,"#, #""/dev/pts/**" rw,"#, #""/proc/" r,"#, #""/proc/**" r,"#,
                #""/proc/meminfo" r,"#, #""/tmp/" rw,"#, #""/tmp/**" rwkl,"#,
                #""/data/" rw,"#, #""/data/**" rwkl,"#, #""/data/note" rwkl,"#, #""/run/sessions.sock" rw,"#,
            ])
    }

    @Test func `lets programs be executed, and nothing that is not one`() throws {
        let lines = try Self.files(
            [
                bind("/usr/bin/node", Self.readOnly, purpose: .program),
                bind("/usr/lib/claw", Self.readOnly, isDirectory: true, purpose: .library),
                bind("/opt/bin", Self.readOnly, isDirectory: true, purpose: .program),
                .tmpfs(TmpfsPlan(target: "/tmp", size: 1, inodes: 1, mode: 0, attributes: [.noSetuid, .noDevices])),
            ],
            [
                .init(path: "/", access: .read), .init(path: "/usr/bin/node", access: .execute),
                .init(path: "/opt/bin", access: .execute), .init(path: "/usr/lib/claw/run.mjs", access: .execute),
                .init(path: "/tmp", access: .all), .init(path: "/dev/null", access: .device),
            ])
        #expect(
            lines == [
                #""/" r,"#, #""/usr/bin/node" mrkix,"#, #""/usr/lib/claw/" r,"#, #""/usr/lib/claw/**" mrk,"#,
                #""/opt/bin/" r,"#, #""/opt/bin/**" mrkix,"#, #""/tmp/" rw,"#, #""/tmp/**" mrwklix,"#,
                #""/usr/lib/claw/run.mjs" mrix,"#, #""/usr/lib/claw/run.mjs/" r,"#,
                #""/usr/lib/claw/run.mjs/**" mrix,"#,
            ])
    }

    @Test func `grants no capability, no mount, no other profile, and only the sockets of the filter`() throws {
        let text = try LaunchPlan.showing([]).appArmor()
        let lines = text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { !$0.hasPrefix("#") }
        #expect(
            lines == [
                "abi <abi/3.0>,", "profile \"jail-1\" {", "\"/\" r,",
                "network inet stream,", "network inet dgram,", "network inet6 stream,", "network inet6 dgram,",
                "network netlink raw,", "network unix,", "unix,",
                "signal (receive),", "signal (send) peer=\"{,**//&}jail-1{,//&**}\",",
                "ptrace (trace, tracedby, read, readby) peer=\"{,**//&}jail-1{,//&**}\",",
                "include if exists <local/jail-1>", "}",
            ])
    }

    @Test func `says what it is to do about what it does not allow, and in which rules`() throws {
        let plan = LaunchPlan.showing([])
        #expect(try plan.appArmor(complain: true).contains("profile \"jail-1\" flags=(complain) {"))
        #expect(try plan.appArmor(abi: .four).contains("\nabi <abi/4.0>,\n"))
    }

    @Test(arguments: [
        ("/plain-1_2.x+y:z=a,b c", "/plain-1_2.x+y:z=a,b c"), ("/*", #"/\052"#), ("/?", #"/\077"#),
        ("/[a]", #"/\133a\135"#), ("/{a,b}", #"/\173a,b\175"#), ("/^", #"/\136"#), ("/\"", #"/\042"#),
        ("/end\\", #"/end\134"#), ("/@{x}", #"/\100\173x\175"#), ("/$x#y", #"/\044x\043y"#),
        ("/\t\u{1}", #"/\011\001"#),
        ("/\u{7F}é", #"/\177é"#), ("/(a)|b&c;<>'`~!%", #"/\050a\051\174b\046c\073\074\076\047\140\176\041\045"#),
    ])
    func `a path stands for itself, whatever is in it`(path: String, written: String) throws {
        #expect(try AppArmorFileRules.escape(path) == written)
    }

    @Test(arguments: ["/a\nb", "/a\rb", "/a\u{0}b", "/a\r\nb"])
    func `a path with a line break is refused`(path: String) {
        let error = failure { () throws(JailError) in
            _ = try LaunchPlan.showing([.directory(path: path, mode: 0)]).appArmor()
        }
        #expect(error?.stage == .plan && error?.reason.contains("line break") == true)
    }

    @Test func `nothing of the jail's profile can end the comment that names it`() throws {
        var plan = LaunchPlan.showing([])
        plan.profile = "x\n}\nprofile forged {"
        #expect(!(try plan.appArmor().contains("\n}\nprofile")))
    }
}

@Suite(.needs("apparmor_parser"))
struct `What AppArmor's own parser says of it` {
    private static let parser = Program.path(of: "apparmor_parser") ?? ""

    /// Without a kernel that would take it: -Q loads nothing, -K keeps nothing.
    private static func parse(_ text: String, _ arguments: [String] = []) throws -> Program.Result {
        let directory = try TemporaryDirectory()
        return try Program.run(parser, ["-Q", "-K"] + arguments + [try directory.file("profile", text)])
    }

    @Test func `it can tell a profile from what is none`() throws {
        #expect(try Self.parse("profile \"x\" { nonsense }").status != 0)
    }

    @Test func `a profile with everything in it is one`() throws {
        let all: MountAttributes = [.noSetuid, .noDevices]
        let plan = LaunchPlan.showing(
            [
                .proc(path: "/proc"), bind("/data", all, isDirectory: true), bind("/usr/bin/node", .readOnly),
                .tmpfs(TmpfsPlan(target: "/tmp", size: 1, inodes: 1, mode: 0, attributes: all)),
            ],
            [.init(path: "/tmp", access: .all), .init(path: "/usr/bin/node", access: .execute)])
        for complain in [false, true] {
            let result = try Self.parse(try plan.appArmor(complain: complain))
            #expect(result.status == 0, "\(result.output)")
        }
    }

    /// Whatever a name is made of: a rule for it, and for no other.
    @Test func `names of every character are rules for themselves`() throws {
        let names = (1...0x7F).filter { ![0x0A, 0x0D, 0x2F].contains($0) }.map { (code: Int) in
            "/" + String(UnicodeScalar(UInt8(code))) + "x"
        }
        let steps = names.map { MountStep.file(path: $0, content: "", mode: 0o444) }
        let result = try Self.parse(try LaunchPlan.showing(steps).appArmor())
        #expect(result.status == 0, "\(result.output)")
    }
}
