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

    /// The rule that decides, as a value of the profile; nil: none does.
    package var source: ProfileSource? {
        let label =
            switch verdict {
            case .allow(let grant): grant.rule as String?
            case .deny(let denial): denial.rule
            }
        guard let (key, index) = label.flatMap(Self.place) else { return nil }
        switch key {
        case "network.allow" where rules.allow.indices.contains(index):
            return ProfileSource(key, rules.allow[index].shown)
        case "network.deny" where rules.deny.indices.contains(index):
            return ProfileSource(key, rules.deny[index].shown)
        default: return nil
        }
    }

    /// `network.allow` and 3 of `network.allow[3] (preset npm)`.
    private static func place(_ label: String) -> (key: String, index: Int)? {
        let parts = label.split(separator: "]").first?.split(separator: "[") ?? []
        guard parts.count == 2, let index = Int(parts[1]) else { return nil }
        return (String(parts[0]), index)
    }

    /// The text of a rule such as `network.allow[3] (preset npm)`.
    private func text(of label: String) -> String? {
        guard let (key, index) = Self.place(label) else { return nil }
        switch key {
        case "network.allow" where rules.allow.indices.contains(index): return rules.allow[index].json.text()
        case "network.deny" where rules.deny.indices.contains(index): return rules.deny[index].json.text()
        default: return nil
        }
    }

    /// Lines for people.
    package var text: String { text(nil) }

    /// - Parameter origins: of the profile, to say where the rule stands.
    package func text(_ origins: ProfileOrigins?) -> String {
        var lines: [String] = []
        let place = source.flatMap { origins?.position(of: $0) }.map { " (\($0.file.printable):\($0.line))" } ?? ""
        switch verdict {
        case .allow(let grant):
            lines.append("allowed: \(canonical.printable)")
            lines.append("by \(grant.rule)\(place): \(text(of: grant.rule) ?? "")")
            switch grant.handling {
            case .inspect: break
            case .passThrough: lines.append("TLS is passed through: methods and paths are not judged")
            case .tcp: lines.append("bytes are passed through: nothing of what is said is judged")
            }
        case .deny(let denial):
            lines.append("denied: \(canonical.printable)")
            lines.append("because \(denial.reason)")
            if let rule = denial.rule, let text = text(of: rule) { lines.append("by \(rule)\(place): \(text)") }
            lines.append(denial.remedy.map { "to allow exactly this: \($0)" } ?? "no rule can allow it")
        }
        if canonical != subject.typed { lines.append("as typed: \(subject.typed.printable)") }
        return lines.joined(separator: "\n")
    }

    package var json: JSON { json(nil) }

    /// - Parameter origins: of the profile, to say where the rule stands.
    package func json(_ origins: ProfileOrigins?) -> JSON {
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
        if let position = source.flatMap({ origins?.position(of: $0) }) {
            members.append(("file", .string(position.file)))
            members.append(("line", .number(position.line)))
        }
        return .object(members)
    }
}
