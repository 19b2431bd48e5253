import EgressControl
import FoundationEssentials
import Testing

@testable import EgressGateway

/// Everything that has been thought of to get a secret out of its place, each by itself.
///
/// A few at a time: all at once would keep the loop from everybody else's tests.
@Suite(.timeLimit(.minutes(5))) struct `Misuses of secrets` {
    static let cases: [SecretCase] = RequestCases.all + PlaceCases.all + AnswerCases.all

    @Test func `there are at least sixty, and each has a name of its own`() {
        #expect(Self.cases.count >= 60)
        #expect(Set(Self.cases.map(\.name)).count == Self.cases.count)
    }

    private static let lanes = 6

    @Test(arguments: 0..<lanes)
    func `no value where it does not belong`(lane: Int) async throws {
        for index in stride(from: lane, to: Self.cases.count, by: Self.lanes) { try await tryOut(Self.cases[index]) }
    }

    private func tryOut(_ misuse: SecretCase) async throws {
        let world = try await SecretWorld.open(misuse.host)
        let answer = try await misuse.run(world)
        #expect(!Disclosure.isIn(answer), "\(misuse.name): to the client: \(answer)")
        #expect(!Disclosure.isIn(world.elsewhere), "\(misuse.name): to somebody else")
        let isUsed = Disclosure.isIn(world.heard())
        #expect(isUsed == (misuse.isUsed ?? isUsed), "\(misuse.name): the bound host has heard \(world.heard())")
        let events = try await told(misuse.told, world, answer)
        for event in events {
            let isPlaceholderTold = event.line.lowercased().contains(SecretWorld.token.lowercased())
            #expect(!Disclosure.isIn(event.line) && !isPlaceholderTold, "\(misuse.name): told: \(event.line)")
        }
        expect(misuse, events, answer)
    }

    /// What was told, once that is there which has to be: a busy machine takes its time.
    private func told(_ told: SecretCase.Told, _ world: SecretWorld, _ answer: String) async throws -> [EgressEvent] {
        var events: [EgressEvent] = []
        for _ in 0..<1000 {
            events += try await world.gateway.events()
            let isThere =
                switch told {
                case .misuse: events.contains { $0.verdict == .denied && $0.secret == "key" }
                case .returned: events.contains { $0.subject == .secretReturned }
                case .refused: !events.isEmpty || answer.hasPrefix("HTTP/1.1 -")
                case .nothing: !events.isEmpty
                }
            if isThere { break }
        }
        return events
    }

    private func expect(_ misuse: SecretCase, _ events: [EgressEvent], _ answer: String) {
        let ofSecret = events.filter { $0.secret == "key" }
        switch misuse.told {
        case .misuse:
            #expect(ofSecret.contains { $0.verdict == .denied }, "\(misuse.name): \(events.map(\.line))")
            #expect(!answer.contains("HTTP/1.1 200"), "\(misuse.name): \(answer)")
        case .returned:
            let returned = ofSecret.filter { $0.subject == .secretReturned }
            #expect(returned.map(\.host) == ["a.test"], "\(misuse.name): \(events.map(\.line))")
            #expect(answer.contains("****"), "\(misuse.name): \(answer)")
        case .refused:
            let ofRequests = events.filter { $0.subject != .secretReturned }
            #expect(ofRequests.allSatisfy { $0.verdict != .allowed }, "\(misuse.name): \(events.map(\.line))")
            #expect(!events.isEmpty || answer.hasPrefix("HTTP/1.1 -"), "\(misuse.name): \(answer)")
        case .nothing:
            #expect(
                !events.isEmpty && events.allSatisfy { $0.verdict == .allowed }, "\(misuse.name): \(events.map(\.line))"
            )
        }
    }

    @Test(
        arguments: [
            SecretJail.value, "a\(SecretJail.value.dropFirst(10))", String(SecretJail.value.prefix(24)),
            SecretJail.value.uppercased(),
        ] + (0..<3).map { Data([UInt8](repeating: 0xFF, count: $0) + SecretJail.value.utf8).base64EncodedString() })
    func `what is a disclosure is found`(text: String) {
        #expect(Disclosure.isIn("before \(text) after"))
        #expect(!Disclosure.isIn("nothing of it \(SecretJail.placeholder)"))
    }
}
