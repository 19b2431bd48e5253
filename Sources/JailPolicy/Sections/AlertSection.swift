package import JailCore

extension AlertRules {
    /// The keys of `alerts`.
    static let table = SectionTable<AlertRules>([
        SectionKey(
            "defaults", read: { (field, alerts) throws(JailError) in alerts.defaults = try field.boolean() },
            write: { .boolean($0.defaults) }),
        SectionKey<AlertRules>(
            "rules",
            read: { (field, alerts) throws(JailError) in
                for element in try field.elements() { alerts.add(try AlertRule.read(element)) }
                guard alerts.rules.count <= mostRules else {
                    throw field.refusal("must have at most \(mostRules) elements, not \(alerts.rules.count)")
                }
            },
            write: { .array($0.rules.map(\.json)) }
        ).holding(AlertRuleParts.table, suffix: "[]"),
        SectionKey(
            "webhook",
            read: { (field, alerts) throws(JailError) in
                alerts.webhook = try field.parsed(as: "a URL", WebhookAddress.parse)
            },
            write: { $0.webhook.map { .string($0.text) } }),
        SectionKey(
            "command",
            read: { (field, alerts) throws(JailError) in
                let words = try field.filledList { (element) throws(JailError) in
                    try element.name { (text) throws(ValueError) in
                        guard !text.utf8.contains(0) else { throw ValueError("must be a text without NUL") }
                    }
                }
                guard words[0] != "" else { throw field.refusal("must begin with a program") }
                alerts.command = words
            },
            write: { $0.command.isEmpty ? nil : .strings($0.command) }),
    ])

    /// Each is looked at for every event.
    private static let mostRules = 64

    /// What takes away what a parent asks for.
    private static let none = "none"

    /// nil: nobody wants to hear of anything.
    static func read(_ field: Field) throws(JailError) -> AlertRules? {
        if case .string(none) = field.value.content { return nil }
        guard case .object = field.value.content else { throw field.wrongKind("an object, or \"\(none)\"") }
        var alerts = AlertRules()
        try table.read(field, into: &alerts)
        for rule in alerts.all {
            let missing =
                rule.actions.contains(.webhook) && alerts.webhook == nil
                ? "webhook" : rule.actions.contains(.command) && alerts.command.isEmpty ? "command" : nil
            if let missing {
                throw field.refusal("needs a '\(missing)': the rule '\(rule.name)' has that action")
            }
        }
        return alerts
    }

    package var json: JSON { Self.table.json(self) }

    /// For people, a line each.
    package var shown: [String] {
        var lines = all.map(\.shown)
        if let webhook { lines.append("webhook: \(webhook.text)") }
        if !command.isEmpty { lines.append("command, on the host: \(command.joined(separator: " "))") }
        return lines.isEmpty ? ["no rules"] : lines
    }
}

/// A rule as it is written: what is nil is not there.
struct AlertRuleParts: Sendable {
    var name: String?
    var watch: AlertSubject?
    /// Read once it is known what is counted.
    var above: Field?
    var within: UInt64?
    var matching: [Field]?
    var learn: UInt64?
    var severity = AlertSeverity.warning
    var actions: [AlertAction] = []
    var every: UInt64 = 600_000

    /// Only for reading: ``AlertRule/json`` writes.
    static let table = SectionTable<AlertRuleParts>([
        SectionKey(
            "name", read: { (field, parts) throws(JailError) in parts.name = try field.name(Name.checkProfile) },
            write: { _ in nil }),
        SectionKey(
            "watch", read: { (field, parts) throws(JailError) in parts.watch = try field.oneOf(AlertSubject.self) },
            write: { _ in nil }),
        SectionKey(
            "above", read: { (field, parts) throws(JailError) in parts.above = field }, write: { _ in nil }),
        SectionKey(
            "within",
            read: { (field, parts) throws(JailError) in parts.within = try field.time(1000...longest) },
            write: { _ in nil }),
        SectionKey(
            "matching",
            read: { (field, parts) throws(JailError) in
                parts.matching = try field.filledList { (element) throws(JailError) in element }
            },
            write: { _ in nil }),
        SectionKey(
            "learn",
            read: { (field, parts) throws(JailError) in parts.learn = try field.time(0...365 * 86_400_000) },
            write: { _ in nil }),
        SectionKey(
            "severity",
            read: { (field, parts) throws(JailError) in parts.severity = try field.oneOf(AlertSeverity.self) },
            write: { _ in nil }),
        SectionKey(
            "actions",
            read: { (field, parts) throws(JailError) in
                let named = try field.list { (element) throws(JailError) in try element.oneOf(AlertAction.self) }
                parts.actions = AlertAction.allCases.filter(named.contains)
            },
            write: { _ in nil }),
        SectionKey(
            "every",
            read: { (field, parts) throws(JailError) in parts.every = try field.time(10_000...longest) },
            write: { _ in nil }),
    ])

