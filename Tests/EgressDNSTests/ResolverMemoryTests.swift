import DNSMessages
import JailPolicy
import NIOCore
import Testing

@testable import EgressDNS

struct `What the resolver remembers, and what it never asks` {
    @Test func `callers at the same time share one query, and later ones its answer`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.sendLater($0.answer([.sample(1), .sample6(1)]), 50)] }
            let resolver = try await TestResolver([fake.server], on: loop)
            let lookups = try (0..<20).map { _ in try resolver.start("www.example.test") }
            for lookup in lookups { #expect(try await lookup.get() == [.sample(1), .sample6(1)]) }
            #expect(try await resolver.resolve("www.example.test") == [.sample(1), .sample6(1)])
            #expect(fake.questions.count == 2)
        }
    }

    @Test func `an answer is forgotten after its time, and at once with another configuration`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) {
                [.send($0.answer([.sample(1), .sample6(1)], timeToLive: $0.name == "short.example.test" ? 0 : 60))]
            }
            let other = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(2)]))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            for name in ["www.example.test", "www.example.test", "short.example.test"] {
                #expect(try await resolver.resolve(name) == [.sample(1), .sample6(1)])
            }
            #expect(fake.questions.count == 4)
            try await Task.sleep(for: .milliseconds(1_100))
            for name in ["www.example.test", "short.example.test"] { _ = try await resolver.resolve(name) }
            #expect(fake.questions.count == 6)
            try await resolver.configure(#require(ResolverConfiguration(servers: [other.server])))
            #expect(try await resolver.resolve("www.example.test") == [.sample(2)])
            #expect(fake.questions.count == 6)
        }
    }

    @Test func `what a former server says counts for whoever asked then, and for nobody later`() async throws {
        try await withLoop { loop in
            let former = try await FakeServer.start(on: loop) {
                [.sendLater($0.answer([.sample(1), .sample6(1)]), 100)]
            }
            let other = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(2), .sample6(2)]))] }
            let resolver = try await TestResolver([former.server], on: loop)
            let first = try resolver.start("www.example.test")
            try await resolver.configure(#require(ResolverConfiguration(servers: [other.server])))
            #expect(try await resolver.resolve("www.example.test") == [.sample(2), .sample6(2)])
            #expect(try await first.get() == [.sample(1), .sample6(1)])
            #expect(try await resolver.resolve("www.example.test") == [.sample(2), .sample6(2)])
        }
    }

    @Test func `the hosts file comes first, and its names are never asked for`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(66)]))] }
            let hosts = "192.0.2.1 Printer printer.local\n2001:db8::1 printer.local\n192.0.2.3 www.example.test # x y\n"
            let resolver = try await TestResolver([fake.server], on: loop, hosts: hosts)
            #expect(try await resolver.resolve("printer") == [.sample(1)])
            #expect(try await resolver.resolve("printer.local") == [.sample(1), .sample6(1)])
            #expect(try await resolver.resolve("www.example.test") == [.sample(3)])
            #expect(fake.questions.isEmpty)
        }
    }

    @Test(arguments: [
        "printer", "localhost", "local", "printer.local", "a.b.localhost", "x.onion", "metadata.google.internal",
        "a.invalid", "a.alt", "nas.home.arpa",
    ])
    func `names that mean something on one network only are not asked for`(name: String) async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(66)]))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure(name) == .notLookedUp)
            #expect(fake.questions.isEmpty)
        }
    }

    @Test func `names that only look like those are asked for`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(1)]))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            for name in ["local.example.test", "notlocal.test", "internal.example.test", "a.xlocal", "a.arpa"] {
                #expect(try await resolver.resolve(name) == [.sample(1)])
            }
        }
    }

    @Test func `more lookups than allowed are refused at once, and room is made by those that end`() async throws {
        try await withLoop { loop in
            let silent = try await FakeServer.start(on: loop) { _ in [] }
            let resolver = try await TestResolver([silent.server], on: loop, timeout: .seconds(2))
            let lookups = try (0..<UpstreamResolver.mostLookups).map { try resolver.start("n\($0).example.test") }
            #expect(try await resolver.failure("more.example.test") == .overloaded)
            for lookup in lookups { await #expect(throws: ResolutionError.timedOut) { try await lookup.get() } }
            #expect(try await resolver.failure("more.example.test") == .timedOut)
        }
    }

    @Test func `a denied name causes no packet at all, and an allowed one only when it is dialled`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(1), .sample6(1)]))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            let responder = try Recorder().responder(allowed: ["www.example.test"])
            for type in [DNSType.a, .aaaa, .txt, .https, .any] {
                for name in ["denied.example.test", "secret-1234.example.test", "www.example.test"] {
                    let answer = try #require(try responder.answer(query(name, type).bytes, now: .second(0)))
                    let code: DNSResponseCode = name == "www.example.test" ? .noError : .nameError
                    #expect(try DNSResponse(answer).code == code)
                }
            }
            try await Task.sleep(for: .milliseconds(100))
            #expect(fake.questions.isEmpty && fake.misunderstood == 0)
            #expect(try await resolver.resolve("www.example.test") == [.sample(1), .sample6(1)])
            #expect(fake.questions.map(\.name) == ["www.example.test", "www.example.test"])
        }
    }
}

struct `Resolver cache` {
    @Test func `times are kept within bounds`() throws {
        var cache = ResolverCache()
        let name = try host("a.example")
        cache.store([.sample(1)], of: name, timeToLive: 0, now: .second(0))
        #expect(cache.addresses(of: name, now: .second(0)) == [.sample(1)])
        #expect(cache.addresses(of: name, now: .second(1)) == nil)
        cache.store([.sample(1)], of: name, timeToLive: .max, now: .second(0))
        #expect(cache.addresses(of: name, now: .second(299)) == [.sample(1)])
        #expect(cache.addresses(of: name, now: .second(300)) == nil)
    }

    @Test func `it holds so many names, and gives up those that end first`() throws {
        var cache = ResolverCache()
        for number in 0..<ResolverCache.capacity {
            let time = UInt32(number == 7 ? 10 : 100)
            cache.store([.sample(1)], of: try host("n\(number).example"), timeToLive: time, now: .second(0))
        }
        cache.store([.sample(1)], of: try host("more.example"), timeToLive: 50, now: .second(0))
        #expect(cache.count == ResolverCache.capacity)
        #expect(try cache.addresses(of: host("n7.example"), now: .second(0)) == nil)
        #expect(try cache.addresses(of: host("more.example"), now: .second(0)) != nil)
    }
}
