internal import JailCore
package import JailPolicy

/// What was seen, turned into the smallest changes of a profile.
package struct Suggestions: Equatable, Sendable {
    /// What may be made at once first, and what is advised against last.
    package var ranked: [Suggestion] = []
    /// What no profile can grant, or none should, in the order in which it was seen.
    package var ungrantable: [Ungrantable] = []

    /// From what was seen under a profile, or under an earlier one: what the profile allows by now is left out.
    package static func make(
        from observations: [Observation], profile: Profile, host: HostLook
    ) -> Suggestions {
        var found = NetworkSuggester(profile: profile).suggest(observations)
        found += FileSuggester(profile: profile, host: host).suggest(observations)
        found += ProgramSuggester(profile: profile, host: host).suggest(observations)
        found += SystemCallSuggester(profile: profile).suggest(observations)
        found += LimitSuggester(profile: profile).suggest(observations)
        var result = Suggestions()
        for case .ungrantable(let one) in found { result.ungrantable.append(one) }
        let offers = found.compactMap { if case .suggestion(let one, let weight) = $0 { (one, weight) } else { nil } }
        // The order in which things were seen decides between equals.
        result.ranked = offers.enumerated().sorted { one, other in
            Self.key(one.element, one.offset) < Self.key(other.element, other.offset)
        }.map(\.element.0)
        return result
    }

    /// Those that nothing known speaks against.
    package var advised: [Suggestion] { ranked.filter { $0.advisedAgainst == nil } }

    private static func key(_ offer: (Suggestion, Weight), _ offset: Int) -> (Int, Int, Int, Int) {
        (offer.0.advisedAgainst == nil ? 0 : 1, offer.1.rawValue, -offer.0.evidence.count, offset)
    }
}

/// How likely it is that a thing kept a program from running: programs look for many files and calls, and live without
/// them. The smaller comes first.
enum Weight: Int {
    case limit, program, request, bind, write, connect, systemCall, read
    /// A host of which it is not known what would be asked of it.
    case name
}

/// What came of one thing that was asked for.
enum Found {
    case suggestion(Suggestion, Weight)
    case ungrantable(Ungrantable)

    static func no(_ observations: [Observation], _ reason: String) -> Found {
        .ungrantable(Ungrantable(evidence: Evidence(observations), reason: reason))
    }
}

extension Observation {
    /// It was refused, or let pass for once.
    var isWanted: Bool { outcome != .used }
}

extension Profile {
    /// The suggestion, if the profile can be extended by it and then allows what it is for; otherwise why not.
    ///
    /// Whatever puts a change together, nothing is suggested that a launch would refuse.
    func offer(
        _ suggestion: Suggestion, _ weight: Weight, for observations: [Observation],
        allows: (Profile) -> Bool = { _ in true }
    ) -> Found {
        do throws(JailError) {
            let extended = try adding([suggestion.change])
            guard allows(extended) else {
                return .no(observations, "no rule was found that allows it and nothing else")
            }
            return .suggestion(suggestion, weight)
        } catch {
            return .no(observations, error.reason)
        }
    }
}
