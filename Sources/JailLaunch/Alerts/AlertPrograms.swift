internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What programs of the host's are told of an alert.
enum AlertPrograms {
    /// The program of an action, and what it reads; nil: the action starts none.
    static func prepare(
        _ action: AlertAction, _ alert: Alert, of plan: AlertsPlan, jail: String
    ) -> (command: HostCommandPlan, input: [UInt8])? {
        guard var command = plan.programs[action] else { return nil }
        let event = alert.event(jail: jail)
        switch action {
        case .desktop:
            // It takes arguments and nothing else: so nothing that the jail has chosen is among them.
            command.arguments += [
                "--app-name=clawjail", "--urgency=\(alert.rule.severity.urgency)", "--", "clawjail: jail \(jail)",
                alert.plainMessage.withoutMarkup,
            ]
            return (command, [])
        case .webhook:
            guard let webhook = plan.webhook, case .object(let members) = event else { return nil }
            // What chat services show of what they are told.
            let line = "clawjail: jail '\(jail)': \(alert.message)"
            let body = JSON.object(members + [("text", .string(line)), ("content", .string(line))])
            return (command, HostCommandPlan.webhookInput(webhook, body))
        default: return (command, Array((event.text() + "\n").utf8))
        }
    }
}

extension JournalSocket {
    /// Where alerts are told.
    static var forAlerts: JournalSocket { JournalSocket(identifier: "clawjail", facility: .daemon) }

    func send(_ alert: Alert, jail: String) throws(SystemError) {
        try send(
            "jail '\(jail)': \(alert.message)", priority: alert.rule.severity.priority,
            fields: [
                ("CLAWJAIL_JAIL", jail), ("CLAWJAIL_RULE", alert.rule.name),
                ("CLAWJAIL_ALERT", alert.event(jail: jail).text()),
            ])
    }
}

extension AlertSeverity {
    /// Of syslog(3).
    fileprivate var priority: Int {
        switch self {
        case .info: 6
        case .warning: 4
        case .critical: 2
        }
    }

    /// Of notify-send(1).
    fileprivate var urgency: String {
        switch self {
        case .info: "low"
        case .warning: "normal"
        case .critical: "critical"
        }
    }
}

extension String {
    /// The text of a notification may have tags in it.
    fileprivate var withoutMarkup: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
