import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `The planned file tree` {
    static func facts(_ directories: String..., change: (inout HostFacts) -> Void = { _ in }) -> HostFacts {
        PaperHost.facts { facts in
            for path in directories { facts.add(path, isDirectory: true) }
            change(&facts)
        }
    }

    @Test func `a grant below another comes after it, and nothing is made in the host's directory`() throws {
        let profile = bare {
            $0.filesystem.write = [BindRule(source: "/srv/x/deep/er", target: "/srv/x/deep/er")]
            $0.filesystem.read = [
                BindRule(source: "/srv/x/deep", target: "/srv/x/deep"), BindRule(source: "/srv/x", target: "/srv/x"),
                BindRule(source: "/srv/file", target: "/srv/x/file"),
            ]
        }
        let facts = Self.facts("/srv/x", "/srv/x/deep", "/srv/x/deep/er") { $0.add("/srv/file") }
        let made = try plan(profile, on: facts)
        expectInvariants(made, profile)
        let grants = made.binds.filter { $0.purpose == .read || $0.purpose == .write }.map(\.target)
        #expect(grants == ["/srv/x", "/srv/x/deep", "/srv/x/file", "/srv/x/deep/er"])
        #expect(made.bind(at: "/srv/x/file")?.makesTarget == false)
        #expect(
            !made.mounts.contains { if case .directory(let path, _) = $0 { path.isBelow("/srv/x") } else { false } })
    }

    @Test func `without a shell nothing that is only read can be mapped as a program`() throws {
        for shell in [false, true] {
            let profile = bare {
                $0.process.shell = shell
                $0.filesystem.read = [BindRule(source: "/srv/x", target: "/x")]
            }
            let made = try plan(profile, on: Self.facts("/srv/x"))
            #expect(made.bind(at: "/x")?.attributes.contains(.noExec) == !shell)
        }
    }

    @Test func `a grant below a program directory makes nothing there either`() throws {
        let profile = bare { $0.filesystem.read = [BindRule(source: "/srv/f", target: "/usr/bin/f")] }
        let facts = Self.facts { facts in
            facts.closure.files = [PaperHost.file("/usr/bin", isDirectory: true, isExecutable: true)]
            facts.add("/srv/f")
        }
        let made = try plan(profile, on: facts)
        expectInvariants(made, profile)
        #expect(made.bind(at: "/usr/bin/f")?.makesTarget == false)
    }

    @Test(arguments: ["/usr/bin/node", "/usr/share/zoneinfo", "/bin", "/var/tmp"])
    func `a grant over something that is shown already is refused`(target: String) {
        let profile = bare { $0.filesystem.read = [BindRule(source: "/srv/x", target: target)] }
        let error = failure { () throws(JailError) in _ = try plan(profile, on: Self.facts("/srv/x")) }
        #expect(error?.path == target && error?.reason == "something else is shown there already")
    }

    @Test(arguments: [("/srv/other", "/usr/share"), ("/tmp", "/tmp"), ("/home", "/home"), ("/home/claw", "/home/claw")])
    func `a grant that would hide something else is refused`(source: String, target: String) {
        let profile = bare {
            $0.filesystem.read = [BindRule(source: source, target: target)]
            $0.filesystem.tmp = 1 << 20
            $0.filesystem.home = 1 << 20
        }
        let error = failure { () throws(JailError) in _ = try plan(profile, on: Self.facts(source)) }
        #expect(error?.path == target && error?.reason == "something else is shown there already")
    }

    @Test func `data does not hide anything either`() {
        let profile = bare {
            $0.filesystem.data = DataRule(size: 1)
            $0.filesystem.data?.target = "/usr/bin"
        }
        let error = failure { () throws(JailError) in _ = try plan(profile) }
        #expect(error?.path == "/usr/bin")
    }

    @Test func `a host directory may be shown under its own name over files of it`() throws {
        let profile = bare { $0.filesystem.read = [BindRule(source: "/usr", target: "/usr")] }
        let made = try plan(profile, on: Self.facts("/usr"))
        expectInvariants(made, profile)
        #expect(made.binds.last?.target == "/usr")
    }

    @Test func `two grants at one place are refused`() {
        let profile = bare {
            $0.filesystem.read = [BindRule(source: "/srv/a", target: "/srv/t")]
            $0.filesystem.write = [BindRule(source: "/srv/b", target: "/srv/t")]
        }
        let error = failure { () throws(JailError) in _ = try plan(profile, on: Self.facts("/srv/a", "/srv/b")) }
        #expect(error?.stage == .plan && error?.path == "/srv/t")
    }

    @Test func `a source that is not there, or a device that the host lacks, ends the launch`() {
        let profile = bare { $0.filesystem.read = [BindRule(source: "/srv/x", target: "/srv/x")] }
        #expect(failure { () throws(JailError) in _ = try plan(profile) }?.reason == "it is not there")
        let facts = PaperHost.facts { $0.sources["/dev/tty"] = nil }
        #expect(failure { () throws(JailError) in _ = try plan(bare(), on: facts) }?.path == "/dev/tty")
    }

    @Test func `a socket, FIFO or device in a grant is refused unless it is meant`() throws {
        var profile = bare { $0.filesystem.read = [BindRule(source: "/srv/x", target: "/srv/x")] }
        let facts = PaperHost.facts { $0.add("/srv/x", isDirectory: true, specialFile: "/srv/x/run/docker.sock") }
        let error = failure { () throws(JailError) in _ = try plan(profile, on: facts) }
        #expect(error?.path == "/srv/x/run/docker.sock" && error?.status == 78)
        profile.filesystem.read[0].allowSpecialFiles = true
        #expect(try plan(profile, on: facts).bind(at: "/srv/x") != nil)
    }

    @Test func `a special file in the workspace or the data is refused, and cannot be allowed`() {
        let facts = PaperHost.facts { $0.add("/srv/x", isDirectory: true, specialFile: "/srv/x/s") }
        let workspace = bare {
            $0.filesystem.workspace = .readOnly
            $0.filesystem.workspaceSource = "/srv/x"
        }
        let data = bare {
            $0.filesystem.data = DataRule(size: 1)
            $0.filesystem.data?.source = "/srv/x"
        }
        for profile in [workspace, data] {
            #expect(failure { () throws(JailError) in _ = try plan(profile, on: facts) }?.path == "/srv/x/s")
        }
    }

    @Test func `sources keep the identity that was planned with`() throws {
        let made = try plan(
            bare { $0.filesystem.read = [BindRule(source: "/srv/x", target: "/t")] }, on: Self.facts("/srv/x"))
        for bind in made.binds { #expect(bind.identity == PaperHost.identity(bind.source)) }
        #expect(made.bind(at: "/t")?.source == "/srv/x")
    }

    @Test func `devices are six, not writable as nodes, and beside them only a devpts of its own`() throws {
        let made = try plan(bare())
        #expect(
            made.binds.filter { $0.purpose == .device }.map(\.target)
                == ["null", "zero", "full", "random", "urandom", "tty"].map { "/dev/\($0)" })
        #expect(made.mounts.contains(.devpts(path: "/dev/pts")))
        #expect(made.mounts.contains(.symlink(path: "/dev/ptmx", target: "pts/ptmx")))
        #expect(made.mounts.count { if case .proc = $0 { true } else { false } } == 1)
    }

    @Test func `the system's files name the jail's user and host, and no server`() throws {
        let made = try plan(bare { $0.process.hostName = "box" })
        #expect(made.file("/etc/passwd")?.hasPrefix("claw:x:1000:1000::/home/claw:/usr/sbin/nologin\n") == true)
        #expect(made.file("/etc/hostname") == "box\n")
        #expect(made.file("/etc/resolv.conf")?.contains("nameserver") == false)
        #expect(made.file("/etc/hosts")?.contains("127.0.0.1 localhost box\n") == true)
        #expect(made.bind(at: "/etc/ssl/certs/ca-certificates.crt")?.source == "/etc/pki/tls/certs/ca-bundle.crt")
        #expect(try plan(bare { $0.process.shell = true }).file("/etc/passwd")?.contains(":/bin/sh\n") == true)
    }

    @Test func `what has size 0 is there and cannot be written`() throws {
        let made = try plan(bare())
        #expect(made.tmpfs.isEmpty)
        for path in ["/tmp", "/dev/shm", "/home/claw"] {
            #expect(made.mounts.contains(.directory(path: path, mode: 0o755)))
        }
        #expect(made.landlock?.rules.contains { $0.access == .write } == false)
    }

    @Test func `a prepared tree is shown entry by entry, and nothing is made in it`() throws {
        let profile = bare { $0.filesystem.root = .directory("/srv/root") }
        let facts = Self.facts("/srv/root", "/srv/root/usr", "/srv/root/var", "/srv/root/opt") { facts in
            facts.closure = ProgramClosure()
            facts.closure.commandPath = "/usr/bin/node"
        }
        let made = try plan(profile, on: facts)
        expectInvariants(made, profile)
        for name in ["usr", "var", "opt"] {
            #expect(made.bind(at: "/\(name)")?.source == "/srv/root/\(name)")
            #expect(made.access(to: "/\(name)") == [.execute])
        }
    }

    @Test(arguments: [
        ("/a/b", "/a", true), ("/a", "/a", false), ("/ab", "/a", false), ("/a", "/", true), ("/", "/", false),
    ])
    func `below means inside`(path: String, directory: String, expected: Bool) {
        #expect(path.isBelow(directory) == expected)
    }
}
