import Foundation
import Glibc
import Testing

/// The audit of a host with a gateway that really runs: outside of any jail first, and what is left when that is mended.
@Suite(.needsRoot) struct HostAuditTests {
    private let user: Host.Account
    private let directory: String

    init() throws {
        user = try Host.user.get()
        directory = Scratch.file("state")
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let configuration = """
            { gateway: { bind: "loopback", auth: { mode: "token", token: "${OPENCLAW_GATEWAY_TOKEN}" } },
              agents: { defaults: { sandbox: { mode: "non-main", backend: "clawjail" } } } }
            """
        for (name, text) in [("openclaw.json", configuration), (".env", "A=1"), ("credentials/x.json", "{}")] {
            let path = "\(directory)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try Scratch.write(text, to: path)
            unsafe chmod(path, 0o644)
        }
        unsafe chmod("\(directory)/credentials", 0o755)
        unsafe chmod(directory, 0o777)
        _ = try shell("chown -R \(user.uid):\(user.gid) \"$1\"", directory)
    }

    /// As that user, with no groups; the kernel then lets only root look into its gateway's descriptors if it was root's.
    private func asUser(_ words: [String], environment: [String: String] = [:]) throws -> Running {
        try Running(
            ["setpriv", "--reuid=\(user.uid)", "--regid=\(user.gid)", "--clear-groups"] + words,
            environment: Host.environment.merging(["HOME": directory]) { $1 }.merging(environment) { $1 })
    }

    private func audit(_ options: String..., byRoot: Bool = false) throws -> Finished {
        let words = [try Host.clawjail, "host-audit", "--state", directory] + options
        return try (byRoot ? Running(words, environment: Host.environment) : asUser(words)).wait(60)
    }

    private struct Report: Decodable {
        struct Gateway: Decodable {
            var pid: Int32
            var user: String
            var confinement: String
            var listens: [String]
        }
        struct Finding: Decodable {
            var id: String
            var severity: String
            var subject: String
        }
        var gateways: [Gateway]
        var findings: [Finding]
        var mended: [String]
        var good: Bool

        /// Of that process, or of anything below that path.
        func ids(about text: String) -> Set<String> { Set(findings.filter { $0.subject.contains(text) }.map(\.id)) }
    }

    private func report(_ finished: Finished) throws -> Report {
        try JSONDecoder().decode(Report.self, from: finished.output)
    }

    /// Python that calls itself what the gateway does, and waits at a port of all addresses.
    private func startGateway() throws -> (Running, port: String) {
        let ready = Scratch.file("ready")
        let script = """
            import socket, sys, time
            open('/proc/self/comm', 'w').write('openclaw-gateway')
            s = socket.socket()
            s.bind(('0.0.0.0', 0))
            s.listen()
            open(sys.argv[1], 'w').write(str(s.getsockname()[1]))
            time.sleep(300)
            """
        try Scratch.write("", to: ready)
        unsafe chown(ready, user.uid, user.gid)
        let running = try asUser(
            ["/usr/bin/python3", "-c", script, ready, "--token", "hunter2hunter2"],
            environment: ["OPENAI_API_KEY": "sk-Zq9Zq9Zq9Zq9Zq9Zq9Zq9"])
        let port = { (try? String(contentsOfFile: ready, encoding: .utf8)) ?? "" }
        try #require(eventually { !port().isEmpty }, "\(running.errorText)")
        return (running, port())
    }

    @Test(.timeLimit(.minutes(2))) func `a gateway outside of any jail is found with its weaknesses`() throws {
        let (gateway, port) = try startGateway()
        defer {
            gateway.signal(SIGKILL)
            _ = try? gateway.wait()
        }
        let finished = try audit("--json", byRoot: true)
        #expect(finished.status == 1, "\(finished.errors)")
        #expect(!finished.text.contains("hunter2") && !finished.text.contains("Zq9"))
        let report = try report(finished)
        let found = try #require(report.gateways.first { $0.pid == gateway.pid })
        #expect(found.user == user.name)
        #expect(found.confinement == "in no jail")
        #expect(found.listens == ["0.0.0.0:\(port)"])
        let ids = report.ids(about: "process \(gateway.pid) ")
        #expect(
            ids.isSuperset(of: [
                "host.gateway.not_jailed", "host.gateway.new_privileges", "host.gateway.secret_in_arguments",
                "host.gateway.secret_in_environment", "host.listen.non_loopback",
            ]), "\(ids)")
        #expect(ids.isDisjoint(with: ["host.gateway.root", "host.gateway.capabilities"]), "\(ids)")
    }

    @Test(.timeLimit(.minutes(2))) func `what is the caller's own is mended, and then nothing is found there`() throws {
        let before = try report(try audit("--json"))
        #expect(
            before.ids(about: directory) == [
                "fs.state_dir.perms_world_writable", "fs.config.perms_world_readable", "host.env_file.perms_readable",
                "fs.credentials_dir.perms_readable",
            ])
        // Root is not the owner, and mends nothing.
        #expect(try report(try audit("--json", "--fix", "--yes", byRoot: true)).mended == [])
        // Nobody can be asked.
        let unasked = try audit("--fix")
        #expect(unasked.status == 64)
        #expect(unasked.errors.contains("--yes"))
        let mended = try report(try audit("--json", "--fix", "--yes"))
        #expect(mended.mended.count == 5, "\(mended.mended)")
        #expect(mended.ids(about: directory) == [])
        #expect(try report(try audit("--json")).ids(about: directory) == [])
        #expect(
            try shell("stat -c %a \"$1\" \"$1/.env\" \"$1/credentials\"", directory).lines == ["700", "600", "700"])
    }

    @Test(.timeLimit(.minutes(2))) func `on a terminal each change is asked for`() throws {
        let words = ["host-audit", "--state", directory, "--fix"]
        let session = try TerminalSession(try Jail(.user), words: words)
        try session.expect("(it is 777)? [y/N/q]")
        session.type("n\n")
        try session.expect("openclaw.json' (it is 644)? [y/N/q]")
        session.type("y\n")
        try session.expect("mended: chmod 600")
        session.type("q\n")
        try session.expect("found: ")
        #expect(try session.finish().status == 1)
        let modes = try shell("stat -c %a \"$1/openclaw.json\" \"$1/.env\" \"$1\"", directory).lines
        #expect(modes == ["600", "644", "777"])
    }

    @Test(.timeLimit(.minutes(2))) func `a gateway in a jail is found, and nothing is said of its walls`() throws {
        let jail = try Jail(
            .root, "{ extends: 'session', process: { programs: ['/usr/bin/', 'PROBE'], shell: true } }".json)
        let finished = try jail.run(
            ["--detach"], command: ["/bin/bash", "-c", "exec -a openclaw-gateway sleep 300"], seconds: 60)
        try #require(finished.status == 0, "\(finished.errors)")
        defer { _ = try? jail.start(words: ["stop", jail.name]).wait(30) }
        var seen: Report?
        let isThere = try eventually(20) {
            let now = try report(try audit("--json", byRoot: true))
            guard now.gateways.contains(where: { $0.confinement.contains("'\(jail.name)'") }) else { return false }
            seen = now
            return true
        }
        try #require(isThere)
        let gateway = try #require(seen?.gateways.first { $0.confinement.contains("'\(jail.name)'") })
        #expect(gateway.confinement == "in clawjail's jail '\(jail.name)'")
        #expect(seen?.ids(about: "process \(gateway.pid) ") == [])
    }
}
