import Foundation
import Glibc
import Testing

/// `explain` against real jails: what it says of files, programs, calls and ports is what jailprobe then meets inside.
@Suite struct ExplainTests {
    struct Setting: Sendable, CustomTestStringConvertible {
        var caller: Caller
        var name: String
        var testDescription: String { "\(name), \(caller.testDescription)" }
    }

    static let settings = Caller.all.flatMap { caller in
        ["offline", "research", "session", "shell", "grants"].map { Setting(caller: caller, name: $0) }
    }

    @Test(arguments: settings) func `explain equals enforcement`(_ setting: Setting) throws {
        let ground = try Ground()
        let jail = try Jail(setting.caller, ground.profile(setting.name))
        let options = setting.name == "session" ? ["--workspace", ground.workspace] : []
        let questions = try Questions(ground)
        let answers = try questions.explain(jail, options)
        let probe = try Probe.inside(jail, options: options, arguments: questions.probeArguments(answers))
        var counts: [String: (allowed: Int, denied: Int)] = [:]
        for answer in answers {
            guard let met = questions.met(answer, probe) else { continue }
            let problem = answer.difference(from: met)
            #expect(problem == nil, "\(answer.asked): \(problem ?? "") — \(answer.reason)")
            let verb = String(answer.asked.prefix { $0 != " " })
            counts[verb, default: (0, 0)].allowed += answer.isAllowed ? 1 : 0
            counts[verb, default: (0, 0)].denied += answer.isAllowed ? 0 : 1
        }
        let text = counts.sorted { $0.key < $1.key }.map { "\($0) \($1.allowed)+\($1.denied)" }.joined(separator: ", ")
        print("explain and enforcement, \(setting.testDescription): allowed + denied: \(text)")
        for verb in ["read", "write", "execute", "program", "syscall", "bind"] {
            let count = counts[verb] ?? (0, 0)
            #expect(count.allowed > 0 && count.denied > 0, "\(verb) \(count)")
        }
    }

    @Test(arguments: Caller.all) func `the change that is named allows what was denied`(caller: Caller)
        throws
    {
        let ground = try Ground()
        let socket = "\(ground.root)/socket"
        _ = try shell("python3 -c 'import socket,sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \"$1\"", socket)
        chmodForAll(socket)
        for question in [
            "read /usr/share/doc", "read \(ground.root)/read/open/file", "write \(ground.root)/write/open/file",
            "write \(ground.root)/write/open/new", "execute /usr/bin/env", "program true", "program sh",
            "syscall io_uring_setup", "syscall unshare CLONE_NEWUSER", "write /data/new", "connect \(socket)",
            "read \(ground.root)/read/inner", "memfd", "GET https://a.example/x", "POST https://a.example/y",
        ] {
            let words =
                question == "memfd"
                ? ["syscall", "memfd_create", "0"] : question.split(separator: " ").map(String.init)
            func explain(_ profile: String) throws -> (status: Int32, answer: [String: Any]) {
                let jail = try Jail(caller, profile)
                let who = caller == .root ? ["--user", try Host.user.get().name] : []
                let finished = try jail.start(words: ["explain", "--profile", jail.profile, "--json"] + who + words)
                    .wait()
                let object = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
                return (finished.status, object ?? [:])
            }
            let before = try explain("{ extends: 'offline' }".json)
            #expect(before.status == 1, "\(question)")
            let change = try #require(before.answer["remedy"] as? String, "\(question): \(before.answer)")
            let after = try explain("{ extends: 'offline', \(change) }".json)
            #expect(after.status == 0, "\(question): \(change): \(after.answer)")
        }
    }

    private func chmodForAll(_ path: String) { unsafe chmod(path, 0o666) }

