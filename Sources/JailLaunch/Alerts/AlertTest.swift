internal import JailCore
package import JailPlan
package import JailPolicy

/// Does once what a rule does, for a person who wants to see it arrive.
package enum AlertTest {
    package struct Outcome: Equatable, Sendable {
        package var action: AlertAction
        /// Why it was not done; nil: it was.
        package var failure: String?
    }

    /// Waits for each action. There is no jail that could be paused, stopped or locked down: those are left out.
    ///
    /// - Parameter jail: the name that is told.
    package static func fire(_ rule: AlertRule, of plan: AlertsPlan, jail: String) -> [Outcome] {
        let alert = Alert(rule: rule, seen: "a test", count: 1, isFirst: true)
        return rule.actions.compactMap { action in
            switch action {
            case .pause, .stop, .lockdown: nil
            case .journal: Outcome(action: action, failure: tellJournal(alert, jail))
            case .desktop, .webhook, .command:
                Outcome(action: action, failure: start(action, alert, of: plan, jail: jail))
            }
        }
    }

    private static func tellJournal(_ alert: Alert, _ jail: String) -> String? {
        do throws(SystemError) {
            try JournalSocket.forAlerts.send(alert, jail: jail)
            return nil
        } catch { return "\(error.call.name): \(error.errno)" }
    }

    private static func start(_ action: AlertAction, _ alert: Alert, of plan: AlertsPlan, jail: String) -> String? {
        guard let (command, input) = AlertPrograms.prepare(action, alert, of: plan, jail: jail) else {
            return "it has no program"
        }
        let commands = HostCommands()
        commands.start(command, input: input)
        commands.finish(patience: Int64(clamping: command.timeout + 1000) * 1_000_000)
        for case .note(let text) in commands.takeNotices() { return text }
        return nil
    }
}
