internal import JailCore

/// `alerts`: what a person wants to hear of while a jail runs, and what is done then.
package struct AlertRules: Equatable, Sendable {
    /// The rules of ``defaultRules`` hold as well, but for those that ``rules`` has a name of.
    package var defaults = false
    package var rules: [AlertRule] = []
    /// Where the action `webhook` tells it.
    package var webhook: WebhookAddress?
    /// What the action `command` starts on the host: the program and its arguments; empty: nothing.
    package var command: [String] = []

    package init() {}

    /// All that hold.
    package var all: [AlertRule] {
        (defaults ? Self.defaultRules.filter { rule in !rules.contains { $0.name == rule.name } } : []) + rules
    }

    /// A rule takes the place of an earlier one of its name.
    mutating func add(_ rule: AlertRule) {
        if let index = rules.firstIndex(where: { $0.name == rule.name }) {
            rules[index] = rule
        } else {
            rules.append(rule)
        }
    }
}

/// One thing to hear of.
package struct AlertRule: Equatable, Sendable {
    package var name: String
    package var watch: AlertSubject
    /// Of a threshold: what is more than this is told. In the unit of ``watch``.
    package var above: UInt64?
    /// Of a threshold that counts: over how long, in milliseconds.
    package var within: UInt64 = 60_000
    /// Of a pattern: one that matches is enough.
    package var matching: [AlertPattern] = []
    /// Of what is unusual: how long the jail is watched before anything is, in milliseconds.
    package var learn: UInt64 = 7 * 86_400_000
    package var severity = AlertSeverity.warning
    /// Besides the log, which has them all.
    package var actions: [AlertAction] = []
    /// Milliseconds: what is seen again meanwhile is counted, and told as one.
    package var every: UInt64 = 600_000

    package init(name: String, watch: AlertSubject) {
        self.name = name
        self.watch = watch
    }
}

/// What a rule looks at.
package enum AlertSubject: String, CaseIterable, Sendable {
    // Thresholds.
    /// Connections and requests that were allowed.
    case connections
    /// What was denied: on the network, of what was to be executed, of sessions.
    case denials
    /// Bytes in use.
    case memory
    /// Bytes on the command's standard error.
    case stderr
    /// Bytes sent in requests and connections.
    case upload
    /// Millionths of a dollar.
    case spend

    // Patterns.
    /// Names and addresses that were asked for, allowed or not.
    case hosts
    /// Paths of URLs that were asked for.
    case paths
    /// What was executed in the jail from outside, with its arguments.
    case commands
    /// Files that are named by what was executed, or by what was denied.
    case files

    // What is unusual for this jail.
    case newHost, unusualHour, unusualVolume

    // What is never right: once is enough.
    /// A canary was seen somewhere.
    case canary
    /// A placeholder was sent where its secret is not bound to.
    case secretMisuse
    /// A secret came back in an answer.
    case secretReturned

    package enum Kind: Sendable { case threshold, pattern, anomaly, occurrence }

    package var kind: Kind {
        switch self {
        case .connections, .denials, .memory, .stderr, .upload, .spend: .threshold
        case .hosts, .paths, .commands, .files: .pattern
        case .newHost, .unusualHour, .unusualVolume: .anomaly
        case .canary, .secretMisuse, .secretReturned: .occurrence
        }
    }
}

package enum AlertSeverity: String, CaseIterable, Sendable { case info, warning, critical }

package enum AlertAction: String, CaseIterable, Sendable {
    case journal, desktop, webhook, command, pause, stop, lockdown
}

/// One of `matching`: the globs of the policy for hosts and for paths of URLs; of commands and files `*` is any text.
package enum AlertPattern: Hashable, Sendable {
    case host(HostPattern)
    case path(PathPattern)
    case text(TextPattern)

    static func parse(_ text: String, of subject: AlertSubject) throws(ValueError) -> AlertPattern {
        switch subject {
        case .hosts: .host(try HostPattern.parse(text))
        case .paths: .path(try PathPattern.parse(text))
        default: .text(try TextPattern.parse(text))
        }
    }

    package var text: String {
        switch self {
        case .host(let pattern): pattern.text
        case .path(let pattern): pattern.text
        case .text(let pattern): pattern.text
        }
    }
}

/// A text in which `*` stands for any text, nothing included.
package struct TextPattern: Hashable, Sendable {
    package let text: String
    private let bytes: [UInt8]

    private static let longest = 256
    /// Bytes of a text that are looked at.
    private static let longestText = 1024

    package static func parse(_ text: String) throws(ValueError) -> TextPattern {
        guard (1...longest).contains(text.utf8.count), text == text.printable,
            text.utf8.contains(where: { $0 != UInt8(ascii: "*") })
        else { throw ValueError(expected: "a text such as \"*/.ssh/*\", at most 256 bytes", found: text) }
        return TextPattern(text: text, bytes: Array(text.utf8))
    }

    package func matches(_ other: String) -> Bool {
        let star = UInt8(ascii: "*")
        return Wildcards.match(
            bytes, Array(other.utf8.prefix(Self.longestText)), isStar: { $0 == star }, matches: { $0 == $1 })
    }
}