    @Test func `the rule comes with file and line, and a denial with the smallest change`() throws {
        let jail = try Jail(
            Caller.all[0], "{\n  extends: 'offline',\n  filesystem: { read: ['/usr/share/doc'] } }".json)
        let user = try Host.user.get().name
        func explain(_ words: String...) throws -> Finished {
            let who = jail.caller == .root ? ["--user", user] : []
            return try jail.start(words: ["explain", "--profile", jail.profile] + who + words).wait()
        }
        let allowed = try explain("read", "/usr/share/doc")
        #expect(allowed.status == 0)
        #expect(allowed.text.contains("by filesystem.read: /usr/share/doc (\(jail.profile):3)"))
        let denied = try explain("read", "/usr/share/misc")
        #expect(denied.status == 1)
        #expect(denied.text.contains("to allow exactly this: filesystem: { read: [\"/usr/share/misc\"] }"))
        let never = try explain("connect", "/run/docker.sock")
        #expect(never.status == 1)
        #expect(never.text.contains("no rule can allow it: it is never shown"))
        let command = try explain("command", "git push --force")
        #expect(command.status == 1)
        #expect(command.text.contains("because no rule of commands names 'git'"))
        #expect(try explain("read", "etc/passwd").status == 64)
        #expect(try explain("read").status == 1)
    }
}

/// Files of the host's that the profiles of these tests show, and one of everything in them.
private struct Ground {
    let root: String
    let workspace: String

    init() throws {
        root = try Scratch.directory("ground")
        workspace = try Scratch.directory("workspace")
        for top in [workspace, root + "/read", root + "/write"] {
            unsafe mkdir(top, 0o755)
            for name in ["open", "sub/deep", "closed"] {
                try FileManager.default.createDirectory(atPath: "\(top)/\(name)", withIntermediateDirectories: true)
                try Scratch.write("x", to: "\(top)/\(name)/file")
            }
            try Scratch.write("#!/bin/sh\nexit 0\n", to: "\(top)/script", mode: 0o755)
            try FileManager.default.copyItem(atPath: "/usr/bin/true", toPath: "\(top)/program")
            try Scratch.write("secret", to: "\(top)/secret", mode: 0o600)
            for (link, target) in [
                ("inner", "open/file"), ("outer", "/etc/shadow"), ("own", "/etc/passwd"), ("round", "round"),
                ("up", "../read/open/file"), ("dangling", "open/nothing"),
            ] { unsafe symlink(target, "\(top)/\(link)") }
            if Host.isRoot {
                let user = try Host.user.get()
                for name in ["", "/open", "/open/file", "/sub", "/sub/deep", "/sub/deep/file", "/program"] {
                    unsafe chown(top + name, user.uid, user.gid)
                }
            }
            unsafe chmod("\(top)/closed", 0o700)
        }
    }

    func profile(_ name: String) -> String {
        guard name == "grants" else {
            return "{ extends: '\(name)', process: { programs: ['PROBE'] }, network: { publish: [] } }".json
        }
        return """
            { extends: 'offline', process: { programs: ['PROBE', 'true', 'jq?', '/usr/bin/env'] },
              filesystem: { read: ['\(root)/read', '\(root)/write:/alias'], write: ['\(root)/write:/srv/write'] },
              network: { listen: [18789, 2000, 40001] } }
            """.json
    }
}

private struct Answer {
    var asked: String
    var isAllowed: Bool
    var errno: Int?
    var reason: String
    var arguments: [String]
    var notes: [String]
    var number: Int?

    init(_ line: String) throws {
        guard let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let asked = object["asked"] as? String, let isAllowed = object["allowed"] as? Bool
        else { throw HarnessError("no answer: \(line)") }
        self.asked = asked
        self.isAllowed = isAllowed
        errno = object["errno"] as? Int
        reason = object["reason"] as? String ?? ""
        arguments = object["arguments"] as? [String] ?? []
        notes = object["notes"] as? [String] ?? []
        number = object["number"] as? Int
        if !isAllowed, object["remedy"] as? String == nil, (object["obstacle"] as? String ?? "").isEmpty {
            throw HarnessError("neither a remedy nor a reason why there is none: \(line)")
        }
    }

