package import JailCore
package import JailPolicy

/// A decision for people and programs.
package struct Explanation: Sendable {
    package let question: Question
    package let decision: Decision
    private let call: SystemCallDecision?
    private let position: SourcePosition?

    package init(_ question: Question, _ call: SystemCallDecision, _ origins: ProfileOrigins) {
        self.init(question, call.decision, call, origins)
    }

    package init(_ question: Question, _ decision: Decision, _ origins: ProfileOrigins) {
        self.init(question, decision, nil, origins)
    }

    private init(
        _ question: Question, _ decision: Decision, _ call: SystemCallDecision?, _ origins: ProfileOrigins
    ) {
        self.question = question
        self.decision = decision
        self.call = call
        position = decision.source.flatMap(origins.position(of:))
    }

    /// Lines for people.
    package var text: String {
        var lines = ["\(decision.isAllowed ? "allowed" : "denied"): \(question.text.printable)"]
        lines.append("because \(decision.reason)" + (decision.errno.map { ": \($0)" } ?? ""))
        if let source = decision.source {
            let place = position.map { "\($0.file.printable):\($0.line)" } ?? "by default, or from the command line"
            lines.append("by \(source.key)\(source.value.map { ": \($0.printable)" } ?? "") (\(place))")
        }
        lines += call?.rules ?? []
        if !decision.isAllowed {
            lines.append(
                decision.change.map { "to allow exactly this: \($0.text.printable)" }
                    ?? "no rule can allow it: \(decision.obstacle ?? "")")
        }
        return (lines + decision.notes.map { "note: \($0)" }).joined(separator: "\n")
    }

    package var json: JSON {
        var members: [(String, JSON)] = [
            ("version", 1), ("asked", .string(question.text)), ("allowed", .boolean(decision.isAllowed)),
            ("reason", .string(decision.reason)), ("errno", decision.errno.map { .number($0.rawValue) } ?? .null),
        ]
        if let source = decision.source {
            members.append(("rule", .string(source.key)))
            members.append(("ruleText", .optional(source.value)))
        }
        if let position {
            members.append(("file", .string(position.file)))
            members.append(("line", .number(position.line)))
        }
        if !decision.isAllowed {
            members.append(("remedy", .optional(decision.change?.text)))
            members.append(("change", decision.change.map(Self.json) ?? .null))
            members.append(("obstacle", .optional(decision.obstacle)))
        }
        if let call {
            members.append(("number", call.number.map { .number($0) } ?? .null))
            members.append(("arguments", .strings(call.rules)))
        }
        members.append(("notes", .strings(decision.notes)))
        return .object(members)
    }

    private static func json(_ change: ProfileChange) -> JSON {
        ["key": .string(change.key), "value": .string(change.value), "isElement": .boolean(change.isElement)]
    }
}
