import FoundationEssentials
import JailPolicy
import NIOSSL
import TestSupport
import Testing

@testable import EgressTLS

/// A clock that a test sets.
private final class Clock {
    var now = Date.now
}

struct ServerContextsTests {
    private func contexts(capacity: Int = 1_024, clock: Clock = Clock()) throws -> ServerContexts {
        try ServerContexts(authority: .create(for: "test"), capacity: capacity, now: { clock.now })
    }

    @Test func `a context is made once for a host and its protocols`() throws {
        let contexts = try contexts()
        let first = try contexts.context(for: host("a.example"), alpn: ["h2"])
        #expect(try contexts.context(for: host("a.example"), alpn: ["h2"]) === first)
        #expect(try contexts.context(for: host("a.example"), alpn: ["http/1.1"]) !== first)
        #expect(try contexts.context(for: host("b.example"), alpn: ["h2"]) !== first)
        #expect(try contexts.context(for: loopback, alpn: ["h2"]) !== first)
        #expect(contexts.count == 4)
    }

    @Test func `a certificate is renewed well before it ends`() throws {
        let clock = Clock()
        let contexts = try contexts(clock: clock)
        let first = try contexts.context(for: host("a.example"), alpn: [])
        clock.now += CertificateLife.leaf - CertificateLife.renewal - 60
        #expect(try contexts.context(for: host("a.example"), alpn: []) === first)
        clock.now += 120
        #expect(try contexts.context(for: host("a.example"), alpn: []) !== first)
        #expect(contexts.count == 1)
    }

    @Test func `what was used longest ago is forgotten`() throws {
        let contexts = try contexts(capacity: 2)
        let first = try contexts.context(for: host("a.example"), alpn: [])
        let second = try contexts.context(for: host("b.example"), alpn: [])
        _ = try contexts.context(for: host("a.example"), alpn: [])
        _ = try contexts.context(for: host("c.example"), alpn: [])
        #expect(contexts.count == 2)
        #expect(try contexts.context(for: host("a.example"), alpn: []) === first)
        #expect(try contexts.context(for: host("b.example"), alpn: []) !== second)
    }

    @Test(.needs("openssl"), arguments: [("-tls1_3", true), ("-tls1_2", true), ("-tls1_1", false)])
    func `TLS 1.2 and 1.3 are spoken, nothing older`(version: String, works: Bool) throws {
        let server = try LoopbackServer(contexts().context(for: host("a.example"), alpn: ["h2", "http/1.1"]))
        let openssl = try #require(Program.path(of: "openssl"))
        let arguments = ["s_client", "-connect", "127.0.0.1:\(server.port)", version, "-alpn", "x,http/1.1"]
        let result = try Program.run(openssl, arguments + ["-cipher", "DEFAULT:@SECLEVEL=0"])
        #expect(result.output.contains("ALPN protocol: http/1.1") == works, "\(result.output)")
    }

    @Test func `a bounded store behaves as a slow one does`() {
        var random = Seeded(5)
        var store = RecentlyUsed<Int, Int>(capacity: 5)
        var slow: [(key: Int, value: Int)] = []
        for step in 0..<5_000 {
            let key = Int.random(in: 0..<9, using: &random)
            let place = slow.firstIndex { $0.key == key }
            if Bool.random(using: &random) {
                #expect(store[key] == place.map { slow[$0].value })
                if let place { slow.append(slow.remove(at: place)) }
            } else {
                store.insert(step, for: key)
                if let place { slow.remove(at: place) } else if slow.count == 5 { slow.removeFirst() }
                slow.append((key, step))
            }
            #expect(store.count == slow.count)
        }
    }
}
