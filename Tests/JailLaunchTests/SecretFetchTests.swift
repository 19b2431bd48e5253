import EgressControl
import Glibc
import JailCore
import JailPolicy
import SecretStore
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

/// Secrets are asked for by a process of their own.
struct `Fetching secrets` {
    private static func rules(_ sources: [(String, SecretOrigin)]) -> SecretRules {
        var rules = SecretRules()
        rules.bindings = sources.map { name, source in
            var binding = SecretBinding(
                name: name, hosts: [HostName(user: "a.example")].compactMap(\.self), place: .bearer)
            binding.source = source
            return binding
        }
        return rules
    }

    private static func results(_ fetch: SecretFetch) throws -> [String: SecretFetch.Result] {
        while true {
            var entries = [fetch.pollEntry]
            try System.poll(&entries, milliseconds: 20_000)
            if let results = try fetch.take(System.PollResult(entries)) { return results }
        }
    }

    @Test func `values and faults arrive as they are`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let long = String(repeating: "x", count: 4096)
            for (name, text) in [("one", "the-first-value"), ("two", long)] {
                let file = try System.open("\(path)/\(name)", [.writeOnly, .create], mode: 0o600)
                try System.writeAll(file.borrowed, text)
            }
            let rules = Self.rules([
                ("a", .file("\(path)/one")), ("b", .store), ("c", .file("\(path)/two")), ("d", .file("\(path)/none")),
            ])
            let results = try Self.results(try SecretFetch(rules.names, rules, store: "\(path)/store"))
            guard case .value(let a, nil)? = results["a"], case .value(let c, nil)? = results["c"],
                case .fault(let missing, isMissing: true)? = results["b"], case .fault(_, _)? = results["d"]
            else { System.exitNow(1) }
            let isSame = a.bytes.isSame(as: try SecretBytes(copying: Array("the-first-value".utf8)))
            guard isSame, c.bytes.count == 4096, missing.contains("'clawjail secret set b'") else { System.exitNow(2) }
            System.exitNow(0)
        }
    }

    @Test func `a program is asked once for all of its secrets`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            var program = SecretProgram(command: "/usr/bin/dash")
            let answer = #"{"protocolVersion":1,"values":{"a":"the-first-value","x/b":"the-second-value"}}"#
            program.arguments = ["-c", "cat >> '\(path)/asked'; echo '\(answer)'"]
            var other = program
            other.id = "x/b"
            let rules = Self.rules([("a", .program(program)), ("b", .program(other))])
            let results = try Self.results(try SecretFetch(rules.names, rules, store: path))
            guard case .value(let a, nil)? = results["a"], case .value(let b, nil)? = results["b"],
                a.bytes.count == 15, b.bytes.count == 16
            else { System.exitNow(1) }
            let asked = String(decoding: try System.readFile("\(path)/asked"), as: UTF8.self)
            let expected = #"{"protocolVersion":1,"provider":"clawjail","ids":["a","x/b"]}"#
            System.exitNow(asked == expected ? 0 : 2)
        }
    }

    @Test func `what is changed before a jail can be told is read again, and what is gone ends its start`() async throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let store = try SecretStore("\(path)/secrets", StoreKeyFinder(credentials: nil, wantsKeyring: false))
            try store.takeLock()
            let change = SecretStore.Change(who: "tester", time: System.realtimeSeconds())
            try store.add("a", try SecretBytes(copying: Array("the-first-value".utf8)), change)
            let next = try SecretBytes(copying: Array("the-second-value".utf8))
            let signals = Descriptor(try System.pipe().release().0)
            var plan = LaunchPlan.bare()
            plan.stateDirectory = path
            let secrets = try JailSecrets(plan, Self.rules([("a", .store)]), signals: signals)
            try secrets.catchUp(signals: signals)
            guard secrets.grants.count == 1 else { System.exitNow(1) }
            try store.rotate("a", to: next, grace: 600, change)
            try secrets.catchUp(signals: signals)
            // The one before, for answers, and then the new one.
            let grants = secrets.grants
            guard grants.count == 2, grants[1].value?.bytes.isSame(as: next) == true, grants[1].grace > 500_000 else {
                System.exitNow(2)
            }
            try store.remove("a", change)
            do throws(JailError) { try secrets.catchUp(signals: signals) } catch {
                System.exitNow(error.status == ExitStatus.configuration ? 0 : 3)
            }
            System.exitNow(4)
        }
    }

    @Test func `one that is killed is an error, and no secret is left out`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            // A FIFO that nobody writes to is refused at once; a program that sleeps is waited for.
            var program = SecretProgram(command: "/usr/bin/sleep")
            program.arguments = ["60"]
            let rules = Self.rules([("a", .program(program))])
            let fetch = try SecretFetch(rules.names, rules, store: path)
            usleep(100_000)
            fetch.kill()
            do throws(SystemError) { _ = try Self.fetchResults(fetch) } catch { System.exitNow(0) }
            System.exitNow(1)
        }
    }

    private static func fetchResults(_ fetch: SecretFetch) throws(SystemError) -> [String: SecretFetch.Result]? {
        var entries = [fetch.pollEntry]
        try System.poll(&entries, milliseconds: 20_000)
        return try fetch.take(System.PollResult(entries))
    }

    @Test func `a jail's own have a placeholder each, and another value has the same one`() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            var rules = Self.rules([("a", .environment("FETCHED"))])
            rules.bindings[0].environment = "TOKEN"
            unsafe setenv("FETCHED", "the-first-value", 1)
            let never = try System.pipe().release()
            var plan = LaunchPlan.bare()
            plan.stateDirectory = path
            let secrets = try JailSecrets(plan, rules, signals: Descriptor(never.0))
            guard System.environmentValue("FETCHED")?.isEmpty ?? true else { System.exitNow(1) }
            let environment = secrets.environment
            guard environment.count == 1, environment[0].hasPrefix("TOKEN="), secrets.renewable.isEmpty,
                !environment[0].contains("the-first")
            else { System.exitNow(2) }
            let next = KeptSecret(try SecretBytes(copying: Array("another-value".utf8)))
            let (outcome, grant) = secrets.renew("a", .value(next, previous: nil))
            guard outcome == .renewed, grant?.grace == 60_000, secrets.environment == environment,
                secrets.renew("a", .value(next, previous: nil)).0 == .same,
                secrets.renew("a", .fault("x", isMissing: false)).0 == .kept("x"),
                secrets.renew("a", .fault("x", isMissing: true)).0 == .removed, secrets.grants.first?.value == nil
            else { System.exitNow(3) }
            System.exitNow(0)
        }
    }

    @Test func `what a provider gave in a secret's place is for later gateways, and is not undone by reading again`()
        async throws
    {
        let directory = try TemporaryDirectory()
        let path = directory.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            let (first, second) = ("the-first-value", "the-second-value")
            for name in ["a", "b"] {
                let file = try System.open("\(path)/\(name)", [.writeOnly, .create], mode: 0o600)
                try System.writeAll(file.borrowed, first)
            }
            var rules = Self.rules([("a", .file("\(path)/a")), ("b", .file("\(path)/b"))])
            guard let host = HostName(user: "id.example") else { System.exitNow(9) }
            rules.bindings[0].exchange = SecretExchange(host: host, path: "/t", clientID: "i")
            var plan = LaunchPlan.bare()
            plan.stateDirectory = path
            let secrets = try JailSecrets(plan, rules, signals: Descriptor(try System.pipe().release().0))
            func kept(_ text: String) throws -> KeptSecret { KeptSecret(try SecretBytes(copying: Array(text.utf8))) }
            // Nobody asked for these.
            guard secrets.replace("b", by: try kept(second)) == .unasked,
                secrets.replace("c", by: try kept(second)) == .unasked,
                secrets.replace("a", by: try kept("a line\n of it")) == .unasked, secrets.grants.count == 2
            else { System.exitNow(1) }
            guard secrets.replace("a", by: try kept(second)) == .first,
                secrets.replace("a", by: try kept("the-third-value")) == .again
            else { System.exitNow(2) }
            let grants = secrets.grants.filter { $0.name == "a" }
            guard grants.count == 2, grants[0].value?.bytes.isSame(as: try kept(second).bytes) == true,
                grants[1].value?.bytes.isSame(as: try kept("the-third-value").bytes) == true
            else { System.exitNow(3) }
            guard secrets.renew("a", .value(try kept(first), previous: nil)).0 == .same,
                secrets.renew("a", .value(try kept("the-fourth-value"), previous: nil)).0 == .renewed,
                secrets.renew("a", .value(try kept(first), previous: nil)).0 == .renewed
            else { System.exitNow(4) }
            // Of one that was removed nothing comes back.
            guard secrets.renew("a", .fault("x", isMissing: true)).0 == .removed,
                secrets.replace("a", by: try kept(second)) == .again,
                secrets.grants.first(where: { $0.name == "a" })?.value == nil
            else { System.exitNow(5) }
            System.exitNow(0)
        }
    }

    @Test func `what is said of exchanges is taken of those that the profile asks for`() throws {
        var rules = Self.rules([("a", .store), ("b", .store)])
        rules.bindings[0].exchange = SecretExchange(
            host: try #require(HostName(user: "id.example")), path: "/t", clientID: "i")
        var event = EgressEvent(.secretExchanged, .allowed, time: 1)
        (event.secret, event.host, event.port) = ("a", "id.example", 443)
        let news = try #require(ExchangeNews(event, rules))
        #expect(
            news.json.text()
                == #"{"event":"secret-exchanged","secretName":"a","host":"id.example","verdict":"allowed"}"#)
        #expect(news.fault == nil)
        event.verdict = .failed
        event.reason = "no"
        #expect(ExchangeNews(event, rules)?.fault == "the secret 'a' was not exchanged at id.example: no")
        for change: (inout EgressEvent) -> Void in [
            { $0.secret = "b" }, { $0.secret = nil }, { $0.host = "a.example" }, { $0.port = 80 },
            { $0.verdict = .denied }, { $0.subject = .gateway },
        ] {
            var other = event
            change(&other)
            #expect(ExchangeNews(other, rules) == nil)
        }
    }
}
