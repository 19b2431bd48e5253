package import JailCore
package import JailPolicy

/// What the supervisor looks out for while the jail runs, and what it does then.
package struct AlertsPlan: Equatable, Sendable {
    /// At least one.
    package var rules: [AlertRule]
    /// Where the action `webhook` tells it; the program is among ``programs``.
    package var webhook: WebhookAddress?
    /// What actions start on the host.
    package var programs: [AlertAction: HostCommandPlan]
    /// Where what is usual for the jail is kept; nil: no rule asks for it.
    package var baseline: String?

    package init(rules: [AlertRule], webhook: WebhookAddress? = nil, programs: [AlertAction: HostCommandPlan] = [:]) {
        self.rules = rules
        self.webhook = webhook
        self.programs = programs
    }

    package func watches(_ subject: AlertSubject) -> Bool { rules.contains { $0.watch == subject } }

    package var json: JSON {
        [
            "rules": .array(rules.map(\.json)),
            "programs": .object(
                AlertAction.allCases.compactMap { action in programs[action].map { (action.rawValue, $0.json) } }),
            "webhook": .optional(webhook?.shown), "baseline": .optional(baseline),
        ]
    }
}

/// `alerts` of a profile, held against what the host has.
package struct AlertsPlanner {
    let rules: AlertRules
    /// Canonical, by the name that the profile has for them, see ``HostFacts/programs``.
    let programs: [String: String]

    package init(rules: AlertRules, programs: [String: String]) {
        self.rules = rules
        self.programs = programs
    }

    /// - Parameter baseline: where what is usual would be kept.
    /// - Returns: nil: there is nothing to look out for.
    package func plan(baseline: String) throws(JailError) -> AlertsPlan? {
        let all = rules.all
        guard !all.isEmpty else { return nil }
        var plan = AlertsPlan(rules: all, webhook: rules.webhook)
        for (action, name, key) in rules.hostPrograms {
            guard let path = programs[name] else {
                throw JailError(.plan, path: name, reason: "\(key) needs it, and it was not looked for on this host")
            }
            plan.programs[action] = command(action, path, key)
        }
        if all.contains(where: { $0.watch.kind == .anomaly }) { plan.baseline = baseline }
        return plan
    }

    private func command(_ action: AlertAction, _ path: String, _ key: String) -> HostCommandPlan {
        switch action {
        case .webhook: return HostCommandPlan.webhook(path, encrypted: rules.webhook?.isEncrypted ?? true, key: key)
        case .desktop:
            var command = HostCommandPlan(purpose: key, path: path, arguments: ["notify-send"])
            command.reachesDesktop = true
            return command
        default: return HostCommandPlan(purpose: key, path: path, arguments: rules.command)
        }
    }
}

extension HostCommandPlan {
    /// curl(1), which reads where to and what from its standard input, see ``webhookInput(_:_:)``: an address is often a
    /// secret, and arguments are seen by every user of the host.
    package static func webhook(_ curl: String, encrypted: Bool, key: String) -> HostCommandPlan {
        var command = HostCommandPlan(
            purpose: key, path: curl,
            arguments: [
                // First, or it reads the caller's own file of options.
                "curl", "--disable", "--silent", "--show-error", "--fail", "--output", "/dev/null",
                "--proto", encrypted ? "=https" : "=http", "--max-time", "10", "--config", "-",
            ])
        command.timeout = 15_000
        return command
    }

    /// What the program of ``webhook(_:encrypted:key:)`` reads. JSON has no line breaks, and needs few escapes.
    ///
    /// - Parameter headers: besides the type; without characters that would have to be escaped.
    package static func webhookInput(
        _ address: WebhookAddress, _ body: JSON, headers: [(name: String, value: String)] = []
    ) -> [UInt8] {
        let more = headers.map { "header = \"\($0.name): \($0.value)\"\n" }.joined()
        let text = body.text().replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
        return Array(
            """
            url = "\(address.text)"
            header = "Content-Type: application/json"
            \(more)data-raw = "\(text)"

            """.utf8)
    }
}
