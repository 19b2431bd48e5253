internal import JailCore
internal import JailPlan
internal import JailPolicy

extension AuditEntry {
    /// For people, on one line: when, where, what.
    package var line: String { "\(AuditTimeText.shown(time)) \(jail)  \(shown)" }

    /// What happened.
    package var shown: String {
        switch event {
        case "network": network
        case "launch":
            "launch \(text("profile") ?? "?"): \(list("command")) as \(text("user") ?? "?")"
        case "started": "started"
        case "exited": "exited \(number("status") ?? -1)"
        case "failed": "failed: \(text("message") ?? "")"
        case "executed": "executed \(text("program") ?? "?")\(identifier)"
        case "exec-exited": "\(text("program") ?? "?")\(identifier) exited \(number("status") ?? -1)"
        case "command": command
        case "limit": "limit \(text("limit") ?? "?"): \(text("message") ?? "")"
        case "verified": verified
        case "approval": approval
        case "health": "health \(text("state") ?? "?")" + (text("reason").map { ": \($0)" } ?? "")
        case "restarting": "restarting: \(text("reason") ?? "?"), number \(number("attempt") ?? 0)"
        case "restart-ended": "restarts ended: \(text("message") ?? "?")"
        default: others
        }
    }

    private var verified: String {
        let failed = number("notHeld") ?? 0
        let text = "verified: \(number("held") ?? 0) promises hold, \(failed) do not"
        return failed == 0 ? text : "\(text): \(list("failed"))"
    }

    private var approval: String {
        let by = text("by") ?? list("by")
        var line = "approval \(text("what") ?? "?")"
        if let grant = number("grant") { line += " (grant \(grant))" }
        if !by.isEmpty { line += " by \(by)" }
        if let terms = text("terms") { line += ", \(terms)" }
        if let subject = text("subject") { line += ": \(subject)" }
        return line + (text("reason").map { "; \($0)" } ?? "")
    }

    private var command: String {
        let words = list("arguments")
        var line = "command \(verdict ?? "?")" + (words.isEmpty ? "" : " \(words)")
        if let rule = text("rule") { line += " (\(rule)\(text("place").map { ", \($0)" } ?? ""))" }
        if let grant = number("grant") { line += " by grant \(grant)" }
        if let status = number("status"), verdict != "denied" { line += " -> \(status)" }
        if let time = number("milliseconds") { line += " after \(time) ms" }
        if let reason = text("message") ?? text("note") { line += ": \(reason)" }
        return line + (text("remedy").map { "; to allow it: \($0)" } ?? "")
    }

    private var identifier: String { text("id").map { " '\($0)'" } ?? "" }

    private func list(_ key: String) -> String {
        guard case .array(let values)? = members.first(where: { $0.key == key })?.value.content else { return "" }
        return values.compactMap(\.text).map(\.quotedForShell).joined(separator: " ").printable
    }

    private var network: String {
        var line = verdict ?? "?"
        if let method = text("method") { line += " \(method)" }
        if let host {
            line += " " + (text("scheme").map { "\($0)://" } ?? "") + (host.utf8.contains(0x3A) ? "[\(host)]" : host)
            line += port + (text("path") ?? "")
        } else {
            line += " \(text("subject") ?? "")\(port)"
        }
        if let status = number("status") { line += " -> \(status)" }
        if let sent = number("sent"), let received = number("received") { line += ", \(sent) B out, \(received) B in" }
        if let reason = text("reason") { line += ": \(reason)" }
        return line
    }

    private var port: String {
        guard let port = number("port") else { return "" }
        let scheme = text("scheme")
        return scheme == "https" && port == 443 || scheme == "http" && port == 80 ? "" : ":\(port)"
    }

    private var others: String {
        let members = details.map { "\($0.key) \($0.value.text ?? $0.value.json.text())" }
        return ([event] + (members.isEmpty ? [] : [members.joined(separator: ", ")])).joined(separator: ": ").printable
    }
}