    /// Milliseconds.
    private static let longest: UInt64 = 7 * 86_400_000
}

extension AlertRule {
    static func read(_ field: Field) throws(JailError) -> AlertRule {
        var parts = AlertRuleParts()
        try AlertRuleParts.table.read(field, into: &parts)
        guard let name = parts.name else { throw field.refusal("needs a 'name'") }
        guard let watch = parts.watch else { throw field.refusal("needs a 'watch'") }
        var rule = AlertRule(name: name, watch: watch)
        rule.severity = parts.severity
        rule.actions = parts.actions
        rule.every = parts.every
        try rule.refuseOthers(parts, field)
        switch watch.kind {
        case .threshold:
            guard let above = parts.above else { throw field.refusal("needs 'above': it watches \(watch.rawValue)") }
            rule.above = try watch.amount(above)
            rule.within = parts.within ?? rule.within
        case .pattern:
            guard let matching = parts.matching else {
                throw field.refusal("needs 'matching': it watches \(watch.rawValue)")
            }
            for element in matching {
                rule.matching.append(
                    try element.parsed { (text) throws(ValueError) in try AlertPattern.parse(text, of: watch) })
            }
        case .anomaly: rule.learn = parts.learn ?? rule.learn
        case .occurrence: break
        }
        return rule
    }

    /// A key that means nothing for what is watched was meant for something else.
    private func refuseOthers(_ parts: AlertRuleParts, _ field: Field) throws(JailError) {
        let kind = watch.kind
        let others: [(String, isThere: Bool, isAllowed: Bool)] = [
            ("above", parts.above != nil, kind == .threshold),
            ("within", parts.within != nil, kind == .threshold && watch != .memory),
            ("matching", parts.matching != nil, kind == .pattern), ("learn", parts.learn != nil, kind == .anomaly),
        ]
        if let other = others.first(where: { $0.isThere && !$0.isAllowed }) {
            throw field.refusal("must not have '\(other.0)': it watches \(watch.rawValue)")
        }
    }

    package var json: JSON {
        var members: [(String, JSON)] = [("name", .string(name)), ("watch", .string(watch.rawValue))]
        switch watch.kind {
        case .threshold:
            if let above { members.append(("above", watch.json(above))) }
            if watch != .memory { members.append(("within", .string(TimeSpan.format(within)))) }
        case .pattern: members.append(("matching", .strings(matching.map(\.text))))
        case .anomaly: members.append(("learn", .string(TimeSpan.format(learn))))
        case .occurrence: break
        }
        members += [
            ("severity", .string(severity.rawValue)), ("actions", .strings(actions.map(\.rawValue))),
            ("every", .string(TimeSpan.format(every))),
        ]
        return .object(members)
    }
}

extension AlertSubject {
    /// `above`, in the unit of what is watched.
    fileprivate func amount(_ field: Field) throws(JailError) -> UInt64 {
        switch self {
        case .memory, .stderr, .upload: try field.size()
        case .spend: try field.parsed(as: "an amount such as \"5 USD\"", Money.parse)
        default: try field.integer(0...1_000_000_000)
        }
    }

    /// As ``amount(_:)`` reads it.
    fileprivate func json(_ amount: UInt64) -> JSON {
        switch self {
        case .memory, .stderr, .upload, .spend: .string(text(amount))
        default: .number(amount)
        }
    }

    /// An amount for people.
    package func text(_ amount: UInt64) -> String {
        switch self {
        case .memory, .stderr, .upload: ByteSize.format(amount)
        case .spend: Money.format(amount)
        default: String(amount)
        }
    }
}

extension Field {
    /// In milliseconds.
    fileprivate func time(_ range: ClosedRange<UInt64>) throws(JailError) -> UInt64 {
        let time = try parsed(as: "a time such as \"30s\"", TimeSpan.parse)
        guard range.contains(time) else {
            throw refusal(
                "must be from \"\(TimeSpan.format(range.lowerBound))\" to \"\(TimeSpan.format(range.upperBound))\", "
                    + "not \"\(TimeSpan.format(time))\"")
        }
        return time
    }
}
