import DNSMessages
import JailPolicy
import NIOCore
import Testing

@testable import EgressDNS

struct `Resolver` {
    private let both: [IPAddress] = [.sample(1), .sample(2), .sample6(1)]

    @Test func `both families are asked for, each with an id, a spelling and a port of its own`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] in [.send($0.answer(both))] }
            for number in 0..<10 {
                let resolver = try await TestResolver([fake.server], on: loop)
                #expect(try await resolver.resolve("a-long-name-\(number).example.test") == both)
            }
            let questions = fake.questions
            #expect(questions.count == 20)
            #expect(Set(questions.map(\.type)) == [.a, .aaaa])
            #expect(Set(questions.map(\.port)).count > 15)
            #expect(Set(questions.map(\.query.id)).count > 15)
            #expect(Set(questions.map(\.query.question.name)).count == 20)
            for question in questions {
                #expect(question.query.recursionDesired)
                #expect(question.query.extensions == DNSExtensions(payloadSize: 1_232))
                #expect(!question.isStream)
            }
        }
    }

    @Test func `aliases are followed within the answer`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { question in
                var records = [FakeRecord.alias(question.name, "_x.cdn.test"), .alias("_x.cdn.test", "y.cdn.test")]
                if question.type == .a { records.append(.address("Y.CDN.test", .sample(9))) }
                return [.send(question.answer(records + [.address("evil.test", .sample(66))]))]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("www.example.test") == [.sample(9)])
            #expect(fake.questions.count == 2)
        }
    }

    @Test func `a truncated answer is asked for again over TCP`() async throws {
        try await withLoop { loop in
            let many = (0..<30).map { IPAddress.sample6($0) }
            let fake = try await FakeServer.start(on: loop) { question in
                [.send(question.isStream ? question.answer(many) : question.truncated)]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("www.example.test") == many)
            #expect(fake.questions.filter(\.isStream).count == 2)
        }
    }

    @Test func `a resolv conf that wants TCP gets nothing else`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] in [.send($0.answer(both))] }
            let text = "options use-vc no-aaaa timeout:1"
            var configuration = ResolverConfiguration(resolvConf: Array(text.utf8), hosts: [])
            configuration = configuration.asking([fake.server])
            let resolver = try await TestResolver(configuration, on: loop)
            #expect(try await resolver.resolve("www.example.test") == [.sample(1), .sample(2)])
            #expect(fake.questions.map(\.isStream) == [true])
        }
    }

    @Test func `what does not answer the question is passed over, from wherever it comes`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] question in
                let lie = question.answer([.sample(66), .sample6(66)])
                var wrongID = lie
                wrongID[1] ^= 1
                // The second letter of the first label.
                var wrongCase = lie
                wrongCase[14] ^= 0x20
                var wrongName = lie
                wrongName[14] = 0x7A
                var wrongType = lie
                wrongType[12 + question.query.question.name.wire.count + 1] ^= 1
                var queryItself = lie
                queryItself[2] &= 0x7F
                return [
                    .sendFromElsewhere(lie), .send(wrongID), .send(wrongCase), .send(wrongName), .send(wrongType),
                    .send(queryItself), .send([]), .send([1]), .send(Array(lie.dropLast())), .send(lie + [0]),
                    .send([UInt8](repeating: 0xFF, count: 4_000)), .sendLater(question.answer(both), 50),
                ]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("www.example.test") == both)
        }
    }

    @Test(arguments: [0, 1])
    func `only forgeries is no answer`(kind: Int) async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { question in
                var lie = question.answer([.sample(66), .sample6(66)])
                if kind == 0 { return [.sendFromElsewhere(lie)] }
                lie[0] ^= 0x80
                return [.send(lie)]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure("www.example.test") == .timedOut)
        }
    }

    @Test func `one family does not wait long for the other`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] in $0.type == .a ? [.send($0.answer(both))] : [] }
            let resolver = try await TestResolver([fake.server], on: loop, timeout: .seconds(5))
            // Timed on the event loop, whatever the test's own thread is busy with.
            let start = NIODeadline.now()
            let lookup = try resolver.start("www.example.test").map { (addresses: $0, end: NIODeadline.now()) }
            let result = try await lookup.get()
            #expect(result.addresses == [.sample(1), .sample(2)])
            #expect(result.end - start < .seconds(4))
        }
    }

    @Test func `a name that has one family only has that one, also where the other is said not to exist`() async throws
    {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] question in
                switch (question.type, question.name) {
                case (.a, "four.example.test"), (.aaaa, "six.example.test"): [.send(question.answer(both))]
                default: [.send(question.answer([FakeRecord](), code: .nameError))]
                }
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("four.example.test") == [.sample(1), .sample(2)])
            #expect(try await resolver.resolve("six.example.test") == [.sample6(1)])
        }
    }

    @Test func `a server from before EDNS is asked without it`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [both] question in
                guard question.query.extensions != nil else { return [.send(question.answer(both))] }
                var plain = question
                plain.query.extensions = nil
                return [.send(plain.answer([FakeRecord](), code: .formatError))]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("www.example.test") == both)
            #expect(fake.questions.count == 4)
        }
    }

    @Test func `an answer never has more addresses than anybody would dial`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { question in
                let addresses = (0..<40).map { question.type == .a ? .sample($0) : IPAddress.sample6(UInt64($0)) }
                return [.send(question.answer(addresses))]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.resolve("www.example.test").count == 2 * TypeLookup.mostAddresses)
        }
    }
}

extension ResolverConfiguration {
    /// The same, with servers on ports of the test.
    func asking(_ servers: [Endpoint]) -> ResolverConfiguration {
        var copy = self
        copy.servers = servers
        return copy
    }
}
