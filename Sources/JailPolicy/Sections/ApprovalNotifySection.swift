internal import JailCore

/// `approvals.notify`: who is told that something waits.
package struct ApprovalNotify: Hashable, Sendable {
    /// A program of the host's with its arguments; empty: none.
    package var command: [String] = []
    package var webhook: WebhookAddress?
    /// The secret of the store's that the webhook's messages are signed with.
    package var webhookSecret: String?
    /// A notification on the caller's desktop.
    package var desktop = false

    package init() {}

    package var isEmpty: Bool { self == ApprovalNotify() }

    /// Programs of the host's that it needs: the name to look for, and what of the profile asks for it.
    package var hostPrograms: [(name: String, key: String)] {
        var programs: [(name: String, key: String)] = []
        if let program = command.first { programs.append((program, Self.commandKey)) }
        if webhook != nil { programs.append((Self.webhookProgram, Self.webhookKey)) }
        if desktop { programs.append((Self.desktopProgram, Self.desktopKey)) }
        return programs
    }

    package static let webhookProgram = "curl"
    package static let desktopProgram = "notify-send"
    package static let commandKey = "approvals.notify.command"
    package static let webhookKey = "approvals.notify.webhook"
    package static let desktopKey = "approvals.notify.desktop"

    /// For people, a line each.
    var shown: [String] {
        var lines: [String] = []
        if !command.isEmpty { lines.append("told by a command, on the host: \(command.joined(separator: " "))") }
        if let webhook { lines.append("told at \(webhook.text), signed with the secret '\(webhookSecret ?? "")'") }
        if desktop { lines.append("told on the desktop") }
        return lines
    }
}

extension ApprovalNotify {
    static let table = SectionTable<ApprovalNotify>([
        SectionKey(
            "command",
            read: { (field, notify) throws(JailError) in
                let words = try field.filledList { (element) throws(JailError) in
                    try element.name { (text) throws(ValueError) in
                        guard !text.utf8.contains(0) else { throw ValueError("must be a text without NUL") }
                    }
                }
                guard words[0] != "" else { throw field.refusal("must begin with a program") }
                notify.command = words
            },
            write: { $0.command.isEmpty ? nil : .strings($0.command) }),
        SectionKey(
            "webhook",
            read: { (field, notify) throws(JailError) in
                notify.webhook = try field.parsed(as: "a URL", WebhookAddress.parse)
            },
            write: { $0.webhook.map { .string($0.text) } }),
        SectionKey(
            "webhookSecret",
            read: { (field, notify) throws(JailError) in notify.webhookSecret = try field.name(Name.checkSecret) },
            write: { $0.webhookSecret.map { .string($0) } }),
        SectionKey(
            "desktop", read: { (field, notify) throws(JailError) in notify.desktop = try field.boolean() },
            write: { .boolean($0.desktop) }),
    ])

    /// Whoever gets a message has to know that it is one of ours.
    static func read(_ field: Field) throws(JailError) -> ApprovalNotify {
        var notify = ApprovalNotify()
        try table.read(field, into: &notify)
        guard (notify.webhook == nil) == (notify.webhookSecret == nil) else {
            throw field.refusal("needs both of 'webhook' and 'webhookSecret', or none of them")
        }
        return notify
    }
}
