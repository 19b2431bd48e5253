internal import JailCommands
internal import JailCore
package import JailPolicy

/// What a person asks about a command.
package enum CommandQuestion: Equatable, Sendable {
    /// Behind `sh -c`.
    case line(String)
    case words([String])

    package var text: String {
        switch self {
        case .line(let line): line
        case .words(let words): words.map(\.shellQuoted).joined(separator: " ")
        }
    }
}

/// What comes of a call of a command.
package enum CommandDecision {
    /// - Parameter program: where the host has a program, for the rule that would allow it; nil: nowhere.
    package static func decide(
        _ question: CommandQuestion, of profile: Profile, program: (String) -> String?
    ) -> Decision {
        let words: [String]
        switch question {
        case .words(let given) where given.first != "sh": words = given
        case .words(let given):
            do throws(ShellCallRefusal) {
                words = try ShellCall.read(given.dropFirst().map { Array($0.utf8) })
            } catch { return .denied(error.reason, obstacle: unreadable) }
        case .line(let line):
            do throws(ShellRefusal) { words = try ShellReader.read(Array(line.utf8)) } catch {
                return .denied(error.reason, obstacle: unreadable)
            }
        }
        let policy = CommandPolicy(profile.commands)
        return decision(policy, words, profile, program).noting(reading(question, words))
            .noting(direct(words, profile))
    }

    private static let unreadable = "it is more than one command with its words; ask for each by itself"

    private static func decision(
        _ policy: CommandPolicy, _ words: [String], _ profile: Profile, _ program: (String) -> String?
    ) -> Decision {
        switch policy.decide(words) {
        case .allow(let grant):
            return Decision.allowed("it is what \(grant.label) allows", by: source(grant.rule))
                .noting(grant.rule.asks ? "a person is asked about every call" : nil)
                .noting(place(of: grant.rule))
        case .deny(let denial):
            let rule = (denial.index ?? denial.nearest).map { source(policy.rules.rules[$0]) }
            guard denial.kind == .unlisted else {
                let obstacle = denial.kind == .forbidden ? "what a rule denies, no other one allows" : denial.reason
                return .denied(denial.reason, by: rule, obstacle: obstacle)
            }
            guard let change = policy.remedy(for: words, program: program) else {
                return .denied(denial.reason, by: rule, obstacle: "no program of that name is known")
            }
            return Decision.denied(denial.reason, by: rule, change: change)
                .noting(ProgramFamilies.warning(words[0]))
        }
    }

    private static func source(_ rule: CommandRule) -> ProfileSource { ProfileSource("commands", rule.shown) }

    private static func place(of rule: CommandRule) -> String? {
        switch rule.place {
        case .jail: nil
        case .profile(let name): "it runs in a jail of its own, of the profile \(name)"
        case .host(let user): "it runs outside of any jail, as the host's user \(user)"
        }
    }

    /// What a line is taken for, where quotes are in it.
    private static func reading(_ question: CommandQuestion, _ words: [String]) -> String? {
        guard case .line(let line) = question, line.utf8.contains(where: { "'\"\\".utf8.contains($0) }) else {
            return nil
        }
        return "read as the words \(words.map(\.shellQuoted).joined(separator: " "))"
    }

    /// Rules bind nobody who can start the program without them.
    private static func direct(_ words: [String], _ profile: Profile) -> String? {
        guard let name = words.first else { return nil }
        let listed = profile.process.programs.first { rule in
            rule.name == name || profile.commands.rules.contains { $0.name == name && $0.program == rule.name }
        }
        guard let listed else { return nil }
        return "programs inside may start it themselves, with any arguments: process.programs has \(listed.name)"
    }
}
