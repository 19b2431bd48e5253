import EgressControl
import FoundationEssentials
import Testing

@testable import EgressGateway

/// Everything that has been thought of to get a secret out of its place, each by itself.
///
/// One after the other: so many at the same time would keep the loop from everybody else's tests.
@Suite(.serialized, .timeLimit(.minutes(5))) struct `Misuses of secrets` {
    static let cases: [SecretCase] = RequestCases.all + PlaceCases.all + AnswerCases.all

    @Test func `there are at least sixty, and each has a name of its own`() {
        #expect(Self.cases.count >= 60)
        #expect(Set(Self.cases.map(\.name)).count == Self.cases.count)
    }

    @Test(arguments: cases)
    func `no value where it does not belong`(misuse: SecretCase) async throws {
        let world = try await SecretWorld.open(misuse.host)
        let answer = try await misuse.run(world)
        #expect(!Disclosure.isIn(answer), "to the client: \(answer)")
        #expect(!Disclosure.isIn(world.elsewhere), "to somebody else")
        let isUsed = Disclosure.isIn(world.heard())
        #expect(isUsed == (misuse.isUsed ?? isUsed), "the bound host has heard \(world.heard())")
        let events = try await told(misuse.told, world, answer)
        for event in events {
            let isPlaceholderTold = event.line.lowercased().contains(SecretWorld.token.lowercased())
            #expect(!Disclosure.isIn(event.line) && !isPlaceholderTold, "told: \(event.line)")
        }
        try expect(misuse.told, events, answer)
    }

    /// What was told, once that is there which has to be: a busy machine takes its time.
    private func told(_ told: SecretCase.Told, _ world: SecretWorld, _ answer: String) async throws -> [EgressEvent] {
        var events: [EgressEvent] = []
        for _ in 0..<1000 {
            events += try await world.gateway.events(patience: 2)
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

    private func expect(_ told: SecretCase.Told, _ events: [EgressEvent], _ answer: String) throws {
        let ofSecret = events.filter { $0.secret == "key" }
        switch told {
        case .misuse:
            #expect(ofSecret.contains { $0.verdict == .denied }, "\(events.map(\.line))")
            #expect(!answer.contains("HTTP/1.1 200"), "\(answer)")
        case .returned:
            let returned = ofSecret.filter { $0.subject == .secretReturned }
            #expect(returned.map(\.host) == ["a.test"], "\(events.map(\.line))")
            #expect(answer.contains("****"), "\(answer)")
        case .refused:
            let ofRequests = events.filter { $0.subject != .secretReturned }
            #expect(ofRequests.allSatisfy { $0.verdict != .allowed }, "\(events.map(\.line))")
            #expect(!events.isEmpty || answer.hasPrefix("HTTP/1.1 -"), "\(answer)")
        case .nothing:
            #expect(!events.isEmpty && events.allSatisfy { $0.verdict == .allowed }, "\(events.map(\.line))")
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
