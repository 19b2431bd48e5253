package import JailCore

/// A verdict for people and programs.
package struct NetworkExplanation: Sendable {
    package let subject: NetworkSubject
    package let verdict: NetworkVerdict
    private let rules: NetworkRules

    package init(_ subject: NetworkSubject, by policy: NetworkPolicy) {
        self.subject = subject
        verdict = policy.decide(subject.question)
        rules = policy.rules
    }

    package var isAllowed: Bool { if case .allow = verdict { true } else { false } }

    /// The request in the form that is judged and sent.
    private var canonical: String {
        let question = subject.question
        guard let method = question.method, let scheme = question.scheme else {
            return Authority(host: question.host, port: question.port).description
        }
        let port = question.port == scheme.standardPort ? nil : question.port
        let kind = question.isWebSocket ? (scheme == .https ? "wss" : "ws") : scheme.rawValue
        let authority = Authority(host: question.host, port: port)
        return "\(method) \(kind)://\(authority)\(question.path?.target ?? "")"
    }

    /// The text of a rule such as `network.allow[3] (preset npm)`.
    private func text(of label: String) -> String? {
        let parts = label.split(separator: "]").first?.split(separator: "[") ?? []
        guard parts.count == 2, let index = Int(parts[1]) else { return nil }
        switch parts[0] {
        case "network.allow" where rules.allow.indices.contains(index): return rules.allow[index].json.text()
        case "network.deny" where rules.deny.indices.contains(index): return rules.deny[index].json.text()
        default: return nil
        }
    }

    /// Lines for people.
    package var text: String {
        var lines: [String] = []
        switch verdict {
        case .allow(let grant):
            lines.append("allowed: \(canonical.printable)")
            lines.append("by \(grant.rule): \(text(of: grant.rule) ?? "")")
            switch grant.handling {
            case .inspect: break
            case .passThrough: lines.append("TLS is passed through: methods and paths are not judged")
            case .tcp: lines.append("bytes are passed through: nothing of what is said is judged")
            }
        case .deny(let denial):
            lines.append("denied: \(canonical.printable)")
            lines.append("because \(denial.reason)")
            if let rule = denial.rule, let text = text(of: rule) { lines.append("by \(rule): \(text)") }
            lines.append(denial.remedy.map { "to allow exactly this: \($0)" } ?? "no rule can allow it")
        }
        if canonical != subject.typed { lines.append("as typed: \(subject.typed.printable)") }
        return lines.joined(separator: "\n")
    }

    package var json: JSON {
        var members: [(String, JSON)] = [
            ("version", 1), ("asked", .string(subject.typed)), ("canonical", .string(canonical)),
            ("allowed", .boolean(isAllowed)),
        ]
        switch verdict {
        case .allow(let grant):
            members.append(("rule", .string(grant.rule)))
            members.append(("ruleText", .optional(text(of: grant.rule))))
            members.append(("handling", .string("\(grant.handling)")))
            members.append(("requestSize", .number(grant.requestSize)))
        case .deny(let denial):
            members.append(("reason", .string(denial.reason)))
            members.append(("rule", .optional(denial.rule)))
            members.append(("ruleText", .optional(denial.rule.flatMap(text(of:)))))
            members.append(("remedy", .optional(denial.remedy)))
        }
        return .object(members)
    }
}
