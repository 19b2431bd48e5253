package import JailCore

extension ApprovalRules {
    /// The keys of `approvals`.
    static let table = SectionTable<ApprovalRules>([
        SectionKey(
            "ask", read: { (field, rules) throws(JailError) in rules.ask.formUnion(try kinds(field)) },
            write: { .strings(texts($0.ask)) }),
        SectionKey(
            "timeout",
            read: { (field, rules) throws(JailError) in
                let time = try field.parsed(as: "a time such as \"60s\"", TimeSpan.parse)
                guard timeouts.contains(time) else {
                    throw field.refusal(
                        "must be from \"\(TimeSpan.format(timeouts.lowerBound))\" to "
                            + "\"\(TimeSpan.format(timeouts.upperBound))\", not \"\(TimeSpan.format(time))\"")
                }
                rules.timeout = time
            },
            write: { .string(TimeSpan.format($0.timeout)) }),
        SectionKey(
            "fourEyes", read: { (field, rules) throws(JailError) in rules.fourEyes.formUnion(try kinds(field)) },
            write: { .strings(texts($0.fourEyes)) }),
        SectionKey(
            "notify",
            read: { (field, rules) throws(JailError) in rules.notify = try ApprovalNotify.read(field) },
            write: { $0.notify.isEmpty ? nil : ApprovalNotify.table.json($0.notify) }
        ).holding(ApprovalNotify.table),
    ])

    private static func kinds(_ field: Field) throws(JailError) -> Set<ApprovalKind> {
        Set(
            try field.list { (element) throws(JailError) in
                let choices = ApprovalKind.allCases.map { "\"\($0.key)\"" }.joined(separator: ", ")
                let text = try element.string("one of \(choices)")
                guard let kind = ApprovalKind.allCases.first(where: { $0.key == text }) else {
                    throw element.refusal("must be one of \(choices), not \"\(text.excerpt)\"")
                }
                return kind
            })
    }

    private static func texts(_ kinds: Set<ApprovalKind>) -> [String] {
        ApprovalKind.allCases.filter(kinds.contains).map(\.key)
    }

    /// What takes away what a parent lets a jail ask for.
    private static let none = "none"

    /// nil: nobody is asked.
    static func read(_ field: Field) throws(JailError) -> ApprovalRules? {
        if case .string(none) = field.value.content { return nil }
        guard case .object = field.value.content else { throw field.wrongKind("an object, or \"\(none)\"") }
        var rules = ApprovalRules()
        try table.read(field, into: &rules)
        guard field.value["ask"] != nil else { throw field.refusal("needs 'ask'") }
        // Rules of commands may want somebody to be asked by themselves.
        guard rules.fourEyes.subtracting([.command]).isSubset(of: rules.ask) else {
            throw field.refusal("has in 'fourEyes' what is not in 'ask'")
        }
        return rules
    }

    package var json: JSON { Self.table.json(self) }

    /// For people, a line each.
    package var shown: [String] {
        let lines = ApprovalKind.allCases.filter(ask.contains).map { kind in
            "\(kind.key): \(kind.waiting) waits for \(fourEyes.contains(kind) ? "two who say yes" : "somebody to say yes")"
        }
        return lines + ["\(TimeSpan.format(timeout)) without an answer is a no"] + notify.shown
    }
}

extension ApprovalKind {
    /// What it is that waits.
    fileprivate var waiting: String {
        switch self {
        case .command: "what no rule allows of a program that one names"
        case .network: "what no rule allows"
        case .session: "each one that is asked for"
        }
    }
}
