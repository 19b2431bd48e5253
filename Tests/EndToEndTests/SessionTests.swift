import Foundation
import Glibc
import Testing

/// A session, made and asked through the command line.
private struct TestSession {
    var jail: Jail
    let workspace: String

    init(_ caller: Caller, _ profile: String = Profiles.session) throws {
        jail = try Jail(caller, profile)
        workspace = try Scratch.directory("workspace")
        if Host.isRoot { unsafe chown(workspace, try Host.user.get().uid, try Host.user.get().gid) }
    }

    var id: String { jail.name }

    @discardableResult
    func call(_ words: String..., seconds: Double = 20) throws -> Finished {
        try jail.start(words: words).wait(seconds)
    }

    func createWords(_ options: [String] = []) throws -> [String] {
        let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
        return ["session", "create", "--id", id, "--profile", jail.profile, "--workspace", "\(workspace):/workspace"]
            + user + options
    }

    @discardableResult
    func create(_ options: [String] = []) throws -> Finished {
        let finished = try jail.start(words: createWords(options)).wait()
        try #require(finished.status == 0, "\(finished.errors)")
        return finished
    }

    func start(_ options: [String] = [], command: [String]) throws -> Running {
        try jail.start(words: ["session", "exec", id] + options + ["--"] + command)
    }

    func exec(_ options: [String] = [], command: [String], seconds: Double = 20) throws -> Finished {
        try start(options, command: command).wait(seconds)
    }

    func script(_ text: String, _ options: [String] = []) throws -> Finished {
        try exec(options, command: ["/bin/sh", "-c", text])
    }

    /// Ends it, and looks for what is left.
    func end() throws {
        // What the supervisor would say of a jail that ended by itself.
        #expect(!log.contains("ended") && !log.contains("supervise:"), "\(log)")
        let removed = try call("session", "remove", id)
        #expect(removed.status == 0, "\(removed.errors)")
        #expect(log.isEmpty)
        try jail.expectNothingLeft()
    }

    var log: String {
        String(
            decoding: FileManager.default.contents(atPath: "\(jail.stateDirectory)/logs/sessions/\(id).log") ?? Data(),
            as: UTF8.self)
    }

    func inspect() throws -> [String: Any] {
        let finished = try call("session", "inspect", id, "--json")
        try #require(finished.status == 0, "\(finished.errors)")
        return try #require(try JSONSerialization.jsonObject(with: finished.output) as? [String: Any])
    }

