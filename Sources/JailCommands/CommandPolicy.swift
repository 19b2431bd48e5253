package import JailPolicy

/// The one decision function of commands, compiled from `commands` of a profile. Pure.
///
/// Who runs them, `explain`, and the tests ask the same ``decide(_:)``. It is total: any list of words has an answer.
package struct CommandPolicy: Sendable {
    package let rules: CommandRules
    private let matchers: [CommandMatcher]

    package init(_ rules: CommandRules) {
        self.rules = rules
        matchers = rules.rules.map(CommandMatcher.init)
    }

    /// May this be run? What no rule could allow first, then words that are denied, then the rules in the order of the
    /// profile.
    ///
    /// - Parameter vector: the command as it is called, and its arguments.
    package func decide(_ vector: [String]) -> CommandVerdict {
        if let reason = CommandVector.problem(vector) { return .deny(CommandDenial(.malformed, reason)) }
        let (name, arguments) = (vector[0], Array(vector.dropFirst()))
        if CommandRule.shells.contains(where: name.hasSameBytes) { return .deny(shellDenial(name)) }
        let candidates = rules.rules.indices.filter { rules.rules[$0].isCalled(name) }
        if let denial = explicitDenial(arguments, candidates) { return .deny(denial) }
        var furthest: (index: Int, mismatch: CommandMismatch)?
        for index in candidates {
            guard let mismatch = matchers[index].mismatch(arguments) else {
                return .allow(CommandGrant(rule: rules.rules[index], index: index, arguments: arguments))
            }
            if mismatch.position > furthest?.mismatch.position ?? -1 { furthest = (index, mismatch) }
        }
        guard let furthest else {
            return .deny(CommandDenial(.unlisted, "no rule of commands names '\(name.excerpt)'"))
        }
        let others = candidates.count > 1 ? ", and none of the \(candidates.count) rules of it fits" : ""
        let label = Self.label(furthest.index)
        return .deny(
            CommandDenial(.unlisted, "\(furthest.mismatch.reason) (\(label))\(others)", nearest: furthest.index))
    }

    static func label(_ index: Int) -> String { "commands[\(index)]" }

    /// A denied word counts for every rule of the command, wherever it stands, if the word that the denying rule begins with is
    /// there as well.
    private func explicitDenial(_ arguments: [String], _ candidates: [Int]) -> CommandDenial? {
        let listed = candidates.flatMap { rules.rules[$0].flags.flatMap(\.names) }
        for index in candidates {
            let rule = rules.rules[index]
            guard !rule.denied.isEmpty, rule.leading.map({ arguments.contains(where: $0.hasSameBytes) }) ?? true else {
                continue
            }
            for word in arguments {
                guard let denied = rule.denial(of: word, listed: listed) else { continue }
                let what = word.hasSameBytes(as: denied) ? "" : ", which may be '\(denied.excerpt)'"
                return CommandDenial(
                    .forbidden, "\(Self.label(index)) denies '\(word.excerpt)'\(what)", index: index)
            }
        }
        return nil
    }

    private func shellDenial(_ name: String) -> CommandDenial {
        CommandDenial(
            .malformed,
            "'\(name)' is there to read a command line of one command, with -c or -lc, and runs nothing else")
    }
}

extension CommandRule {
    /// By its name, or by its program's whole path. `./npm` and `/bin/../usr/bin/npm` are neither.
    func isCalled(_ word: String) -> Bool { word.hasSameBytes(as: name) || word.hasSameBytes(as: program) }
}

package enum CommandVerdict: Equatable, Sendable {
    case allow(CommandGrant)
    case deny(CommandDenial)
}

/// What is run, and by which rule.
package struct CommandGrant: Equatable, Sendable {
    package let rule: CommandRule
    /// Of the rule, in the profile.
    package let index: Int
    /// Without the command's name.
    package let arguments: [String]

    /// What the program is given: its name comes from the rule, and never from who calls.
    package var vector: [String] { [rule.name] + arguments }
    package var label: String { CommandPolicy.label(index) }
}

package struct CommandDenial: Equatable, Sendable {
    package enum Kind: Sendable {
        /// Nothing that a rule could be about.
        case malformed
        /// A rule denies it, and no person is asked.
        case forbidden
        /// No rule allows it.
        case unlisted
    }

    package let kind: Kind
    package let reason: String
    /// The rule that denies it.
    package let index: Int?
    /// The rule that comes nearest to allowing it.
    package let nearest: Int?

    init(_ kind: Kind, _ reason: String, index: Int? = nil, nearest: Int? = nil) {
        self.kind = kind
        self.reason = reason
        self.index = index
        self.nearest = nearest
    }
}
