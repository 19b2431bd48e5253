import Foundation
import Glibc
import Testing

@Suite(.needs("node", "curl")) struct PublishTests {
    /// The way of `clawjail run --profile research -- node gateway.js`: the script is shown because it is the command.
    private func gateway(_ caller: Caller, port: UInt16) throws -> (jail: Jail, running: Running) {
        var jail = try Jail(caller, "{ extends: 'offline', network: { publish: ['\(port):18789'] } }".json)
        jail.environment["OPENCLAW_GATEWAY_TOKEN"] = "token"
        let script = try Host.installation.get() + "/share/sample-gateway/gateway.js"
        let running = try jail.start(command: ["node", script, "gateway"])
        let isHealthy = try eventually(15) {
            try running.status != nil || shell("curl -sf -m 2 http://127.0.0.1:\(port)/healthz").status == 0
        }
        guard isHealthy, running.status == nil else {
            throw HarnessError("no gateway: \(running.text) \(running.errorText)")
        }
        return (jail, running)
    }

    @Test(arguments: Caller.all) func `the gateway answers on a published port, and stops with status 0`(caller: Caller)
        throws
    {
        let port = try Listeners.freePort()
        let (jail, running) = try gateway(caller, port: port)
        defer { running.signal(SIGKILL) }
        let health = try shell("curl -s http://127.0.0.1:\(port)/healthz").text
        #expect(health.contains("\"ok\":true") || health.contains("live"), "\(health)")
        let client = try Host.installation.get() + "/share/sample-gateway/client.js"
        #expect(try shell("node \"$1\" --port \(port) --token token health", client).status == 0)
        #expect(try shell("node \"$1\" --port \(port) --token wrong call read '{}'", client).status != 0)
        // Not on any other address.
        #expect(try shell("curl -s -m 2 http://$(hostname -I | cut -d' ' -f1):\(port)/healthz").status != 0)
        let many = try shell(
            "for i in $(seq 20); do curl -s -m 10 -o /dev/null -w '%{http_code}\\n' http://127.0.0.1:\(port)/healthz & done; wait"
        )
        #expect(many.lines == Array(repeating: "200", count: 20))
        running.signal(SIGTERM)
        #expect(try running.wait().status == 0)
        try jail.expectNothingLeft()
    }

    // MARK: Bytes

    /// Echoes each connection; half-closed ones as well.
    private static let echo =
        "require('net').createServer({allowHalfOpen:true},c=>{c.on('error',()=>{});c.pipe(c)}).listen(7000,'127.0.0.1',()=>console.log('up'))"

    private func echo(_ caller: Caller, _ port: UInt16) throws -> (jail: Jail, running: Running) {
        let jail = try Jail(caller, "{ extends: 'offline', network: { publish: ['\(port):7000'] } }".json)
        return (jail, try jail.startAndAwait("up", command: ["node", "-e", Self.echo]))
    }

    /// Runs a client on the host; `port` is there, and `done(text)` ends it.
    private func client(_ port: UInt16, _ script: String) throws -> Finished {
        let prelude = """
            const net = require('net'), crypto = require('crypto'), port = \(port);
            const done = text => { console.log(text); process.exit(0) };
            setTimeout(() => done('timeout'), 15000).unref();
            function echo(size) { return new Promise((resolve, reject) => {
              const data = crypto.randomBytes(size), parts = [];
              const s = net.connect({port, host: '127.0.0.1', allowHalfOpen: true}, () => s.end(data));
              s.on('data', d => parts.push(d)); s.on('error', reject);
              s.on('end', () => resolve(Buffer.concat(parts).equals(data)));
            }) }
            """
        return try Running(["node", "-e", prelude + script], environment: Host.environment).wait(20)
    }

    @Test(arguments: Caller.all) func `5 MiB come back byte for byte, to a client that closes its half`(caller: Caller)
        throws
    {
        let port = try Listeners.freePort()
        let (_, running) = try echo(caller, port)
        defer { running.signal(SIGKILL) }
        #expect(try client(port, "echo(5 << 20).then(same => done(`same ${same}`))").text == "same true\n")
        // And 20 at once.
        let many =
            "Promise.all(Array.from({length: 20}, () => echo(300000))).then(all => done(all.filter(x => x).length))"
        #expect(try client(port, many).text == "20\n")
        running.signal(SIGTERM)
        #expect(try running.wait().status == 143)
    }

    @Test(arguments: Caller.all) func `a client that vanishes disturbs nobody`(caller: Caller) throws {
        let port = try Listeners.freePort()
        let (jail, running) = try echo(caller, port)
        defer { running.signal(SIGKILL) }
        let vanish = """
            let left = 10;
            for (let i = 0; i < 10; i++) {
              const s = net.connect(port, '127.0.0.1', () => { s.write(crypto.randomBytes(200000)); s.resetAndDestroy();
                if (--left == 0) echo(100000).then(same => done(`same ${same}`)) });
              s.on('error', () => {});
            }
            """
        #expect(try client(port, vanish).text == "same true\n")
        // Nothing of them is kept: the standard three, what the supervisor needs, and no sockets of connections.
        #expect(
            eventually(5) {
                ((try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(running.pid)/fd").count) ?? 99) < 25
            })
        running.signal(SIGTERM)
        _ = try running.wait()
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `where nothing listens inside, a client hears so at once`(caller: Caller) throws {
        let port = try Listeners.freePort()
        let jail = try Jail(caller, Profiles.session("network: { publish: ['\(port):7000'] }"))
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 67"])
        defer { running.signal(SIGKILL) }
        let start = Date()
        let answer = try client(
            port,
            "const s = net.connect(port, '127.0.0.1'); s.on('error', () => {}); s.on('close', () => done('closed'))")
        #expect(answer.text == "closed\n")
        #expect(Date().timeIntervalSince(start) < 3)
        running.signal(SIGTERM)
        _ = try running.wait()
    }

    @Test(arguments: Caller.all) func `a port that is taken ends the launch`(caller: Caller) throws {
        let listeners = try Listeners()
        let jail = try Jail(caller)
        try jail.run(["--publish", "\(listeners.port):7000"], command: ["/bin/true"])
            .expectRefusal(125, "127.0.0.1:\(listeners.port)", "--publish")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `the way out does not exist`(caller: Caller) throws {
        let script =
            "require('net').connect(80,'1.1.1.1').on('error',e=>{console.log(e.code);process.exit(0)}).on('connect',()=>console.log('out'))"
        let finished = try Jail(caller, Profiles.offline).run("node", "-e", script)
        #expect(finished.text == "ENETUNREACH\n")
    }
}