    var supervisor: Int32 { get throws { Int32(try #require(try inspect()["supervisor"] as? Int)) } }
}

@Suite struct SessionTests {
    @Test(arguments: Caller.all) func `a session is made once, and found again`(caller: Caller) throws {
        let session = try TestSession(caller)
        let first = try session.create(["--label", "a=b=c"])
        #expect(first.text == session.id + "\n")
        let supervisor = try session.supervisor
        // Labels are no part of what it is.
        #expect(try session.create(["--label", "a=z"]).text == session.id + "\n")
        #expect(try session.supervisor == supervisor)
        #expect(try session.inspect()["labels"] as? [String: String] == ["a": "b=c"])
        #expect(try session.inspect()["running"] as? Bool == true)
        try session.jail.start(words: session.createWords(["--memory", "64M"])).wait()
            .expectRefusal(122, "is there already, with another configuration")
        #expect(try session.supervisor == supervisor)
        #expect(try session.call("session", "list").lines.contains { $0.hasPrefix(session.id) })
        try session.end()
    }

    @Test(arguments: Caller.all) func `two who make the same session get the same one`(caller: Caller) throws {
        let session = try TestSession(caller)
        let both = try (0..<4).map { _ in try session.jail.start(words: session.createWords()) }
        for one in both {
            let finished = try one.wait()
            #expect(finished.status == 0, "\(finished.errors)")
            #expect(finished.text == session.id + "\n")
        }
        try session.end()
    }

    @Test(arguments: Caller.all) func `status, streams and arguments pass as they are`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let given = Scratch.file("in")
        try Data((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }).write(to: URL(fileURLWithPath: given))
        var jail = session.jail
        jail.standardInput = given
        let echoed = try jail.start(words: ["exec", session.id, "--", "/bin/cat"]).wait()
        #expect(echoed.status == 0)
        #expect(echoed.output == FileManager.default.contents(atPath: given))
        let told = try session.exec(command: [
            "/bin/sh", "-c", "printf '%s|' \"$0\" \"$@\"; echo no >&2; exit 9", "zero", "a b", "", "*",
        ])
        #expect(told.status == 9)
        #expect(told.text == "zero|a b||*|")
        #expect(told.errors == "no\n")
        #expect(try session.script("kill -TERM $$").status == 143)
        try session.exec(command: ["no-such-program"]).expectRefusal(127, "no-such-program", "process.programs")
        try session.exec(command: ["/etc/passwd"]).expectRefusal(126, "cannot be executed")
        try session.end()
    }

    @Test(.needs("python3"), arguments: Caller.all)
    func `what is no UTF-8 is an argument all the same, and sockets are streams`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        var jail = session.jail
        // Node's pipes are sockets.
        jail.wrapper = [
            "python3", "-c",
            """
            import socket, subprocess, sys
            ours, theirs = socket.socketpair()
            p = subprocess.Popen([w.encode() for w in sys.argv[1:]] + [b"\\xff\\xfe\\x0a"], stdin=theirs, stdout=theirs, stderr=2)
            theirs.close()
            ours.sendall(b"x" * 200000)
            ours.shutdown(socket.SHUT_WR)
            got = b""
            while part := ours.recv(65536): got += part
            print(p.wait(), len(got), got[-10:])
            """,
        ]
        let finished = try jail.start(
            words: ["exec", session.id, "--", "/bin/sh", "-c", "cat; printf %s \"$1\"", "sh"]
        ).wait()
        #expect(finished.text == "0 200003 b'xxxxxxx\\xff\\xfe\\n'\n", "\(finished.errors)")
        try session.end()
    }

    @Test(arguments: Caller.all) func `the environment is the session's, and what is given`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create(["--env", "MADE=with"])
        let file = Scratch.file("environment")
        try Scratch.write("A=1\nHOME=/workspace\nEMPTY=\nEQUALS=a=b\n", to: file)
        unsafe chmod(file, 0o600)
        if Host.isRoot, caller == .user { unsafe chown(file, try Host.user.get().uid, try Host.user.get().gid) }
        var jail = session.jail
        jail.environment = ["CALLER_SECRET": "x"]
        let words = ["exec", session.id, "--env-file", file, "--", "/usr/bin/env"]
        let variables = Set(try jail.start(words: words).wait().lines)
        #expect(variables.isSuperset(of: ["MADE=with", "A=1", "HOME=/workspace", "EMPTY=", "EQUALS=a=b", "USER=claw"]))
        #expect(variables.count == 9 || variables.count == 8, "\(variables)")
        #expect(!variables.contains { $0.hasPrefix("CALLER_SECRET") })
        unsafe chmod(file, 0o640)
        try jail.start(words: words).wait().expectRefusal(64, "nobody else can read", "chmod 600")
        // A line feed in a value: with NUL bytes between them.
        jail.before = "exec 7<\(file)"
        try Data("B=x\ny\0C=z\0".utf8).write(to: URL(fileURLWithPath: file))
        let lines = try jail.start(words: ["exec", session.id, "--env-fd", "7", "--", "/bin/sh", "-c", "echo \"$B$C\""])
            .wait().lines
        #expect(lines == ["x", "yz"])
        try Data("NOT A NAME=x\n".utf8).write(to: URL(fileURLWithPath: file))
        try jail.start(words: ["exec", session.id, "--env-fd", "7", "--", "/bin/true"]).wait()
            .expectRefusal(64, "entry 1 is not NAME=VALUE")
        try session.end()
    }

