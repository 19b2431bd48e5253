import DNSMessages
import JailPolicy
import NIOCore
import Testing

@testable import EgressDNS

struct `Resolver where servers fail` {
    private let nothing: [FakeRecord] = []

    @Test func `a server that is silent is left for the next one`() async throws {
        try await withLoop { loop in
            let silent = try await FakeServer.start(on: loop) { _ in [] }
            let good = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(1)]))] }
            let resolver = try await TestResolver([silent.server, good.server], on: loop, timeout: .milliseconds(500))
            #expect(try await resolver.resolve("www.example.test") == [.sample(1)])
            #expect(silent.questions.count == 2)
            #expect(good.questions.count == 2)
        }
    }

    @Test func `silence of all servers, as many rounds as configured`() async throws {
        try await withLoop { loop in
            let silent = try await FakeServer.start(on: loop) { _ in [] }
            let resolver = try await TestResolver([silent.server], on: loop, timeout: .milliseconds(100), attempts: 3)
            #expect(try await resolver.failure("www.example.test") == .timedOut)
            #expect(silent.questions.count == 6)
            #expect(Set(silent.questions.map(\.port)).count == 6)
        }
    }

    @Test func `an answer that comes too late is none`() async throws {
        try await withLoop { loop in
            let late = try await FakeServer.start(on: loop) { [.sendLater($0.answer([.sample(1), .sample6(1)]), 400)] }
            let resolver = try await TestResolver([late.server], on: loop, timeout: .milliseconds(100))
            #expect(try await resolver.failure("www.example.test") == .timedOut)
        }
    }

    @Test(arguments: [DNSResponseCode.serverFailure, .refused, .notImplemented, DNSResponseCode(rawValue: 23)])
    func `a server that cannot tell is left for the next one`(code: DNSResponseCode) async throws {
        try await withLoop { loop in
            let bad = try await FakeServer.start(on: loop) { [nothing] in [.send($0.answer(nothing, code: code))] }
            let good = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(1)]))] }
            let resolver = try await TestResolver([bad.server, good.server], on: loop)
            #expect(try await resolver.resolve("www.example.test") == [.sample(1)])
            let alone = try await TestResolver([bad.server], on: loop)
            #expect(try await alone.failure("www.example.test") == .serverFailure(code))
        }
    }

    @Test func `a name that does not exist is the last word, and is remembered`() async throws {
        try await withLoop { loop in
            let first = try await FakeServer.start(on: loop) { [nothing] in
                [.send($0.answer(nothing, code: .nameError))]
            }
            let second = try await FakeServer.start(on: loop) { [.send($0.answer([.sample(1)]))] }
            let resolver = try await TestResolver([first.server, second.server], on: loop)
            for _ in 0..<3 { #expect(try await resolver.failure("www.example.test") == .notFound) }
            #expect(first.questions.count == 2)
            #expect(second.questions.isEmpty)
        }
    }

    @Test func `a name without any address is not found`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [nothing] in [.send($0.answer(nothing))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure("www.example.test") == .notFound)
        }
    }

    @Test func `one family without addresses does not hide that the other could not be told`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [nothing] question in
                [.send(question.answer(nothing, code: question.type == .a ? .noError : .serverFailure))]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure("www.example.test") == .serverFailure(.serverFailure))
        }
    }

    @Test func `aliases in a circle make no sense`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { [.send($0.answer([.alias($0.name, $0.name)]))] }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure("www.example.test") == .badAnswer)
        }
    }

    @Test func `where nobody listens the next server is asked at once`() async throws {
        try await withLoop { loop in
            // No other test uses this address, so that nobody takes the port in the meantime.
            let gone = Endpoint(address: .v4(0x7F00_004D), port: 53)
            let resolver = try await TestResolver([gone], on: loop, timeout: .seconds(5))
            // Not a time-out.
            #expect(try await resolver.failure("www.example.test") == .unreachable)
        }
    }

    @Test(arguments: [
        FakeServer.Action.close, .sendRaw([0, 3, 1, 2, 3]), .sendRaw([0, 0]), .sendRaw([0xFF]), .sendRaw([]),
    ])
    func `a server that fails over TCP is a failure, not a wait without end`(action: FakeServer.Action) async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { $0.isStream ? [action] : [.send($0.truncated)] }
            let resolver = try await TestResolver([fake.server], on: loop)
            let failure = try await resolver.failure("www.example.test")
            #expect([.unreachable, .badAnswer, .timedOut].contains(failure))
        }
    }

    @Test func `over TCP neither another question's answer nor a truncated one counts`() async throws {
        try await withLoop { loop in
            let fake = try await FakeServer.start(on: loop) { question in
                guard question.isStream, question.type == .a else { return [.send(question.truncated)] }
                var lie = question.answer([.sample(66)])
                lie[1] ^= 1
                return [.send(lie)]
            }
            let resolver = try await TestResolver([fake.server], on: loop)
            #expect(try await resolver.failure("www.example.test") == .badAnswer)
        }
    }
}
