import Foundation
import Glibc
import Testing

/// What a jail may spend, with a provider on the host that nobody believes, since it speaks no TLS: each request comes to
/// its bound, which is 4145 millionths of a dollar.
@Suite(.needs("curl")) struct SpendTests {
    static let ask = """
        ask() { curl -s -m 5 -o /workspace/answer -w '%{http_code}\\n' --noproxy '*' -d '{"model":"m","max_tokens":10}' \
        http://127.0.0.1:$1/v1/messages; }
        await() { while [ ! -e "/workspace/$1" ]; do sleep 0.05; done; }

        """

    static func profile(_ port: UInt16, _ onLimit: String) -> String {
        Profiles.session(
            """
            network: {
              allow: [{ hosts: ['127.0.0.1'], ports: [\(port)], schemes: ['http'], methods: ['POST'] }],
              allowPrivate: ['127.0.0.1/32'],
            },
            spend: {
              perDay: '0.01 USD', onLimit: '\(onLimit)', providers: [{ hosts: ['127.0.0.1'] }],
              prices: [{ model: 'm', input: '1 USD', output: '2 USD', context: 100000, maxOutput: 1000 }],
            }
            """)
    }

    struct Place {
        let origin: Origin
        let jail: Jail
        let workspace: String

        init(_ caller: Caller, _ onLimit: String = "deny") throws {
            origin = try Origin("answered")
            jail = try Jail(caller, profile(origin.port, onLimit))
            workspace = try Scratch.directory("workspace", mode: 0o700)
        }

        var ledger: String { "\(jail.stateDirectory)/spend/\(jail.name).json" }

        func start(_ script: String, _ options: [String] = []) throws -> Running {
            try jail.startAndAwait(
                "up", ["--workspace", workspace] + options,
                command: ["/bin/sh", "-c", ask + script, "sh", "\(origin.port)"])
        }
    }

    @Test(arguments: Caller.all) func `a limit holds over a killed gateway and a new jail`(caller: Caller) throws {
        let place = try Place(caller)
        defer { _ = unsafe unlink(place.ledger) }
        let running = try place.start("ask $1; echo up; await go; ask $1; ask $1; cat /workspace/answer")
        let first = try WayOutTests.processes(of: running.pid)
        kill(first.gateway, SIGKILL)
        #expect(
            eventually { (try? WayOutTests.processes(of: running.pid))?.gateway ?? first.gateway != first.gateway })
        try Scratch.write("", to: place.workspace + "/go")
        let finished = try running.wait()
        #expect(Array(finished.lines.prefix(4)) == ["200", "up", "200", "402"], "\(finished.errors)")
        #expect(finished.text.contains("spend.perDay is 0.01 USD: 0.00829 USD spent today"), "\(finished.text)")
        #expect(finished.errors.contains("requests that cost money are denied"), "\(finished.errors)")
        let status = try FileManager.default.attributesOfItem(atPath: place.ledger)
        #expect(status[.posixPermissions] as? Int == 0o600)

        let again = try place.start("echo up; ask $1").wait()
        #expect(again.lines == ["up", "402"], "\(again.errors)")
        let shown = try place.jail.start(words: ["spend", place.jail.name]).wait()
        #expect(shown.text.contains("0.00829 USD") && shown.text.contains("0.01 USD"), "\(shown.text) \(shown.errors)")
        let json = try place.jail.start(words: ["spend", place.jail.name, "--json"]).wait()
        #expect(json.text.contains("\"microUSD\":{\"spent\":8290,\"limit\":10000}"), "\(json.text)")
        try place.jail.start(words: ["spend", "nobody"]).wait().expectRefusal(120, "nothing is known")
        try place.jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `on the limit the jail is stopped, where the profile says so`(caller: Caller)
        throws
    {
        let place = try Place(caller, "stop")
        defer { _ = unsafe unlink(place.ledger) }
        let running = try place.start("ask $1; ask $1; echo up; ask $1; exec sleep 60")
        let finished = try running.wait(15)
        #expect(finished.status == 143, "\(finished.errors)")
        #expect(finished.errors.contains("the jail is stopped"), "\(finished.errors)")
        try place.jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `on the limit the jail stands still, or is stopped where it cannot`(
        caller: Caller
    ) throws {
        let place = try Place(caller, "pause")
        defer { _ = unsafe unlink(place.ledger) }
        let running = try place.start("ask $1; ask $1; echo up; ask $1; exec sleep 60")
        var isPaused = false
        #expect(
            eventually(15) {
                let shown = (try? place.jail.start(words: ["ps"]).wait())?.lines ?? []
                isPaused = shown.contains { $0.contains(place.jail.name) && $0.contains("paused") }
                return isPaused || running.status != nil
            })
        if isPaused { running.signal(SIGTERM) }
        let finished = try running.wait(15)
        #expect(finished.status == 143, "\(finished.errors)")
        #expect(finished.errors.contains("the jail is paused"), "\(finished.errors)")
        #expect(isPaused || finished.errors.contains("the jail is stopped instead"), "\(finished.errors)")
        try place.jail.expectNothingLeft()
    }

    @Test func `a ledger that says nothing refuses the launch`() throws {
        let place = try Place(.user)
        _ = try place.start("echo up; exec sleep 2").wait()
        try Scratch.write("{}", to: place.ledger)
        _ = try shell("chown --reference=\"$1\" \"$2\"; chmod 600 \"$2\"", place.jail.home, place.ledger)
        try place.jail.run("/bin/true").expectRefusal(125, "does not say what was spent")
        _ = try shell("chmod 644 \"$1\"", place.ledger)
        try place.jail.run("/bin/true").expectRefusal(125, "a file of yours alone")
    }
}
