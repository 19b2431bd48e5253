import JailCore
import JailDecision
import JailPlan
import JailPolicy
import Testing

struct `Decisions about files` {
    private func change(_ decision: Decision) -> String? { decision.change?.text }

    @Test func `what the profile shows may be read, and the value that shows it is named`() throws {
        var setting = Setting()
        setting.source("/srv/data", .directory, 0o755)
        setting.host.add("/srv/data/a")
        setting.profile.filesystem.read = [BindRule(source: "/srv/data", target: "/data")]
        let decision = try setting.decisions().access("/data/a", .read)
        #expect(decision.isAllowed)
        #expect(decision.source == ProfileSource("filesystem.read", "/srv/data → /data"))
        #expect(decision.reason == "it is the host's '/srv/data/a'")
        let byHostName = try setting.decisions().access("/srv/data/a", .read)
        #expect(!byHostName.isAllowed)
        #expect(byHostName.notes == ["the host's '/srv/data/a' is shown inside as '/data/a'"])
    }

    @Test func `what is not inside needs the smallest rule that shows it`() throws {
        var setting = Setting()
        setting.host.add("/srv/data/a")
        setting.host.add("/srv/run.sock", .socket, 0o666)
        setting.host.add("/srv/mine", .directory, 0o755, uid: 1234)
        setting.host.add(link: "/srv/link", to: "data/a")
        let decisions = try setting.decisions()
        let read = decisions.access("/srv/data/a", .read)
        #expect(!read.isAllowed && read.errno == .notFound)
        #expect(change(read) == "filesystem: { read: [\"/srv/data/a\"] }")
        // The real file, at the place that was asked for: no profile names a symlink.
        #expect(change(decisions.access("/srv/link", .read)) == "filesystem: { read: [\"/srv/data/a:/srv/link\"] }")
        #expect(change(decisions.access("/srv/mine/new", .write)) == "filesystem: { write: [\"/srv/mine\"] }")
        let socket = decisions.access("/srv/run.sock", .connect)
        #expect(
            change(socket) == "filesystem: { read: [{ source: \"/srv/run.sock\", specialFiles: true }] }")
    }

    @Test func `nothing allows what no profile can show`() throws {
        var setting = Setting()
        setting.host.add("/home/x/.ssh/id", .regular, 0o644)
        setting.host.refusals["/home/x/.ssh/id"] = "'~/.ssh' holds credentials or policy"
        setting.host.add("/srv/secret", .regular, 0o600)
        let decisions = try setting.decisions()
        for (path, part) in [
            ("/home/x/.ssh/id", "credentials"), ("/srv/secret", "whatever a profile says"), ("/sys/kernel", "kernel"),
            ("/proc/1/environ", "kernel"), ("/srv/nowhere", "nothing there"),
        ] {
            let decision = decisions.access(path, .read)
            #expect(!decision.isAllowed && decision.change == nil, "\(path)")
            #expect(decision.obstacle?.contains(part) == true, "\(path): \(decision.obstacle ?? "")")
        }
    }

    @Test func `a read-only grant is written to by a grant of exactly that file`() throws {
        var setting = Setting()
        setting.source("/srv/data", .directory, 0o777)
        setting.host.add("/srv/data/a", .regular, 0o666)
        setting.profile.filesystem.read = [BindRule(source: "/srv/data", target: "/srv/data")]
        let decision = try setting.decisions().access("/srv/data/a", .write)
        #expect(!decision.isAllowed && decision.errno == .readOnly)
        #expect(change(decision) == "filesystem: { write: [\"/srv/data/a\"] }")
    }

    @Test func `the jail's own places are given by their size`() throws {
        var setting = Setting()
        setting.profile.filesystem.tmp = 0
        let decisions = try setting.decisions()
        #expect(change(decisions.access("/tmp/x", .write)) == "filesystem: { tmp: \"64M\" }")
        #expect(change(decisions.access("/data/x", .write)) == "filesystem: { data: { size: \"1G\" } }")
        #expect(change(decisions.access("/home/claw/x", .write)) == "filesystem: { home: \"16M\" }")
        #expect(decisions.access("/etc/passwd", .write).obstacle != nil)
    }

    @Test func `writable is not executable, unless the profile says so`() throws {
        var setting = Setting()
        setting.source("/srv/w", .directory, 0o755, uid: 1234)
        setting.host.add("/srv/w/tool", .regular, 0o755, uid: 1234)
        setting.host.interpreters["/srv/w/tool"] = Interpreter.none
        setting.profile.filesystem.write = [BindRule(source: "/srv/w", target: "/srv/w")]
        let refused = try setting.decisions().access("/srv/w/tool", .execute)
        #expect(!refused.isAllowed)
        #expect(change(refused) == "filesystem: { executeWritable: true }")
        setting.profile.filesystem.executeWritable = true
        #expect(try setting.decisions().access("/srv/w/tool", .execute).isAllowed)
    }

    /// Landlock knows a file wherever it is shown; the mount that shows it does not.
    @Test func `a file that is shown twice is judged by the mount that it is reached through`() throws {
        var setting = Setting()
        setting.source("/srv/d", .directory, 0o777)
        setting.source("/srv/d/w", .directory, 0o777)
        setting.profile.filesystem.read = [BindRule(source: "/srv/d", target: "/r")]
        setting.profile.filesystem.write = [BindRule(source: "/srv/d/w", target: "/w")]
        let decisions = try setting.decisions()
        #expect(decisions.access("/w/new", .write).isAllowed)
        #expect(!decisions.access("/r/w/new", .write).isAllowed)
    }

    @Test func `Landlock has a word of its own, where the mount would let it pass`() throws {
        var setting = Setting()
        // A library, which may be executed as far as its permission goes.
        setting.host.add(program: "/usr/lib/libc.so")
        setting.facts.closure.files.append(
            VisibleFile(
                path: "/usr/lib/libc.so", identity: PaperHost.identity("/usr/lib/libc.so"), isDirectory: false,
                isExecutable: false))
        let library = try setting.decisions().access("/usr/lib/libc.so", .execute)
        #expect(!library.isAllowed && library.reason.contains("Landlock"))
        #expect(change(library) == "process: { programs: [\"/usr/lib/libc.so\"] }")
        #expect(try setting.decisions().access("/usr/lib/libc.so", .read).isAllowed)
        let rest = try setting.decisions { $0.access.removeAll { $0.path == "/tmp" || $0.path == "/" } }
        #expect(!rest.access("/tmp", .write).isAllowed)
        #expect(!rest.access("/tmp/new", .write).isAllowed)
        #expect(!rest.access("/etc/passwd", .read).isAllowed)
        let none = try setting.decisions { $0.landlock = nil }
        #expect(none.access("/usr/lib/libc.so", .execute).isAllowed)
    }

    @Test func `links are followed inside, not on the host`() throws {
        var setting = Setting()
        setting.source("/srv/d", .directory, 0o755)
        setting.host.add(link: "/srv/d/out", to: "/etc/shadow")
        setting.host.add("/etc/shadow", .regular, 0o644)
        setting.host.add(link: "/srv/d/round", to: "round")
        setting.profile.filesystem.read = [BindRule(source: "/srv/d", target: "/srv/d")]
        let decisions = try setting.decisions()
        #expect(!decisions.access("/srv/d/out", .read).isAllowed)
        #expect(decisions.access("/srv/d/round", .read).errno == .symlinkLoop)
        #expect(decisions.access("/srv/d/../../proc/../srv/d", .read).isAllowed)
    }
}
