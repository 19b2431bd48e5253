import JailCore
import JailLearning
import JailPolicy
import Testing

@testable import JailLaunch

@Suite("What a supervisor says of a jail under learn")
struct LearningTests {
    static func rules() throws -> NetworkRules {
        var rules = NetworkRules()
        rules.allow = [try NetworkRule(hosts: ["example.org"], methods: ["GET"], ports: [443])]
        return rules
    }

    static func network(
        _ verdict: String, _ host: String, method: String = "GET", scheme: String = "https"
    ) -> JSON {
        [
            "event": "network", "subject": "request", "verdict": .string(verdict), "time": 1,
            "scheme": .string(scheme), "host": .string(host), "method": .string(method), "path": "/a", "port": 443,
        ]
    }

    static func fields(_ host: String, _ method: String = "GET") -> NetworkSubjectFields {
        var fields = NetworkSubjectFields(host: host)
        fields.port = 443
        fields.scheme = "https"
        fields.method = method
        fields.path = "/a"
        return fields
    }

    static func events(_ learning: Learning) -> [String] {
        learning.takeNotices().compactMap { if case .event(let event) = $0 { event.text() } else { nil } }
    }

    @Test("is written down: decisions of the way out")
    func decisions() throws {
        let learning = Learning(network: nil, extras: PermittedExtras(), record: "/r")
        for _ in 0..<2 { learning.see(Self.network("denied", "a.example")) }
        learning.see(Self.network("allowed", "b.example"))
        learning.see(Self.network("failed", "b.example"))
        learning.see(["event": "network", "subject": "gateway", "verdict": "failed", "time": 1, "reason": "x"])
        learning.see(["event": "started", "name": "x"])
        #expect(
            learning.observations == [
                Observation(.network(Self.fields("a.example")), .denied, count: 2),
                Observation(.network(Self.fields("b.example")), .used, count: 2),
            ])
        #expect(Self.events(learning) == [#"{"event":"learning","permits":false,"record":"/r"}"#])
    }

    @Test("is held against the profile itself where learning lets more pass")
    func permitted() throws {
        let learning = Learning(network: try Self.rules(), extras: PermittedExtras(), record: "/r")
        learning.see(Self.network("allowed", "example.org"))
        learning.see(Self.network("allowed", "example.org", method: "POST"))
        learning.see(Self.network("allowed", "other.example"))
        learning.see(Self.network("denied", "169.254.169.254"))
        #expect(
            learning.observations == [
                Observation(.network(Self.fields("example.org")), .used),
                Observation(.network(Self.fields("example.org", "POST")), .permitted),
                Observation(.network(Self.fields("other.example")), .permitted),
                Observation(.network(Self.fields("169.254.169.254")), .denied),
            ])
        let events = Self.events(learning)
        #expect(events.count == 3)
        #expect(events[1].hasPrefix(#"{"event":"permitted","kind":"network","host":"example.org""#))
    }

    @Test("is told of each thing that was let pass, up to a number")
    func bounded() throws {
        let learning = Learning(network: try Self.rules(), extras: PermittedExtras(), record: "/r")
        for number in 0..<1000 { learning.see(Self.network("allowed", "h\(number).example")) }
        #expect(learning.observations.count == 1000)
        #expect(Self.events(learning).count == 257)
    }
}

@Suite("Who has asked the way out")
struct CallersTests {
    static func callers(_ seen: [(UInt16, String)]) -> Callers {
        var callers = Callers(proxy: 3128)
        for (port, program) in seen { _ = callers.take(Callers.observation(port: port, program: program)) }
        return callers
    }

    @Test("is known where only one can have")
    func known() {
        let callers = Self.callers([(443, "/a"), (443, "/a"), (80, "/a"), (80, "/b"), (53, "/c")])
        #expect(callers.program(port: 443) == "/a")
        #expect(callers.program(port: 80) == nil)
        #expect(callers.program(port: 8443) == nil)
        #expect(callers.program(port: nil) == nil)
    }

    @Test("may have done it through the proxy")
    func proxy() {
        #expect(Self.callers([(3128, "/a")]).program(port: 443) == "/a")
        #expect(Self.callers([(443, "/a"), (3128, "/b")]).program(port: 443) == nil)
    }

    @Test("is not told by anything else")
    func others() {
        var callers = Callers(proxy: nil)
        let isTaken = callers.take(Observation(.network(LearningTests.fields("a.example")), .used, program: "/a"))
        #expect(!isTaken && callers.program(port: 443) == nil)
    }
}
