package import JailCore

/// Which records somebody wants to see. What is nil or empty lets everything pass.
package struct AuditFilter: Equatable, Sendable {
    package var events: Set<String> = []
    package var verdict: String?
    /// A host, and with `*.` before it every one below.
    package var host: String?
    /// Milliseconds since the epoch: from, and up to but not at.
    package var since: Int64?
    package var until: Int64?
    /// Records that the log writes about itself.
    package var showsChain = false

    package init() {}

    package func takes(_ entry: AuditEntry) -> Bool {
        if !showsChain, events.isEmpty, Self.chain.contains(entry.event) { return false }
        if !events.isEmpty, !events.contains(entry.event) { return false }
        if let verdict, entry.verdict != verdict { return false }
        if let host, !Self.matches(entry.host, host) { return false }
        if let since, entry.time < since { return false }
        if let until, entry.time >= until { return false }
        return true
    }

    private static let chain: Set<String> = ["segment", "checkpoint"]

    private static func matches(_ host: String?, _ pattern: String) -> Bool {
        guard let host else { return false }
        if pattern.hasPrefix("*.") { return host.hasSuffix(String(pattern.dropFirst())) }
        return host == pattern
    }

    /// `2026-03-01`, `2026-03-01T09:30:00Z`, or how long ago: `2h`.
    ///
    /// - Parameter now: milliseconds since the epoch.
    package static func time(_ text: String, now: Int64) throws(JailError) -> Int64 {
        if let time = AuditTimeText.milliseconds(text) { return time }
        if let span = AuditTimeText.span(text) { return now - span }
        throw JailError(
            .usage, reason: "'\(text.printable)' is no time",
            hint: "write 2026-03-01, 2026-03-01T09:30:00Z, or 2h for two hours ago")
    }
}
