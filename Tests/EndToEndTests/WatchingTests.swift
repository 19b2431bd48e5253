import Foundation
import Glibc
import Testing

/// What an operator sees of running jails, held against what they really did and what the kernel says.
@Suite(.needs("curl")) struct WatchingTests {
    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(30)
    }

    private func object(_ finished: Finished) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: finished.output) as? [String: Any], "\(finished.errors)")
    }

    @Test(arguments: Caller.all) func `figures are what was really done`(caller: Caller) throws {
        let origin = try Origin("0123456789")
        let profile = Profiles.session(
            "network: { allow: [{ hosts: ['127.0.0.1'], ports: [\(origin.port)], schemes: ['http'] }], "
                + "allowPrivate: ['127.0.0.1/32'] }")
        var jail = try Jail(caller, profile)
        // Somebody listens to events: what is allowed is counted.
        jail.before = "exec 9>/dev/null"
        let script = """
            ask() { curl -s -o /dev/null -m 9 "$@"; }
            for i in 1 2 3; do ask http://127.0.0.1:\(origin.port)/; done
            ask -d x http://127.0.0.1:\(origin.port)/; ask -d x http://127.0.0.1:\(origin.port)/
            echo done; exec sleep 60
            """
        let running = try jail.startAndAwait("done", ["--status-fd", "9"], command: ["/bin/sh", "-c", script])
        #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/true").status == 0)
        var network: [String: Any] = [:]
        _ = try eventually(5) {
            network = try object(clawjail(jail, "stats", jail.name, "--json"))["network"] as? [String: Any] ?? [:]
            return network["requestsLastMinute"] as? Int == 5
        }
        #expect(network["requestsLastMinute"] as? Int == 5 && network["denialsLastMinute"] as? Int == 2, "\(network)")
        let requests = network["requests"] as? [String: Int]
        #expect(requests == ["allowed": 3, "denied": 2, "failed": 0])
        #expect(network["receivedBytes"] as? Int ?? 0 >= 30, "\(network)")

        let inspected = try object(clawjail(jail, "inspect", jail.name, "--json"))
        #expect((inspected["planDigest"] as? String)?.count == 64)
        #expect((inspected["plan"] as? [String: Any])?["name"] as? String == jail.name)
        let texts = (inspected["events"] as? [[String: Any]])?.compactMap { $0["text"] as? String } ?? []
        #expect(texts.contains { $0.hasPrefix("denied POST http://127.0.0.1:\(origin.port)/") }, "\(texts)")
        #expect(texts.contains("executed /bin/true"), "\(texts)")

        let metrics = try clawjail(jail, "metrics").text
        let labels = #"{jail="\#(jail.name)",profile="test",verdict="denied"}"#
        #expect(metrics.contains("clawjail_network_requests_total\(labels) 2\n"), "\(metrics)")
        let table = try clawjail(jail, "top", "--once")
        #expect(table.status == 0 && table.text.contains(jail.name.prefix(8)) && !table.output.contains(0x1B))
        running.signal(SIGTERM)
        _ = try running.wait()
    }

    @Test func `memory and processes are those of the kernel's files`() throws {
        let jail = try Jail(Caller.all[0])
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 60 & exec sleep 60"])
        defer { running.signal(SIGKILL) }
        let groups = try jail.cgroups
        func kernel(_ names: String...) -> Int? {
            for group in groups {
                for name in names {
                    if let text = try? String(contentsOfFile: "\(group)/\(name)", encoding: .utf8) {
                        return Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
                    }
                }
            }
            return nil
        }
        let stats = try object(clawjail(jail, "stats", jail.name, "--json"))
        #expect((stats["processes"] as? [String: Any])?["current"] as? Int == kernel("pids.current"))
        let memory = (stats["memory"] as? [String: Any])?["current"] as? Int ?? -1
        let counted = try #require(kernel("memory.current", "memory.usage_in_bytes"))
        // The kernel counts in batches for each processor.
        #expect(abs(memory - counted) < 4 << 20, "\(memory) \(counted)")
        #expect(((stats["cpu"] as? [String: Any])?["usageMicroseconds"] as? Int) != nil)
    }

    @Test(arguments: Caller.all) func `logs follow a jail to its end, and past the place where they are put aside`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller)
        defer { for end in [".log", ".log.1"] { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name)\(end)") } }
        try clawjail(jail, "logs", jail.name).expectRefusal(120, "there is no log")
        let script = "printf 'one\\033[2J\\n'; sleep 2; yes 0123456789abcde | head -c 20971520; echo last"
        #expect(try jail.run(["--detach"], command: ["/bin/sh", "-c", script]).status == 0)
        let followed = try jail.start(words: ["logs", "--follow", jail.name]).wait(60)
        #expect(followed.status == 0 && followed.output.count == 20_971_520 + "one\u{1B}[2J\n".utf8.count + 5)
        #expect(followed.output.suffix(5) == Data("last\n".utf8))
        #expect(try clawjail(jail, "logs", "-n", "2", jail.name).text == "0123456789abcde\nlast\n")
        #expect(try clawjail(jail, "logs", "-n", "0", jail.name).text.isEmpty)
        // Lines of both files.
        #expect(try clawjail(jail, "logs", "-n", "1200000", jail.name).lines.count == 1_200_000)
    }

    @Test func `a log on a terminal does not act on it`() throws {
        let jail = try Jail(Caller.all[0])
        defer { unsafe unlink("\(jail.stateDirectory)/logs/\(jail.name).log") }
        let script = "printf 'a\\033]0;title\\007\\n'"
        #expect(try jail.run(["--detach"], command: ["/bin/sh", "-c", script]).status == 0)
        let escaped = try TerminalSession(jail, words: ["logs", "-f", jail.name]).finish()
        #expect(escaped.text == "a\\x1b]0;title\\x07\r\n")
        let raw = try TerminalSession(jail, words: ["logs", "--raw", jail.name]).finish()
        #expect(raw.text == "a\u{1B}]0;title\u{7}\r\n")
    }

    @Test(arguments: ["q", "\u{3}"]) func `top draws, asks before it stops a jail, and leaves the terminal as it was`(
        leave: String
    ) throws {
        let jail = try Jail(.user)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        let terminal = try TerminalSession(jail, words: ["top", "--interval", "0.2"])
        try terminal.expect("\u{1B}[?1049h")
        try terminal.expect("1 jail")
        terminal.type("x")
        try terminal.expect("stop '")
        terminal.type("n")
        try terminal.expect("not done")
        #expect(running.status == nil)
        terminal.type("xy")
        #expect(eventually(10) { running.status != nil })
        terminal.type(leave)
        let finished = try terminal.finish()
        #expect(finished.status == 0 && finished.text.contains("\u{1B}[?25h\u{1B}[?1049l"))
    }

    @Test(arguments: [SIGTERM, SIGHUP, SIGINT]) func `top that is ended by a signal leaves the terminal as it was`(
        signal: Int32
    ) throws {
        let jail = try Jail(.user)
        let terminal = try TerminalSession(jail, words: ["top", "--interval", "0.2"])
        try terminal.expect("no jail is running", 10)
        let raw = terminal.attributes
        terminal.running.signal(signal)
        let finished = try terminal.finish()
        #expect(finished.text.contains("\u{1B}[?1049l") && terminal.attributes != raw)
    }

    @Test func `top without a terminal, and metrics for everybody, are refused`() throws {
        var jail = try Jail(.user)
        try clawjail(jail, "top").expectRefusal(64, "--once")
        jail.environment["TERM"] = "dumb"
        #expect(try TerminalSession(jail, words: ["top"]).finish().status == 64)
        for place in ["0.0.0.0:9464", "10.0.0.1:9464", "9464", "[::]:9464", "127.0.0.1:0", "127.0.0.1:65536"] {
            #expect(try clawjail(jail, "metrics", "--listen", place).status == 64, "\(place)")
        }
    }

    @Test func `metrics are served on a socket of the user's own, which goes with its server`() throws {
        let jail = try Jail(.user)
        let path = "\(jail.home)/metrics.sock"
        let server = try jail.start(words: ["metrics", "--listen", path])
        #expect(eventually(5) { FileManager.default.fileExists(atPath: path) }, "\(server.errorText)")
        var status = stat()
        #expect(unsafe stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        let reply = try shell("curl -s -i --unix-socket \"$1\" http://x/metrics", path)
        #expect(reply.text.hasPrefix("HTTP/1.1 200 OK\r\n") && reply.text.contains("\nclawjail_jails 0\n"))
        // It is taken, and stays; so does what is no socket.
        try clawjail(jail, "metrics", "--listen", path).expectRefusal(125, path)
        try clawjail(jail, "metrics", "--listen", jail.profile).expectRefusal(125, jail.profile)
        server.signal(SIGKILL)
        _ = try server.wait()
        // What a killed one has left is no obstacle.
        let next = try jail.start(words: ["metrics", "--listen", path])
        #expect(eventually(5) { (try? shell("curl -s --unix-socket \"$1\" http://x/metrics", path).status) == 0 })
        next.signal(SIGTERM)
        #expect(try next.wait().status == 0 && !FileManager.default.fileExists(atPath: path))
    }
}
