internal import JailCore

extension AuditSummary {
    /// For people: a section each, the most frequent first.
    package func text(most: Int = 10) -> String {
        var lines = ["since \(AuditTimeText.shown(since)) UTC"]
        func section(_ title: String, _ tally: Tally) {
            guard tally.total > 0 else { return }
            lines.append("\(title): \(tally.total)")
            let shown = tally.top(most)
            lines += shown.map { "  \(Self.padded($0.count))  \($0.key)" }
            let rest = tally.keys.count - shown.count
            if rest > 0 { lines.append("          and \(rest) others") }
        }
        section("launches", launches)
        section("ends", exits)
        section("network", verdicts)
        section("denied", denied)
        section("hosts reached", hosts)
        lines.append("volume: \(sent) bytes out, \(received) bytes in")
        section("limits reached", limits)
        section("other events", others)
        if !newHosts.isEmpty {
            lines.append(
                "new hosts: \(newHosts.prefix(most).joined(separator: ", "))" + (newHosts.count > most ? ", …" : ""))
        }
        lines.append("hours (UTC): \(bars)")
        if !unusualHours.isEmpty {
            lines.append(
                "unusual hours: \(unusualHours.map { "\($0)" }.joined(separator: ", ")); nothing happened in them before"
            )
        }
        return lines.joined(separator: "\n").printable(keeping: "\n")
    }

    private static func padded(_ count: Int) -> String {
        let text = "\(count)"
        return String(repeating: " ", count: max(0, 6 - text.count)) + text
    }

    /// One bar for each hour, from midnight on.
    private var bars: String {
        let levels: [Character] = ["·", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
        let most = max(1, hours.max() ?? 1)
        return String(hours.map { $0 == 0 ? levels[0] : levels[1 + $0 * 7 / most] })
    }
}

extension String {
    /// ``printable``, line by line.
    fileprivate func printable(keeping separator: Character) -> String {
        split(separator: separator, omittingEmptySubsequences: false).map { String($0).printable }
            .joined(separator: String(separator))
    }
}
