import EgressControl
import EgressTLS
import JailCore
import NIOCore
import Testing

@testable import EgressGateway

/// Several jails in one process have nothing of one another.
@Suite(.timeLimit(.minutes(2))) struct SharedTests {
    static func rules(_ host: String, _ port: Int, _ more: String = "") -> String {
        "allow: [{ hosts: ['\(host)'], ports: [\(port)], methods: ['GET'] }]\(more)"
    }

    /// Two jails, of which each may ask one name of the same origin.
    struct Two {
        let origin: Origin
        let process: SharedGateway
        let first: SharedJail
        let second: SharedJail

        init(_ more: String = "") async throws {
            origin = try await Origin.start()
            process = try SharedGateway()
            first = try process.start("first", rules("a.test", origin.port, more))
            second = try process.start("second", rules("b.test", origin.port))
        }

        func ask(_ jail: SharedJail, _ host: String) async throws -> String {
            try await jail.ask("GET", "http://\(host):\(origin.port)/", "\(host):\(origin.port)")
        }
    }

    @Test func `each has its own rules, its own authority, and its own events`() async throws {
        let two = try await Two()
        #expect(try await two.ask(two.first, "a.test").hasSuffix("200 OK"))
        #expect(try await two.ask(two.second, "a.test").hasPrefix("HTTP/1.1 403 "))
        #expect(try await two.ask(two.second, "b.test").hasSuffix("200 OK"))
        #expect(try await two.ask(two.first, "b.test").hasPrefix("HTTP/1.1 403 "))
        #expect(two.origin.requests.map { $0["host"] } == ["a.test", "b.test"].map { "\($0):\(two.origin.port)" })
        let certificates = [two.first, two.second].compactMap(\.identity?.certificate)
        #expect(certificates.count == 2 && certificates[0] != certificates[1])
        for (jail, own, other) in [(two.first, "a.test", "b.test"), (two.second, "b.test", "a.test")] {
            var seen: [EgressEvent] = []
            #expect(
                try eventually {
                    try jail.read()
                    seen = jail.events
                    return seen.count == 2
                })
            #expect(seen.first { $0.verdict == .allowed }?.host == own)
            #expect(seen.first { $0.verdict == .denied }?.host == other)
            #expect(seen.allSatisfy { $0.reason?.contains("network.allow names") ?? true })
        }
    }

    @Test func `no connection to an origin serves two of them`() async throws {
        let origin = try await Origin.start()
        let process = try SharedGateway()
        let jails = try ["one", "two"].map { try process.start($0, Self.rules("a.test", origin.port)) }
        let target = "a.test:\(origin.port)"
        // Twice each: the second time on the connection of the first.
        for jail in jails + jails {
            #expect(try await jail.ask("GET", "http://\(target)/", target).hasSuffix("200 OK"))
        }
        #expect(origin.requests.map(\.connection) == [0, 1, 0, 1])
    }

    @Test func `what one uses up is not the other's`() async throws {
        let two = try await Two(", budgets: { requestsPerMinute: 1 }")
        #expect(try await two.ask(two.first, "a.test").hasSuffix("200 OK"))
        #expect(try await two.ask(two.first, "a.test").hasPrefix("HTTP/1.1 429 "))
        for _ in 0..<3 { #expect(try await two.ask(two.second, "b.test").hasSuffix("200 OK")) }
    }

    @Test func `names are each one's own`() async throws {
        let origin = try await Origin.start()
        let process = try SharedGateway()
        let rules = Self.rules("*.test", origin.port)
        let knowing = try process.start("knowing", rules, names: ["secret.test"])
        let other = try process.start("other", rules, names: [])
        let target = "secret.test:\(origin.port)"
        #expect(try await knowing.ask("GET", "http://\(target)/", target).hasSuffix("200 OK"))
        #expect(try await other.ask("GET", "http://\(target)/", target).hasPrefix("HTTP/1.1 502 "))
    }

    @Test func `the end of one takes all that was its, and nothing else`() async throws {
        let two = try await Two()
        let tunnel = { (jail: SharedJail, host: String) in
            let client = try await Client.connect(jail.proxyPort)
            let target = "\(host):\(two.origin.port)"
            // One that stays open, and behind it a connection to the origin that is kept.
            try await client.send("GET http://\(target)/ HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            #expect(try await client.receive(until: "\r\n\r\nok").hasPrefix("HTTP/1.1 200 "))
            return client
        }
        let lost = try await tunnel(two.first, "a.test")
        let kept = try await tunnel(two.second, "b.test")
        let origin = two.origin
        #expect(origin.connections == 2 && origin.closed == 0)
        try two.first.leave()
        #expect(two.process.jails.jails.count == 1)
        #expect(await eventually { lost.end != nil && origin.closed == 1 })
        await #expect(throws: (any Error).self) { try await Client.connect(two.first.proxyPort) }
        #expect(kept.end == nil)
        #expect(try await two.ask(two.second, "b.test").hasSuffix("200 OK"))
        #expect(two.origin.closed == 1)
        kept.close()
    }

    @Test func `nothing is kept of one that has ended`() async throws {
        let origin = try await Origin.start()
        let process = try SharedGateway()
        let kept = Kept()
        do {
            let jail = try process.start("jail", Self.rules("a.test", origin.port))
            let service = try #require(process.jails.jails.first?.service)
            try await TestGateway.loop.submit { kept.state = service.value?.state }.get()
            let target = "a.test:\(origin.port)"
            #expect(try await jail.ask("GET", "http://\(target)/", target).hasSuffix("200 OK"))
            #expect(kept.state != nil)
            try jail.leave()
        }
        #expect(await eventually { kept.state == nil })
    }

    /// Looked at when nothing else does any more.
    private final class Kept: @unchecked Sendable { weak var state: GatewayState? }

    static let nonsense: [[UInt8]] = [[], [99], [1], [2], [3], EgressMessage.share.bytes, EgressMessage.attach.bytes]

    @Test(arguments: nonsense.dropFirst()) func `a supervisor that says what is no order ends its jail's alone`(
        bytes: [UInt8]
    ) async throws {
        let two = try await Two()
        try two.first.say(bytes)
        #expect(two.first.hasEnded && two.process.jails.jails.count == 1)
        #expect(two.first.events.last?.reason?.hasPrefix("the way out ends: ") == true)
        #expect(try await two.ask(two.second, "b.test").hasSuffix("200 OK"))
    }

    @Test func `nobody brings a channel but the holder`() async throws {
        let process = try SharedGateway()
        let jail = try process.attach("jail")
        let pipe = try System.pipe()
        try jail.say(EgressMessage.attach.bytes, [SharedDescriptor(pipe.takeReadEnd())])
        #expect(jail.hasEnded && process.jails.jails.isEmpty)
    }

    @Test func `a set-up that fails is told, and ends that one alone`() async throws {
        let two = try await Two()
        for (trust, state) in [("no certificate", nil), (nil, [UInt8]([1, 2, 3]))] {
            let jail = try two.process.attach("third")
            try jail.setUp("allow: []", trust: trust, state: state)
            #expect(jail.hasEnded && jail.events.last?.subject == .gateway)
        }
        #expect(two.process.jails.jails.count == 2)
        #expect(try await two.ask(two.second, "b.test").hasSuffix("200 OK"))
    }

    @Test func `a second set-up, and sockets that come twice or first, end it`() async throws {
        let process = try SharedGateway()
        for step in 0..<3 {
            let jail = try process.attach("jail")
            if step > 0 { try jail.setUp("allow: []") }
            #expect(!jail.hasEnded)
            if step == 1 { try jail.setUp("allow: []") } else { try jail.serve() }
            if step == 2 {
                #expect(!jail.hasEnded)
                try jail.serve()
            }
            #expect(jail.hasEnded, "\(step)")
        }
        #expect(process.jails.jails.isEmpty)
    }

    @Test func `the same authority comes back with its state`() async throws {
        let process = try SharedGateway()
        let first = try process.attach("jail")
        try first.setUp("allow: []")
        let state = try #require(first.identity?.state)
        try first.leave()
        let second = try process.attach("jail")
        try second.setUp("allow: []", state: state)
        #expect(second.identity?.certificate == first.identity?.certificate)
    }

    @Test func `certificates with the same bytes are read once, and those of others are not`() async throws {
        let process = try SharedGateway()
        let authority = try TestGateway.originAuthority.get().certificatePEM
        let attached = try [authority, authority, authority + "\n"].map { trust in
            let jail = try process.attach("jail")
            try jail.setUp("allow: []", trust: trust)
            return jail
        }
        let roots = process.jails.jails.map(\.trust)
        #expect(roots.count == 3 && roots[0] != nil && roots[0] === roots[1] && roots[1] !== roots[2])
        #expect(attached.allSatisfy { !$0.hasEnded })
    }

    @Test func `with its holder the process ends, and it takes nothing else from it`() throws {
        #expect(try !SharedGateway().leave())
        for packet in [EgressMessage.share, EgressMessage.resolver] {
            let process = try SharedGateway()
            #expect(throws: SystemError(.check, .invalid)) { _ = try process.say(packet) }
        }
    }

    /// For what only a turn of this thread brings about.
    private func eventually(_ condition: () throws -> Bool) throws -> Bool {
        for _ in 0..<2_000 {
            if try condition() { return true }
            try System.pause(milliseconds: 5)
        }
        return try condition()
    }

    private func eventually(_ condition: @Sendable () -> Bool) async -> Bool {
        await EgressGatewayTests.eventually(condition)
    }
}