    @Test(arguments: Caller.all) func `the working directory does not lead out of its mount`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        #expect(
            try session.script("mkdir -p a/b; ln -s a/b in; ln -s /etc out; ln -s ../etc up; pwd").text
                == "/workspace\n")
        #expect(try session.script("pwd -P", ["--workdir", "/workspace/in"]).text == "/workspace/a/b\n")
        for place in ["/workspace/out", "/workspace/up", "/workspace/../etc"] {
            try session.script("pwd", ["--workdir", place]).expectRefusal(125, "leads out of the mount")
        }
        try session.script("pwd", ["--workdir", "/workspace/nowhere"]).expectRefusal(125, "must be a directory")
        try session.script("pwd", ["--workdir", "relative"]).expectRefusal(64, "absolute")
        try session.end()
    }

    @Test(arguments: Caller.all) func `all execs share one pid namespace and one /proc`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        // A background process of the first is there for the second.
        #expect(try session.script("setsid sleep 321 >/dev/null 2>&1 & echo started").text == "started\n")
        #expect(try session.script("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").text.contains("sleep 321"))
        let long = try session.start(command: ["/bin/sh", "-c", "touch here; sleep 322"])
        #expect(eventually { FileManager.default.fileExists(atPath: session.workspace + "/here") })
        #expect(try session.script("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").text.contains("sleep 322"))
        #expect(try session.inspect()["execs"] as? Int == 2)
        long.signal(SIGTERM)
        #expect(try long.wait().status == 143)
        try session.end()
    }

    @Test(arguments: Caller.all) func `kill ends every descendant, and says when there is none`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let running = try session.start(
            ["--exec-id", "one.1"],
            command: ["/bin/sh", "-c", "setsid sh -c 'setsid sleep 411 & sleep 412' & touch here; sleep 413"])
        #expect(eventually { FileManager.default.fileExists(atPath: session.workspace + "/here") })
        let other = try session.start(command: ["/bin/sleep", "414"])
        try session.script("true", ["--exec-id", "one.1"]).expectRefusal(122, "runs here already")
        #expect(try session.call("session", "kill", session.id, "--exec-id", "one.1").status == 0)
        #expect(try running.wait().status == 137)
        let left = try session.script("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").text
        #expect(!left.contains("sleep 411") && !left.contains("sleep 412") && !left.contains("sleep 413"))
        #expect(other.status == nil)
        try session.call("session", "kill", session.id, "--exec-id", "one.1").expectRefusal(
            120, "no exec named 'one.1'")
        other.signal(SIGINT)
        #expect(try other.wait().status == 130)
        try session.end()
    }

    @Test(.needs("python3"), arguments: Caller.all) func `a fork bomb is killed as well`(caller: Caller) throws {
        let session = try TestSession(caller, Profiles.session("limits: { processes: 64 }"))
        try session.create()
        let script = "import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"
        let bomb = try session.start(["--exec-id", "bomb"], command: ["python3", "-c", script])
        #expect(eventually { session.log.contains("process limit 64 reached") })
        let killed = try session.call("session", "kill", session.id, "--exec-id", "bomb")
        #expect(killed.status == 0, "\(killed.errors)")
        #expect(try bomb.wait().status == 137)
        #expect(try session.script("echo /proc/[0-9]*").text.split(separator: " ").count <= 2)
        try session.end()
    }

    @Test(arguments: Caller.all) func `a client that is killed takes its command along`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let client = try session.start(command: ["/bin/sh", "-c", "setsid sleep 511 & touch here; exec sleep 512"])
        #expect(eventually { FileManager.default.fileExists(atPath: session.workspace + "/here") })
        client.signal(SIGKILL)
        #expect(try client.wait().status == 137)
        #expect(
            try eventually { try !session.script("cat /proc/[0-9]*/cmdline | tr '\\0' ' '").text.contains("sleep 51") })
        try session.end()
    }

    @Test(arguments: Caller.all) func `what is executed is as confined as everything`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let status = try session.script("cat /proc/self/status").lines
        for line in [
            "CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
            "CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2",
        ] {
            #expect(status.contains(line), "\(line)")
        }
        #expect(status.contains { $0.hasPrefix("Uid:\t1000\t") })
        #expect(try session.script("ls /proc/self/fd").lines == ["0", "1", "2", "3"])
        #expect(try session.script("umask").text == "0022\n")
        #expect(try session.script("cat /proc/1/environ").status != 0)
        #expect(try session.script("kill -9 1; echo still here").text == "still here\n")
        try session.end()
    }

    @Test(arguments: Caller.all) func `a terminal of its own, where one is asked for`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let terminal = try TerminalSession(
            session.jail,
            words: ["exec", session.id, "--tty", "--", "/bin/sh", "-c", "stty size; tty; read x; echo got$x; exit 5"])
        try terminal.expect("24 80")
        try terminal.expect("/dev/pts/0")
        terminal.type("it\n")
        try terminal.expect("gotit")
        #expect(try terminal.finish().status == 5)
        try session.end()
    }

    @Test(arguments: Caller.all) func `removed twice is no failure, and unknown is one`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        #expect(try session.call("session", "remove", session.id).status == 0)
        let again = try session.call("session", "remove", session.id)
        #expect(again.status == 0 && again.errors.contains("nothing to remove"))
        try session.call("session", "exec", session.id, "--", "/bin/true").expectRefusal(120, "no jail named")
        try session.call("session", "inspect", session.id).expectRefusal(120, "there is no session")
        try session.call("session", "kill", session.id, "--exec-id", "x").expectRefusal(120, "no jail named")
        try session.call("session", "exec", "../x", "--", "/bin/true").expectRefusal(64, "is not a name")
        try session.end()
    }

    /// The ordinary user has a run directory of its own here; root's is swept by whoever starts another jail meanwhile.
    @Test func `a session whose supervisor was killed is dead, and can be made anew`() throws {
        let session = try TestSession(.user)
        try session.create()
        let background = try session.start(command: ["/bin/sleep", "611"])
        #expect(try eventually { try session.inspect()["execs"] as? Int == 1 })
        let supervisor = try session.supervisor
        kill(supervisor, SIGKILL)
        let client = try background.wait()
        #expect(client.status == 137 && client.errors.contains("the jail has ended"))
        #expect(eventually { !Tree.isAlive(supervisor) })
        try session.script("true").expectRefusal(121, "is not running")
        #expect(try session.inspect()["running"] as? Bool == false)
        #expect(try session.call("session", "list").lines.contains { $0.hasPrefix(session.id) && $0.contains("dead") })
        try session.create()
        #expect(try session.script("echo anew").text == "anew\n")
        kill(try session.supervisor, SIGKILL)
        #expect(try session.call("session", "prune").lines == [session.id])
        try session.end()
    }

    /// Root's would be those of the tests beside this one.
    @Test func `prune removes what is idle or old, and nothing else`() throws {
        let session = try TestSession(.user)
        try session.create()
        #expect(try session.call("session", "prune").output.isEmpty)
        sleep(2)
        let running = try session.start(command: ["/bin/sleep", "711"])
        #expect(try eventually { try session.inspect()["execs"] as? Int == 1 })
        sleep(2)
        #expect(try session.call("session", "prune", "--idle", "1s").output.isEmpty)
        running.signal(SIGTERM)
        try running.wait()
        sleep(3)
        #expect(try session.call("session", "prune", "--idle", "1s").lines == [session.id])
        try session.create()
        sleep(2)
        #expect(try session.call("session", "prune", "--age", "1s").lines == [session.id])
        try session.call("session", "prune", "--idle", "1x").expectRefusal(64, "--idle")
        try session.end()
    }

    @Test(arguments: Caller.all) func `read-only directories lie in a writable one`(caller: Caller) throws {
        let session = try TestSession(caller)
        let skills = try Scratch.directory("skills")
        try Scratch.write("read me", to: skills + "/file")
        let agent = try Scratch.directory("agent")
        try Scratch.write("agent", to: agent + "/file")
        try session.create([
            "--ro", "\(skills):/workspace/made/skills", "--agent", "\(agent):/agent:ro",
        ])
        #expect(try session.script("cat made/skills/file /agent/file").text == "read meagent")
        #expect(try session.script("echo x > made/skills/file").errors.contains("Read-only"))
        #expect(try session.script("echo x > /agent/file").errors.contains("Read-only"))
        #expect(try session.script("rmdir made/skills; rm -rf made/skills; ls made/skills").text == "file\n")
        // Nor can something else take its place.
        #expect(try session.script("mv made gone").errors.contains("busy"))
        #expect(try session.script("echo x > made/other && cat made/other").text == "x\n")
        try session.end()
        // What was made for it is the workspace's own.
        #expect(FileManager.default.fileExists(atPath: session.workspace + "/made/skills"))
        // A symlink there is not followed.
        let victim = try Scratch.directory("victim", mode: 0o777)
        try FileManager.default.removeItem(atPath: session.workspace + "/made/skills")
        try FileManager.default.removeItem(atPath: session.workspace + "/made/other")
        try FileManager.default.removeItem(atPath: session.workspace + "/made")
        try FileManager.default.createSymbolicLink(atPath: session.workspace + "/made", withDestinationPath: victim)
        try session.jail.start(words: session.createWords(["--ro", "\(skills):/workspace/made/skills"])).wait()
            .expectRefusal(125, "mounts:")
        #expect(try FileManager.default.contentsOfDirectory(atPath: victim).isEmpty)
    }

    @Test(arguments: Caller.all) func `a read-only workspace is one`(caller: Caller) throws {
        let session = try TestSession(caller)
        var words = try session.createWords()
        words[words.firstIndex(of: "\(session.workspace):/workspace")!] += ":ro"
        #expect(try session.jail.start(words: words).wait().status == 0)
        #expect(try session.script("echo x > file").errors.contains("Read-only"))
        try session.end()
    }

    @Test(arguments: Caller.all) func `exec works in any jail`(caller: Caller) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 811"])
        let listed = try jail.start(words: [
            "exec", jail.name, "--", "/bin/sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '",
        ])
        .wait()
        #expect(listed.text.contains("sleep 811"))
        #expect(try jail.start(words: ["stop", jail.name]).wait().status == 0)
        #expect(try running.wait().status == 143)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a directory is no stream`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        var jail = session.jail
        jail.standardInput = "/etc"
        // The client reads it in the command's place, and the command never has it.
        let finished = try jail.start(words: [
            "exec", session.id, "--", "/bin/sh", "-c", "readlink /proc/self/fd/0; cat",
        ])
        .wait()
        #expect(finished.status == 0 && finished.text.hasPrefix("pipe:"))
        try session.end()
    }

    // MARK: Attacks from inside

    @Test(.needs("python3"), arguments: Caller.all)
    func `init's limits and share of the processor are not for the payload to change`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        let script = """
            import os, resource, sys
            def refused(call):
                try: call()
                except PermissionError: return True
            print(refused(lambda: resource.prlimit(1, resource.RLIMIT_NOFILE, (3, 3))))
            print(refused(lambda: os.sched_setaffinity(1, {0})))
            print(refused(lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0))))
            print(refused(lambda: os.setpriority(os.PRIO_PROCESS, 1, 19)))
            print(resource.prlimit(0, resource.RLIMIT_NOFILE) == (1024, 1024), os.sched_setaffinity(0, {0}))
            """
        #expect(
            try session.exec(command: ["python3", "-c", script]).lines == ["True", "True", "True", "True", "True None"])
        try session.end()
    }

    @Test(.needs("python3"), arguments: Caller.all)
    func `what stops a command on its way stops nobody else`(caller: Caller) throws {
        let session = try TestSession(caller)
        try session.create()
        // Whatever gets one of the next process numbers is stopped as soon as it is there.
        let script = """
            import os, signal, time
            open("/workspace/begun", "w").close()
            end = time.time() + 3
            while time.time() < end:
                for pid in range(os.getpid() + 1, os.getpid() + 400):
                    try: os.kill(pid, signal.SIGSTOP)
                    except ProcessLookupError: pass
            """
        let attacker = try session.start(["--exec-id", "attack"], command: ["python3", "-c", script])
        #expect(eventually { FileManager.default.fileExists(atPath: session.workspace + "/begun") })
        let victims = try (0..<8).map { try session.start(["--exec-id", "v\($0)"], command: ["/bin/true"]) }
        // Each is over, or stopped and can be ended: init goes on in any case.
        #expect(try attacker.wait().status == 0)
        for (number, victim) in victims.enumerated() where !eventually(0.2, { victim.status != nil }) {
            #expect(try session.call("session", "kill", session.id, "--exec-id", "v\(number)").status == 0)
            #expect(try victim.wait().status == 137)
        }
        #expect(try session.script("echo on").text == "on\n")
        try session.end()
    }

    @Test(.needs("python3"), arguments: Caller.all)
    func `descriptors on their way through sockets stop nobody else`(caller: Caller) throws {
        var session = try TestSession(caller)
        try session.create()
        // As a login gives it to its shell.
        session.jail.before = "ulimit -S -n 256"
        let script = """
            import array, os, socket, time
            held = []
            def fill(count):
                null = os.open("/dev/null", os.O_RDONLY)
                while True:
                    a, b = socket.socketpair()
                    held.append((a, b))
                    try:
                        for _ in range(8):
                            a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [null] * 100))])
                    except OSError as error: return error.errno
            print(fill(1), flush=True)
            open("/workspace/full", "w").close()
            time.sleep(60)
            """
        let attacker = try session.start(["--exec-id", "attack"], command: ["python3", "-c", script])
        #expect(eventually { FileManager.default.fileExists(atPath: session.workspace + "/full") })
        // ETOOMANYREFS: it has all that it may have.
        #expect(eventually { attacker.text == "109\n" }, "\(attacker.text)")
        let other = try session.script("echo on")
        #expect(other.text == "on\n", "\(other.errors)")
        #expect(try session.call("session", "kill", session.id, "--exec-id", "attack").status == 0)
        #expect(try session.script("echo on").text == "on\n")
        try session.end()
    }

    @Test(arguments: Caller.all) func `the background process has nothing open of its caller's`(caller: Caller) throws {
        let session = try TestSession(caller)
        var jail = session.jail
        jail.before = "exec 7</etc/hostname"
        #expect(try jail.start(words: session.createWords()).wait().status == 0)
        let files = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(try session.supervisor)/fd")
        for file in files {
            let target = try? FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(try session.supervisor)/fd/\(file)")
            #expect(target != "/etc/hostname")
        }
        try session.end()
    }

    @Test(arguments: Caller.all) func `names of more than ASCII are pinned as others are`(caller: Caller) throws {
        let session = try TestSession(caller)
        let skills = try Scratch.directory("skills")
        try session.create(["--ro", "\(skills):/workspace/\u{E9}\u{E9}/bcdef/target"])
        #expect(try session.script("ls; ls *; ls */*").lines == ["\u{E9}\u{E9}", "bcdef", "target"])
        #expect(try session.script("mv */bcdef moved").errors.contains("busy"))
        try session.end()
    }
}
