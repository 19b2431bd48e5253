internal import JailCore
package import JailPolicy

extension ApprovalsPlan {
    /// What is started on the host when something waits.
    package struct Notify: Equatable, Sendable {
        package var command: HostCommandPlan?
        package var webhook: Webhook?
        package var desktop: HostCommandPlan?

        package struct Webhook: Equatable, Sendable {
            package var command: HostCommandPlan
            package var address: WebhookAddress
            /// The name of what messages are signed with.
            package var secret: String

            package init(command: HostCommandPlan, address: WebhookAddress, secret: String) {
                self.command = command
                self.address = address
                self.secret = secret
            }
        }

        package init(command: HostCommandPlan? = nil, webhook: Webhook? = nil, desktop: HostCommandPlan? = nil) {
            self.command = command
            self.webhook = webhook
            self.desktop = desktop
        }

        /// - Parameter programs: canonical, by the name that the profile has for them, see ``HostFacts/programs``.
        /// - Returns: nil: nobody is told.
        static func make(_ rules: ApprovalNotify, _ programs: [String: String]) throws(JailError) -> Notify? {
            guard !rules.isEmpty else { return nil }
            func find(_ name: String, _ key: String) throws(JailError) -> String {
                if let path = programs[name] { return path }
                throw JailError(.plan, path: name, reason: "\(key) needs it, and it was not looked for on this host")
            }
            var notify = Notify()
            if let name = rules.command.first {
                notify.command = HostCommandPlan(
                    purpose: ApprovalNotify.commandKey, path: try find(name, ApprovalNotify.commandKey),
                    arguments: rules.command)
            }
            if let address = rules.webhook, let secret = rules.webhookSecret {
                let curl = try find(ApprovalNotify.webhookProgram, ApprovalNotify.webhookKey)
                notify.webhook = Webhook(
                    command: .webhook(curl, encrypted: address.isEncrypted, key: ApprovalNotify.webhookKey),
                    address: address, secret: secret)
            }
            if rules.desktop {
                let name = ApprovalNotify.desktopProgram
                var command = HostCommandPlan(
                    purpose: ApprovalNotify.desktopKey, path: try find(name, ApprovalNotify.desktopKey),
                    arguments: [name])
                command.reachesDesktop = true
                notify.desktop = command
            }
            return notify
        }

        /// For people, a line each.
        var shown: [String] {
            [
                command.map { "told by \($0.arguments.joined(separator: " ")), on the host" },
                webhook.map { "told at \($0.address.shown), signed with the secret '\($0.secret)'" },
                desktop.map { _ in "told on the desktop" },
            ].compactMap(\.self)
        }

        var json: JSON {
            [
                "command": command?.json ?? .null, "desktop": desktop?.json ?? .null,
                "webhook": webhook.map {
                    ["address": .string($0.address.shown), "secret": .string($0.secret), "program": $0.command.json]
                } ?? .null,
            ]
        }
    }
}