    /// What is wrong with it, if the attempt came to this.
    func difference(from met: String) -> String? {
        var met = met
        if asked.hasPrefix("syscall ") {
            // Whatever the kernel says of such arguments: only the filter says that there is no such call, or EPERM.
            guard isAllowed else {
                let names = [1: "errno EPERM", 38: "errno ENOSYS"]
                return names[errno ?? 0] == met ? nil : "was \(met)"
            }
            return met == "errno ENOSYS" && !Questions.unknownToKernel.contains(asked) ? "was \(met)" : nil
        }
        // A format that only a shell takes is noted; a program whose end was no business of ours has started.
        if met == "errno ENOEXEC", notes.contains(where: { $0.contains("ENOEXEC") }) { met = "ok" }
        if isAllowed { return met == "ok" ? nil : "allowed, and was \(met)" }
        if met == "ok" { return "denied, and was allowed" }
        let names = [
            1: "EPERM", 2: "ENOENT", 13: "EACCES", 20: "ENOTDIR", 30: "EROFS", 38: "ENOSYS", 40: "ELOOP",
            98: "EADDRINUSE",
            111: "ECONNREFUSED",
        ]
        guard let errno, let name = names[errno] else { return nil }
        return met == "errno \(name)" ? nil : "denied with \(name), and was \(met)"
    }
}

private struct Questions {
    private var lines: [String] = []

    /// Allowed, and nothing that this kernel has, or not for such arguments.
    static let unknownToKernel: Set<String> = [
        "syscall futex", "syscall get_thread_area", "syscall set_thread_area", "syscall epoll_ctl_old",
        "syscall epoll_wait_old",
    ]
    /// Those that end, stop or fork who makes them, or are no function of this kernel's.
    private static let untried: Set<String> = [
        "exit", "exit_group", "pause", "fork", "vfork", "rt_sigreturn", "sync", "rt_sigsuspend",
    ]

