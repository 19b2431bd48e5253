import Foundation
import Testing

/// What a program inside sees of commands: those that are listed run, and nothing else does, however it is asked for.
@Suite(.serialized, .needs("python3")) struct CommandTests {
    /// Stand-ins: what `npm test` says is "test".
    private static let profile = """
        {
          process: { programs: ['python3'] },
          filesystem: { tmp: '16M' },
          limits: { memory: '512M', processes: 64, cpus: 1 },
          optional: ['groups'],
          commands: [
            { program: '/usr/bin/echo', name: 'npm', arguments: ['test'], workingDirectory: '/tmp' },
            { program: '/usr/bin/true', name: 'git', arguments: ['push', 'origin'], flags: ['-q'], deny: ['--force'] },
            { program: '/usr/bin/cat' },
            { program: '/usr/bin/sleep', arguments: ['60'] },
            { program: '/usr/bin/stty', arguments: ['size'] },
            { program: '/usr/bin/echo', name: 'say', arguments: ['hello'], ask: true },
          ],
        }
        """.json

    private static let script = """
        import array, json, os, pty, signal, socket, struct, subprocess, fcntl, termios, time
        PATH = '/run/clawjail/commands.sock'
        found = {}
        def run(name, words, **options):
            done = subprocess.run(words, capture_output=True, timeout=60, **options)
            found[name] = [done.returncode, done.stdout.decode(), done.stderr.decode()]
        def request(words, mark=0x31646d63):
            data = struct.pack('<III', mark, 0xFFFFFFFF, len(words))
            return data + b''.join(struct.pack('<I', len(w)) + w for w in words)
        def connect():
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(PATH)
            s.settimeout(60)
            return s
        def send(s, data, descriptors):
            s.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array('i', descriptors))])
        def hear(s):
            try:
                return list(s.recv(1 << 16)[:1])
            except OSError as error:
                return [str(error)]
        null = os.open('/dev/null', os.O_RDWR)
        def ask(name, data, descriptors=[null] * 3):
            s = connect()
            try:
                send(s, data, descriptors)
            except OSError as error:
                found[name] = ['error', error.errno]
                return
            found[name] = hear(s)
        run('line', ['/bin/sh', '-c', 'npm test'])
        run('login', ['sh', '-lc', "npm 'test'"])
        run('called', ['npm', 'test'])
        run('denied', ['git', 'push', 'origin', '--force'])
        run('allowed', ['git', 'push', '-q', 'origin'])
        run('input', ['cat'], input=b'through')
        run('file', ['cat'], stdin=open(__file__))
        run('list', ['sh', '-c', 'npm test; id'])
        run('evil', ['npm', 'run', 'evil'])
        run('node', ['sh', '-c', "node -e 'process.exit(0)'"])
        run('renamed', ['git', 'test'], executable='/usr/local/bin/npm')
        run('large', ['npm'] + ['x' * 100000] * 18)
        run('line break', ['npm', 'test\\n'])
        run('line break in a line', ['sh', '-c', 'npm test\\nid'])
        slow = subprocess.Popen(['sleep', '60'])
        time.sleep(0.3)
        slow.send_signal(signal.SIGTERM)
        found['ended'] = [slow.wait()]
        ours, theirs = pty.openpty()
        fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack('HHHH', 33, 77, 0, 0))
        subprocess.run(['stty', 'size'], stdin=theirs, stdout=theirs, stderr=theirs, timeout=60)
        found['terminal'] = [os.read(ours, 1000).decode()]
        npm = request([b'npm', b'test'])
        ask('spoken', npm)
        ask('nothing', b'')
        ask('no words', request([]))
        ask('NUL', request([b'npm', b'test\\0']))
        ask('other name', request([b'id']))
        ask('other mark', request([b'npm', b'test'], mark=1))
        ask('cut', npm[:-1])
        ask('more', npm + b'x')
        ask('no streams', npm, [])
        ask('four streams', npm, [null] * 4)
        ask('a directory', npm, [null, null, os.open('/tmp', os.O_RDONLY)])
        ask('2 MB', request([b'npm', b'x' * (2 << 20)]))
        s = connect()
        send(s, request([b'sleep', b'60']), [null] * 3)
        first = hear(s)
        send(s, npm, [null] * 3)
        found['again'] = [first, hear(s)]
        print(json.dumps(found))
        """

    @Test(arguments: Caller.all) func `what is listed runs, and nothing else, however it is asked for`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Self.profile)
        let file = Scratch.file("program") + ".py"
        try Scratch.write(Self.script, to: file)
        let finished = try jail.run(
            ["--read", "\(file):/program.py"], command: ["python3", "-B", "/program.py"], seconds: 90)
        #expect(finished.status == 0, "\(finished.errors)")
        let found = try #require(
            try JSONSerialization.jsonObject(with: finished.output) as? [String: [Any]],
            "\(finished.text) \(finished.errors)")
        func status(_ name: String) -> Int? { found[name]?.first as? Int }
        func text(_ name: String, _ index: Int = 1) -> String { found[name]?[index] as? String ?? "" }

        for name in ["line", "login", "called"] {
            #expect(
                status(name) == 0 && text(name) == "test\n" && text(name, 2).isEmpty, "\(name): \(found[name] ?? [])")
        }
        #expect(status("allowed") == 0, "\(found["allowed"] ?? [])")
        #expect(status("input") == 0 && text("input") == "through", "\(found["input"] ?? [])")
        #expect(status("file") == 0 && text("file").contains("import array"), "\(found["file"] ?? [])")
        for (name, reason) in [
            ("denied", "commands[1] denies '--force'"), ("list", "';'"), ("evil", "'run' is not \"test\""),
            ("node", "no rule of commands names 'node'"), ("renamed", "called as 'git', and this is 'npm'"),
            ("large", "at most 256 words and 65536 bytes"), ("line break", "U+000A"),
            ("line break in a line", "line break"),
        ] {
            #expect(
                status(name) == 126 && text(name).isEmpty && text(name, 2).contains("clawjail: not permitted: "),
                "\(name): \(found[name] ?? [])")
            #expect(text(name, 2).contains(reason), "\(name): \(found[name] ?? [])")
        }
        #expect(status("ended") == 143, "\(found["ended"] ?? [])")
        #expect(text("terminal", 0).contains("33 77"), "\(found["terminal"] ?? [])")
        try expectAnswers(found)
        let log = try jail.start(words: ["audit", "show", jail.name]).wait().text
        #expect(log.contains("command allowed npm test (commands[0], jail)"), "\(log)")
        #expect(log.contains("command denied git push origin --force (commands[1]): commands[1] denies"), "\(log)")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `what asks waits for a yes, and each yes is one call`(caller: Caller) throws {
        let jail = try Jail(caller, Self.profile)
        let script = """
            import subprocess
            print('up', flush=True)
            for _ in range(2):
                done = subprocess.run(['say', 'hello'], capture_output=True)
                print(done.returncode, done.stdout, done.stderr, flush=True)
            """
        let running = try jail.startAndAwait("up", command: ["python3", "-c", script, jail.name])
        let asked = try ApprovalTests.awaitQuestion(jail, 1)
        #expect(asked.contains("in the jail") && asked.contains("commands[5] asks about every call"), "\(asked)")
        if caller == .user { #expect(try askFromOutside(jail.name).contains("is no process of this jail")) }
        let approved = try jail.start(words: ["approvals", "approve", jail.name, "1"]).wait()
        #expect(approved.text.contains("as grant 1"), "\(approved.errors)")
        _ = try ApprovalTests.awaitQuestion(jail, 2)
        _ = try jail.start(words: ["approvals", "deny", jail.name, "2", "--reason", "once was enough"]).wait()
        let finished = try running.wait(20)
        #expect(finished.text.contains("0 b'hello\\n' b''"), "\(finished.text) \(finished.errors)")
        #expect(finished.text.contains("126 b''") && finished.text.contains("it was denied (once was enough)"))
        let log = try jail.start(words: ["audit", "show", jail.name]).wait().text
        #expect(log.contains("command allowed say hello (commands[5], jail) by grant 1"), "\(log)")
    }

    /// Connects through what /proc shows of the jail's files, as the user that its processes are as well.
    ///
    /// - Parameter mark: an argument of the jail's command.
    private func askFromOutside(_ mark: String) throws -> String {
        let script = """
            import os, socket, sys
            own = os.readlink('/proc/self/ns/pid')
            for pid in filter(str.isdigit, os.listdir('/proc')):
                try:
                    line = open(f'/proc/{pid}/cmdline').read()
                    if sys.argv[1] not in line or 'python' not in os.readlink(f'/proc/{pid}/exe'): continue
                    if os.readlink(f'/proc/{pid}/ns/pid') == own: continue
                    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
                    s.settimeout(20)
                    s.connect(f'/proc/{pid}/root/run/clawjail/commands.sock')
                    print(s.recv(1 << 16))
                except OSError as error:
                    print(error)
            """
        guard Host.isRoot else { return try shell("python3 -c \"$1\" \"$2\"", script, mark).text }
        let user = try Host.user.get()
        return try shell(
            "exec setpriv --reuid=\(user.uid) --regid=\(user.gid) --clear-groups python3 -c \"$1\" \"$2\"", script, mark
        ).text
    }

    /// Of whoever speaks to the socket without a stub: 1 is accepted, 3 refused.
    private func expectAnswers(_ found: [String: [Any]]) throws {
        #expect(found["spoken"] as? [Int] == [1])
        for name in [
            "no words", "NUL", "other name", "other mark", "cut", "more", "no streams", "four streams", "a directory",
        ] { #expect(found[name] as? [Int] == [3], "\(name): \(found[name] ?? [])") }
        #expect(found["nothing"] as? [Int] == [], "\(found["nothing"] ?? [])")
        #expect(found["2 MB"]?.first as? String == "error", "\(found["2 MB"] ?? [])")
        // The second request has ended the first, and has no answer of its own.
        let again = found["again"] as? [[Int]]
        #expect(again == [[1], []], "\(found["again"] ?? [])")
    }
}
