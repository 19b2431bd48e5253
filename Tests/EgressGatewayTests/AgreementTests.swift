import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import EgressGateway

/// `explain` and what is enforced never differ.
struct AgreementTests {
    /// What `clawjail explain METHOD URL` says; nil: there is no such request.
    static func explain(_ method: String, _ url: String, _ policy: NetworkPolicy) -> NetworkExplanation? {
        (try? NetworkSubject.parse([method, url])).map { NetworkExplanation($0, by: policy) }
    }

    @Test func `explain and enforcement agree on generated requests, whichever way in they take`() throws {
        var generator = Seeded(0x00A9_2EE5)
        var (requests, allowed, opaque) = (0, 0, 0)
        var ways: [Enforcement.Entry: Int] = [:]
        for _ in 0..<1500 {
            let policy = NetworkPolicy(RandomRequests.rules(&generator))
            let enforcement = Enforcement(policy: policy)
            for _ in 0..<8 {
                let request = RandomRequests.request(&generator)
                requests += 1
                for entry in Enforcement.Entry.allCases {
                    guard let outcome = enforcement.outcome(request, through: entry) else { continue }
                    ways[entry, default: 0] += 1
                    if case .allowed = outcome { allowed += 1 }
                    if case .opaque = outcome { opaque += 1 }
                    let problem = Self.difference(request, outcome, policy)
                    #expect(
                        problem == nil,
                        "\(request) through \(entry): \(outcome), \(problem ?? "") by \(policy.rules.json.text())")
                }
            }
        }
        let counts = Enforcement.Entry.allCases.map { "\($0) \(ways[$0, default: 0])" }.joined(separator: ", ")
        print(
            "explain and enforcement: \(requests) requests (\(counts)), \(allowed) allowed, \(opaque) not looked into")
        #expect(requests >= 10_000 && allowed > 1000 && opaque > 100)
    }

    /// nil: they agree.
    private static func difference(
        _ request: RandomRequests.Request, _ outcome: Enforcement.Outcome, _ policy: NetworkPolicy
    ) -> String? {
        let explanation = explain(request.method, request.url, policy)
        let grant: NetworkGrant? = if case .allow(let grant)? = explanation?.verdict { grant } else { nil }
        switch outcome {
        case .opaque(.tcp):
            // Of bytes that are not looked into nothing can be said but who they are for.
            let subject = explanation?.subject.question
            guard let subject else { return Authority(wire: request.authority.utf8) == nil ? "no such host" : nil }
            var question = NetworkQuestion(host: subject.host)
            question.port = subject.port
            if case .allow(let grant) = policy.decide(question), grant.handling == .tcp { return nil }
            return "explain knows of no tcp"
        case .opaque:
            // The path and the method are never seen.
            guard let explanation, HTTPMethod.known.contains(request.method), !request.isWebSocket else { return nil }
            return explanation.isAllowed && grant?.handling == .passThrough ? nil : "explain denies"
        case .denied:
            guard grant != nil else { return nil }
            // A header that names another method asks for that one as well.
            if let method = request.override {
                let other = explain(method.asciiUppercased, request.url, policy)
                return other?.isAllowed == true ? "explain allows both methods" : nil
            }
            return "explain allows"
        case .allowed(let target, let method, let destination, let rule):
            guard let explanation, let grant else { return "explain denies" }
            if let method = request.override, explain(method.asciiUppercased, request.url, policy)?.isAllowed != true {
                return "explain denies the other method"
            }
            let question = explanation.subject.question
            guard grant.rule == rule, question.path?.target == target, question.method == method,
                question.host == destination.host, question.port == destination.port
            else { return "explain means another request: \(explanation.text)" }
            return nil
        }
    }
}