    init(_ ground: Ground) throws {
        var random = SystemRandomNumberGenerator()
        var paths = Self.fixed + [try Host.probe, "/usr/bin/node"]
        for directory in [
            "/usr/bin", "/usr/lib", "/etc", "/usr/share", "/usr/sbin", "/sys", "/var/log", "/opt", "/run",
        ] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            paths += names.shuffled(using: &random).prefix(12).map { "\(directory)/\($0)" }
        }
        paths += Self.kernel.map { "/proc/\($0)" }
        let inner = [
            "", "open", "open/file", "open/new", "sub/deep/file", "sub/../open/file", "closed", "closed/file", "script",
            "program", "secret", "inner", "outer", "own", "round", "up", "dangling", "nowhere/x", "open/file/x",
            "secret/..", "program/",
        ]
        for top in ["/workspace", ground.root + "/read", "/srv/write", "/alias", ground.root + "/write"] {
            paths += inner.map { $0.isEmpty ? top : "\(top)/\($0)" }
        }
        for path in paths.shuffled(using: &random).prefix(40) {
            paths.append(path + ["/..", "/x", "/.", "/../x"][Int.random(in: 0..<4, using: &random)])
        }
        let known = Set(paths).sorted()
        for path in known where path.hasPrefix("/") && !path.contains("\n") {
            lines += ["read \(path)", "write \(path)", "execute \(path)"]
        }
        let programs = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/bin")) ?? []
        for name in programs.shuffled(using: &random).prefix(60) + ["sh", "node", "true", "env", "no-program"]
        where name.utf8.allSatisfy({ $0 != 0x5B }) {
            lines.append("program \(name)")
        }
        lines += Self.calls.filter { !Self.untried.contains($0) }.map { "syscall \($0)" }
        lines += (0..<40).map { _ in "bind \(UInt16.random(in: 1...UInt16.max, using: &random))" }
        lines += ["bind 80", "bind 443", "bind 1023", "bind 1024", "bind 2000", "bind 18789", "bind 40001"]
        lines = Array(Set(lines)).sorted()
    }

    private static let fixed = [
        "/", "/tmp", "/tmp/new", "/tmp/x/y", "/dev", "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/tty0",
        "/dev/shm", "/dev/shm/new", "/dev/pts", "/dev/ptmx", "/dev/mem", "/dev/kmsg", "/dev/fd", "/dev/x", "/etc",
        "/etc/passwd", "/etc/shadow", "/etc/new", "/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt", "/home",
        "/home/claw", "/home/claw/new", "/root", "/root/.ssh", "/run", "/run/docker.sock", "/run/new", "/var/tmp",
        "/var/tmp/new", "/var/run", "/data", "/data/new", "/bin/sh", "/bin/true", "/usr", "/usr/new", "/boot", "/mnt",
        "/proc", "/proc/1", "/proc/1/environ", "/proc/self", "/proc/self/status", "/proc/self/environ",
        "/proc/self/stack", "/proc/self/cwd", "/proc/self/root", "/proc/self/root/etc/passwd", "/proc/self/mem",
        "/proc/self/oom_score_adj", "/proc/self/comm", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname",
        "/proc/sys/net/ipv4/ip_forward", "/proc/sys/vm/drop_caches", "/proc/sys/new", "/proc/tty/driver/serial",
        "/proc/sys/kernel/random/boot_id", "/usr/share/zoneinfo/UTC", "/sys", "/sys/kernel",
        // Visible, with the permission to be executed, and no program of the profile.
        "/usr/lib/x86_64-linux-gnu/libc.so.6", "/usr/lib/aarch64-linux-gnu/libc.so.6",
        "/lib/x86_64-linux-gnu/libc.so.6",
    ]

    private static let kernel = [
        "cmdline", "cpuinfo", "meminfo", "mounts", "net", "stat", "uptime", "version", "kcore", "kallsyms", "keys",
        "key-users", "kmsg", "sysrq-trigger", "mtrr", "filesystems", "interrupts", "iomem", "slabinfo", "swaps",
        "vmallocinfo", "vmstat", "loadavg", "sys", "tty", "bus", "fs", "irq", "driver",
    ]

    private static let calls: [String] = {
        let header = try? String(contentsOfFile: "/usr/include/asm-generic/unistd.h", encoding: .utf8)
        let table = try? String(contentsOfFile: "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", encoding: .utf8)
        return ((table ?? "") + (header ?? "")).split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count == 3, words[0] == "#define", words[1].hasPrefix("__NR_"), Int(words[2]) != nil else {
                return nil
            }
            return String(words[1].dropFirst(5))
        }
    }()

    func explain(_ jail: Jail, _ options: [String]) throws -> [Answer] {
        var jail = jail
        let file = Scratch.file("questions")
        try Scratch.write(lines.joined(separator: "\n") + "\n", to: file)
        jail.standardInput = file
        let who = jail.caller == .root ? ["--user", try Host.user.get().name] : []
        let finished = try jail.start(words: ["explain", "--profile", jail.profile] + who + options + ["-"]).wait(60)
        try #require(finished.status == 1, "\(finished.errors)")
        let answers = try finished.text.split(separator: "\n").map { try Answer(String($0)) }
        try #require(answers.count == lines.count)
        return answers
    }

    func probeArguments(_ answers: [Answer]) -> [String] {
        answers.flatMap { answer -> [String] in
            guard let (option, value, _) = Self.attempt(answer) else { return [] }
            return [option, value]
        }
    }

    func met(_ answer: Answer, _ probe: Probe) -> String? {
        guard let (_, _, name) = Self.attempt(answer) else { return nil }
        return probe.result(name)
    }

    /// How jailprobe tries it: option, value, and what it calls the attempt.
    private static func attempt(_ answer: Answer) -> (option: String, value: String, name: String)? {
        let parts = answer.asked.split(separator: " ", maxSplits: 1).map(String.init)
        let what = parts[1]
        switch parts[0] {
        case "read": return ("--read", what, "read \(what)")
        case "write": return ("--change", what, "change \(what)")
        case "execute": return ("--can-start", what, "can start \(what)")
        // Looked for as execvp(3) does, which takes a name without a slash.
        case "program": return ("--can-start", what, "can start \(what)")
        case "bind": return ("--bind", what, "bind \(what)")
        // What depends on arguments is held against the compiled filters, argument by argument.
        case "syscall":
            guard let number = answer.number, answer.arguments.isEmpty else { return nil }
            return ("--call", "\(number)", "call \(number)")
        default: return nil
        }
    }
}
