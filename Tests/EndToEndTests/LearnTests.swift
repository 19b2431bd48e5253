import Foundation
import Glibc
import Testing

/// What `learn` writes down, and that a jail which is watched is one all the same.
@Suite(.needs("python3")) struct LearnTests {
    /// A jail with few programs, and what its records say.
    struct Learner {
        let jail: Jail

        init(_ caller: Caller, _ more: String = "") throws {
            jail = try Jail(
                caller,
                """
                { extends: 'offline',
                  process: { programs: ['/bin/sh', 'cat', 'sleep', 'python3', 'node?'], shell: true },
                  \(more) }
                """.json)
        }

        func start(_ options: [String] = [], _ command: [String]) throws -> Running {
            let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
            let words = ["learn", "--profile", jail.profile, "--name", jail.name] + user + options
            return try jail.start(words: words + ["--"] + command)
        }

        func run(_ options: [String] = [], _ command: [String], seconds: Double = 60) throws -> Finished {
            try start(options, command).wait(seconds)
        }

        func python(_ text: String, _ options: [String] = [], seconds: Double = 60) throws -> Finished {
            try run(options, ["python3", "-u", "-c", text], seconds: seconds)
        }

        var directory: String { "\(jail.stateDirectory)/learn" }
        var records: [String] {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
            return names.filter { $0.hasPrefix(jail.name + "-") }.map { "\(directory)/\($0)" }.sorted()
        }

        func lines() throws -> [[String: Any]] {
            let text = try String(contentsOfFile: try #require(records.first), encoding: .utf8)
            return try text.split(separator: "\n").map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
            }
        }

        /// How often something was seen that has these members; of the program, the last part of the path.
        func count(_ members: [String: String], by program: String? = nil) throws -> Int {
            try lines().filter { line in
                let isMeant = members.allSatisfy { "\(line[$0.key] ?? "")" == $0.value }
                let name = (line["program"] as? String)?.split(separator: "/").last.map(String.init)
                return isMeant && (program == nil || name?.hasPrefix(program ?? "") == true)
            }.reduce(0) { $0 + ($1["count"] as? Int ?? 0) }
        }

        func clear() {
            for record in records { unsafe unlink(record) }
        }
    }

    @Test(arguments: Caller.all) func `the record has what was denied, by whom and how often`(caller: Caller) throws {
        let learner = try Learner(
            caller, "network: { allow: [{ hosts: ['a.example'] }], listen: [8080] }, filesystem: { tmp: '1M' }")
        defer { learner.clear() }
        let file = Scratch.file("host")
        try Scratch.write("x", to: file)
        let finished = try learner.run(
            [],
            [
                "/bin/sh", "-c",
                """
                cat \(file) \(file); cat /nowhere/at/all; env; env
                python3 -c 'if 1:
                    import ctypes, os, socket, urllib.request
                    def attempt(call):
                        try: call()
                        except OSError as error: print(error)
                    libc = ctypes.CDLL(None)
                    for _ in range(3): libc.unshare(0x10000000)
                    attempt(lambda: os.mkdir("/etc/new"))
                    for port in [8080, 9090]: attempt(lambda: socket.socket().bind(("127.0.0.1", port)))
                    attempt(lambda: urllib.request.urlopen("http://b.example/path?query=1"))
                    with open("/tmp/large", "wb", 0) as file:
                        attempt(lambda: [file.write(bytes(300000)) for _ in range(9)])
                '
                exit 7
                """,
            ])
        #expect(finished.status == 7, "\(finished.errors)")
        #expect(try learner.count(["path": file, "access": "read", "errno": "ENOENT"], by: "cat") == 2)
        #expect(try learner.count(["path": "/nowhere/at/all"]) == 0)
        #expect(try learner.count(["kind": "program", "name": "env", "outcome": "denied"]) == 2)
        #expect(try learner.count(["kind": "systemCall", "name": "unshare", "errno": "EPERM"], by: "python") == 3)
        #expect(try learner.count(["path": "/etc/new", "access": "write", "outcome": "denied"], by: "python") == 1)
        #expect(try learner.count(["kind": "bind", "port": "9090", "errno": "EACCES"], by: "python") == 1)
        #expect(try learner.count(["kind": "bind", "port": "8080", "outcome": "used"], by: "python") == 1)
        #expect(
            try learner.count(
                [
                    "kind": "network", "host": "b.example", "method": "GET", "path": "/path", "outcome": "denied",
                ], by: "python") == 1)
        #expect(try learner.count(["kind": "limit", "name": "tmp", "value": "1M"], by: "python") == 1)
        #expect(try learner.count(["outcome": "permitted"]) == 0)
        let lines = try learner.lines()
        #expect(lines.first?["learn"] as? String == learner.jail.name)
        #expect(lines.last?["status"] as? Int == 7)
        #expect(finished.errors.contains("2×") && finished.errors.contains("program env"), "\(finished.errors)")
        #expect(finished.errors.contains("clawjail profile suggest \(learner.jail.name)\n"))
        let place = try #require(learner.records.first)
        #expect(try FileManager.default.attributesOfItem(atPath: place)[.posixPermissions] as? Int == 0o600)
        #expect(try FileManager.default.attributesOfItem(atPath: learner.directory)[.posixPermissions] as? Int == 0o700)
        try learner.jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `what the profile grants is recorded where it is used`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let shown = try Scratch.directory("shown")
        try Scratch.write("x", to: shown + "/file")
        let unused = try Scratch.directory("unused")
        let finished = try learner.run(
            ["--read", shown, "--read", unused], ["/bin/sh", "-c", "cat \(shown)/file \(shown)/file"])
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(try learner.count(["path": shown, "access": "read", "outcome": "used"], by: "cat") == 2)
        #expect(try learner.count(["path": unused]) == 0)
        #expect(try learner.count(["outcome": "denied"]) == 0)
        #expect(finished.errors.contains("nothing was denied"))
    }

    @Test(arguments: [Caller.all[0]]) func `a flood of names fills a record up to its bounds`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let finished = try learner.python(
            """
            import os
            for number in range(2000):
                for name in [str(number), '\\x1b' * 200 + str(number), 'x' * 250 + str(number), '\\udcff' + str(number)]:
                    try: os.mkdir('/etc/' + name)
                    except OSError: pass
            """)
        #expect(finished.status == 0, "\(finished.errors)")
        let lines = try learner.lines()
        #expect(lines.count <= 4098)
        #expect((lines.last?["leftOut"] as? Int ?? 0) > 1000)
        let size = try FileManager.default.attributesOfItem(atPath: try #require(learner.records.first))[.size] as? Int
        #expect(size ?? .max <= 8 << 20)
        // Nothing of it reaches a terminal as it is.
        #expect(!finished.errors.utf8.contains(0x1B))
    }

    @Test(arguments: Caller.all) func `the memory limit, and who was killed by it`(caller: Caller) throws {
        let learner = try Learner(caller, "limits: { memory: '64M' }")
        defer { learner.clear() }
        let finished = try learner.run(
            [], ["/bin/sh", "-c", "python3 -c 'x = bytearray(200 << 20)'; echo $?; cat /dev/null; kill -9 $$"])
        #expect(finished.text == "137\n", "\(finished.errors)")
        #expect(finished.status == 137)
        #expect(try learner.count(["kind": "limit", "name": "memory", "value": "64M"], by: "python") == 1)
    }

    @Test(arguments: Caller.all) func `a killed process without a limit is no observation`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        #expect(try learner.run([], ["/bin/sh", "-c", "kill -9 $$"]).status == 137)
        #expect(try learner.count(["kind": "limit"]) == 0)
        #expect(try learner.count(["kind": "program", "outcome": "used"]) == 1)
    }

    @Test(arguments: Caller.all) func `processes behave as they do unwatched`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let finished = try learner.python(
            """
            import os, signal, subprocess, threading, time
            child = subprocess.Popen(['sleep', '100'], start_new_session=True)
            child.send_signal(signal.SIGSTOP)
            print(os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1]))
            child.send_signal(signal.SIGCONT)
            print(os.WIFCONTINUED(os.waitpid(child.pid, os.WCONTINUED)[1]))
            child.terminate()
            print(child.wait(), os.getsid(0) == os.getpid())
            handled = []
            signal.signal(signal.SIGUSR1, lambda *_: handled.append(1))
            os.kill(os.getpid(), signal.SIGUSR1)
            print(handled)
            def many():
                for _ in range(10): subprocess.run(['cat', '/dev/null'], check=True)
            threads = [threading.Thread(target=many) for _ in range(6)]
            for thread in threads: thread.start()
            for thread in threads: thread.join()
            if os.fork() == 0:
                if os.fork() == 0:
                    time.sleep(0.2)
                    os._exit(0)
                os._exit(3)
            print(os.waitstatus_to_exitcode(os.wait()[1]), flush=True)
            # A program that is executed by a thread which is not the first one.
            threading.Thread(target=lambda: os.execv('/bin/sh', ['sh', '-c', 'echo other; exit 9'])).start()
            time.sleep(30)
            """)
        #expect(finished.text == "True\nTrue\n-15 True\n[1]\n3\nother\n", "\(finished.errors)")
        #expect(finished.status == 9)
        #expect(try learner.count(["kind": "program", "outcome": "used", "name": "/usr/bin/cat"], by: "python") == 60)
    }

    @Test(.needs("node"), arguments: [Caller.all[0]])
    func `many threads, processes and files at once`(caller: Caller) throws {
        let learner = try Learner(caller, "filesystem: { tmp: '64M' }")
        defer { learner.clear() }
        let finished = try learner.run(
            [],
            [
                "node", "-e",
                """
                const fs = require('fs'), cp = require('child_process'), zlib = require('zlib')
                const { Worker } = require('worker_threads')
                const all = (count, work) => Promise.all([...Array(count).keys()].map(work))
                ;(async () => {
                    await all(300, i => fs.promises.writeFile('/tmp/' + i, 'x'.repeat(2000)))
                    const read = await all(300, i => fs.promises.readFile('/tmp/' + i))
                    await all(20, () => new Promise(done => zlib.gzip(Buffer.alloc(1 << 18), done)))
                    await all(4, () => new Promise(done => new Worker('1', { eval: true }).on('exit', done)))
                    const ends = await all(10, () => new Promise(done =>
                        cp.spawn('/bin/sh', ['-c', 'cat /dev/null; exit 4']).on('exit', done)))
                    console.log(read.length, ends.every(end => end == 4))
                })()
                """,
            ], seconds: 120)
        #expect(finished.text == "300 true\n", "\(finished.errors)")
        #expect(try learner.count(["kind": "program", "outcome": "used"], by: "node") == 10)
    }

    /// Descendants of a process by their kernel's names.
    private static func tracer(of supervisor: Int32) throws -> Int32 {
        let found = Tree.children(of: supervisor).first {
            (try? String(contentsOfFile: "/proc/\($0)/comm", encoding: .utf8)) == "jail-tracer\n"
        }
        return try #require(found)
    }

    @Test(.needsRoot, arguments: Caller.all)
    func `the tracer has no right, and the jail ends with it`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let running = try learner.start([], ["/bin/sh", "-c", "sleep 100 & echo up; exec sleep 100"])
        try #require(eventually(20) { running.text == "up\n" }, "\(running.errorText)")
        let tracer = try Self.tracer(of: running.pid)
        let status = try String(contentsOfFile: "/proc/\(tracer)/status", encoding: .utf8)
        for line in ["CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
            #expect(status.contains(line + "\n"), "\(line)")
        }
        for number in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(tracer)/fd") {
            let file = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(tracer)/fd/\(number)")
            #expect(file == "/dev/null" || file.hasPrefix("/memfd:learned"), "\(file)")
        }
        // Not dumpable: what it reads of the jail is nobody's.
        #expect(try FileManager.default.attributesOfItem(atPath: "/proc/\(tracer)/maps")[.ownerAccountID] as? Int == 0)
        let inside = try Tree.descendants(of: running.pid)
        #expect(inside.count >= 4)
        kill(tracer, SIGKILL)
        let finished = try running.wait(20)
        #expect(finished.status == 137)
        #expect(finished.errors.contains("the tracer was ended with status 137"), "\(finished.errors)")
        #expect(!finished.errors.contains("nothing was denied"))
        #expect(inside.allSatisfy { !Tree.isAlive($0) })
        #expect(try learner.lines().last?["incomplete"] as? Bool == true)
        try learner.jail.expectNothingLeft()
    }

    @Test(.needsRoot, arguments: Caller.all) func `nothing outlives a killed supervisor`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let running = try learner.start([], ["/bin/sh", "-c", "sleep 100 & echo up; exec sleep 100"])
        try #require(eventually(20) { running.text == "up\n" }, "\(running.errorText)")
        let all = try Tree.descendants(of: running.pid)
        #expect(all.count >= 4)
        running.signal(SIGKILL)
        try running.wait()
        #expect(eventually(10) { all.allSatisfy { !Tree.isAlive($0) } })
    }

    @Test(arguments: Caller.all) func `commands executed in the jail are watched as well`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let running = try learner.start([], ["/bin/sh", "-c", "echo up; sleep 100"])
        try #require(eventually(20) { running.text == "up\n" }, "\(running.errorText)")
        let executed = try learner.jail.start(words: ["exec", learner.jail.name, "--", "cat", "/etc/hosts.allow/x"])
            .wait(20)
        #expect(executed.status == 1, "\(executed.errors)")
        running.signal(SIGTERM)
        #expect(try running.wait(20).status == 143)
        #expect(try learner.count(["kind": "program", "outcome": "used", "name": "/usr/bin/cat"]) == 1)
    }

    @Test(arguments: Caller.all)
    func `with --permit what it names may be used, and is recorded; the rest stays closed`(caller: Caller) throws {
        let learner = try Learner(caller)
        defer { learner.clear() }
        let shown = try Scratch.directory("shown")
        try Scratch.write("seen\n", to: shown + "/file")
        let beside = Scratch.file("beside")
        try Scratch.write("x", to: beside)
        let finished = try learner.python(
            """
            import ctypes, os, socket, urllib.error, urllib.request
            print(open('\(shown)/file').read().strip())
            libc = ctypes.CDLL(None, use_errno=True)
            def call(name, *arguments):
                print(name, getattr(libc, name)(*arguments), ctypes.get_errno())
            call('unshare', 0x10000000)
            call('mount', b'none', b'/tmp', b'tmpfs', 0, None)
            call('ptrace', 0, 0, 0, 0)
            # set_mempolicy to the default
            print('mempolicy', libc.syscall(\(Self.setMemoryPolicy), 0, None, 0))
            for path in ['\(shown)/new', '\(beside)', '/root/.ssh', '/var/run/docker.sock']:
                try: print(open(path, 'w' if path.endswith('new') else 'r'))
                except OSError as error: print(error.errno)
            for host in ['169.254.169.254', '10.0.0.1', '192.168.1.1', '172.16.0.1', '127.0.0.2:81', '[fd00::1]']:
                try: print(urllib.request.urlopen('http://' + host + '/', timeout=10).status)
                except urllib.error.HTTPError as error: print(error.code)
                except OSError as error: print('none')
            """,
            ["--permit", "--within", shown])
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(
            finished.lines.prefix(9) == [
                "seen", "unshare -1 1", "mount -1 1", "ptrace -1 1", "mempolicy 0", "30", "2", "2", "2",
            ], "\(finished.text) \(finished.errors)")
        #expect(finished.lines.dropFirst(9).allSatisfy { ["403", "none"].contains($0) }, "\(finished.text)")
        #expect(
            try learner.count(["path": shown + "/file", "access": "read", "outcome": "permitted"], by: "python") == 1)
        #expect(try learner.count(["name": "set_mempolicy", "outcome": "permitted"]) == 1)
        for name in ["unshare", "mount", "ptrace"] {
            #expect(try learner.count(["kind": "systemCall", "name": name, "outcome": "denied"]) == 1, "\(name)")
        }
        #expect(try learner.count(["kind": "network", "outcome": "permitted"]) == 0)
        #expect(try learner.count(["host": "169.254.169.254", "outcome": "denied"]) >= 1)
        let log = try shell("cat \"$1\"/audit/\"$2\"/*.jsonl", learner.jail.stateDirectory, learner.jail.name).text
        #expect(log.contains("\"event\":\"permitted\",\"kind\":\"file\",\"path\":\"\(shown)/file\""), "\(log)")
        #expect(log.contains("\"event\":\"permitted\",\"kind\":\"systemCall\",\"name\":\"set_mempolicy\""))
        #expect(log.contains("\"event\":\"learned\""))
    }

    #if arch(x86_64)
        private static let setMemoryPolicy = 238
    #elseif arch(arm64)
        private static let setMemoryPolicy = 237
    #endif

    @Test(arguments: [Caller.all[0]]) func `what no profile can show is not shown within bounds either`(caller: Caller)
        throws
    {
        for path in ["/root", "/etc", "/var/run/docker.sock", "/proc", "/home", "/dev"] {
            let learner = try Learner(caller)
            let finished = try learner.run(["--permit", "--within", path], ["cat", "/dev/null"])
            #expect(finished.status != 0, "\(path)")
            #expect(learner.records.isEmpty)
        }
    }

    @Test func `options that do not go together are refused`() throws {
        let learner = try Learner(Caller.all[0])
        try learner.run(["--deny", "--permit"], ["cat"]).expectRefusal(64, "exclude each other")
        try learner.run(["--within", "/srv"], ["cat"]).expectRefusal(64, "--permit")
        try learner.run(["--permit", "--egress-group", "g"], ["cat"]).expectRefusal(64, "--egress-group")
        #expect(learner.records.isEmpty)
    }

    @Test func `a command that cannot be executed leaves no record`() throws {
        let learner = try Learner(Caller.all[0])
        #expect(try learner.run([], ["/no/such/program"]).status != 0)
        #expect(learner.records.isEmpty)
    }
}
