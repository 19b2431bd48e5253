internal import JailCore
internal import JailPolicy

/// Something that a rule has seen, to be told: the first of its kind at once, and later how often it was seen meanwhile.
struct Alert: Equatable, Sendable {
    var rule: AlertRule
    /// What was seen last, or most of: `31`, `412M`, `evil.onion`.
    var seen: String
    /// How often, since it was told last.
    var count: Int
    /// Different ones of what was seen, as far as they are kept.
    var examples: [String] = []
    /// It was seen just now, and not only counted up to now.
    var isFirst: Bool

    /// For people, on one line.
    var message: String {
        var text = "\(rule.name): \(rule.condition): \(seen)"
        if !isFirst {
            text += "; seen \(count) \(count == 1 ? "time" : "times") more in \(TimeSpan.format(rule.every))"
            if examples.count > 1 { text += ", such as \(examples.joined(separator: ", "))" }
        }
        return text.printable
    }

    /// The same without anything that the jail has chosen.
    var plainMessage: String {
        let what = rule.watch.kind == .threshold ? "\(rule.condition): \(seen)" : rule.condition
        return "\(rule.name): \(what)" + (count > 1 ? ", \(count) times" : "")
    }

    func event(jail: String) -> JSON {
        var members: [(String, JSON)] = [
            ("event", "alert"), ("rule", .string(rule.name)), ("severity", .string(rule.severity.rawValue)),
            ("watch", .string(rule.watch.rawValue)), ("seen", .string(seen)),
        ]
        switch rule.watch.kind {
        case .threshold: members.append(("above", .string(rule.watch.text(rule.above ?? 0))))
        case .pattern: members.append(("matching", .strings(rule.matching.map(\.text))))
        case .anomaly: members.append(("learned", .string(TimeSpan.format(rule.learn))))
        case .occurrence: break
        }
        if rule.watch.kind == .threshold, rule.watch != .memory {
            members.append(("within", .string(TimeSpan.format(rule.within))))
        }
        if examples.count > 1 { members.append(("examples", .strings(examples))) }
        members += [
            ("count", .number(count)), ("again", .boolean(!isFirst)),
            ("actions", .strings(["log"] + rule.actions.map(\.rawValue))), ("jail", .string(jail)),
            ("message", .string(message)),
        ]
        return .object(members)
    }
}

/// Alerts of one rule: what is seen again within an interval is counted, and told once at its end.
struct AlertGroup {
    private let rule: AlertRule
    /// Nanoseconds.
    private let interval: Int64
    /// Monotonic nanoseconds at which the interval ends; nil: the next one is told at once.
    private(set) var end: Int64?
    private var count = 0
    private var last = ""
    private var examples: [String] = []

    private static let mostExamples = 5
    /// Bytes of what was seen.
    private static let longest = 256

    init(_ rule: AlertRule) {
        self.rule = rule
        interval = Int64(clamping: min(rule.every, 1 << 40) * 1_000_000)
    }

    /// Something was seen; what is to be told of it now.
    mutating func add(_ seen: String, now: Int64) -> Alert? {
        let seen = Self.clipped(seen)
        guard end != nil else {
            end = now + interval
            return Alert(rule: rule, seen: seen, count: 1, isFirst: true)
        }
        count += 1
        last = seen
        if examples.count < Self.mostExamples, rule.watch.kind != .threshold, !examples.contains(seen) {
            examples.append(seen)
        }
        return nil
    }

    /// What was counted, once the interval is over.
    mutating func take(now: Int64) -> Alert? {
        guard let end, now >= end else { return nil }
        guard count > 0 else {
            self.end = nil
            return nil
        }
        self.end = now + interval
        defer {
            count = 0
            examples = []
        }
        return Alert(rule: rule, seen: last, count: count, examples: examples, isFirst: false)
    }

    /// What is still to be told when nothing more will be seen.
    mutating func takeLast(now: Int64) -> Alert? {
        end = end.map { min($0, now) }
        return take(now: now)
    }

    /// What was before counts no more.
    mutating func forget() {
        end = nil
        count = 0
        examples = []
    }

    private static func clipped(_ text: String) -> String {
        let text = text.printable
        guard text.utf8.count > longest else { return text }
        return String(decoding: text.utf8.prefix(longest - 3), as: UTF8.self).printable + "…"
    }
}
