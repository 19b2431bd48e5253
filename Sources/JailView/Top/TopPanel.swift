internal import JailCgroups

/// What is shown of the selected jail besides its row: curves, what it was started with, what it has done.
struct TopPanel {
    private let row: TopRow
    private let state: TopState
    private let columns: Int
    private let glyphs: Glyphs

    init(_ row: TopRow, _ state: TopState, columns: Int, _ glyphs: Glyphs) {
        self.row = row
        self.state = state
        self.columns = columns
        self.glyphs = glyphs
    }

    private var sample: JailSample { row.sample }

    var lines: [Line] {
        var lines = [title]
        let history = state.histories[sample.name] ?? TopState.History()
        let usage = sample.usage
        lines.append(
            curve(
                "cpu", history.milliCPUs, of: usage?.milliCPUs ?? 1000, .accent,
                row.rates.milliCPUs.map { Quantity.percent(milliCPUs: $0) + "%" } ?? "-", processorText))
        lines.append(
            curve(
                "memory", history.memory, of: usage?.memoryLimit ?? 0, .good,
                usage?.memory.map(Quantity.shortBytes) ?? "-",
                memoryText))
        if let figures = sample.figures, figures.tells != .nothing {
            lines.append(
                curve(
                    "net", history.asked, of: 10, Style(colour: .magenta),
                    figures.askedLately.map { "\(Quantity.shortCount($0))/min" } ?? "-", Self.network(figures)))
        }
        lines.append(about)
        return lines
    }

    private var title: Line {
        var line = Line(glyphs.rule + glyphs.rule + " ", .dim)
        line.add(sample.name, .bold)
        line.add(" ", .plain)
        let room = columns - line.width - 4
        if !sample.command.isEmpty, room > 8 { line.add(sample.command.clipped(room, glyphs.mark) + " ") }
        line.add(String(repeating: glyphs.rule, count: max(0, columns - line.width)), .dim)
        return line
    }

    /// A name, a curve of the last looks, the latest value, and what belongs to it.
    private func curve(
        _ name: String, _ values: [UInt64], of whole: UInt64, _ style: Style, _ value: String, _ rest: String
    ) -> Line {
        let width = max(8, min(60, columns / 2 - 18))
        var line = Line(" \(name.padded(7))", .dim)
        line.add(glyphs.curve(values[...], of: whole, width: width), style)
        line.add(" \(value.aligned(right: 7))", .bold)
        line.add("  " + rest, .dim)
        return line
    }

    private var processorText: String {
        var parts: [String] = []
        if let limit = sample.usage?.milliCPUs { parts.append("of \(limit / 10)%") }
        if let throttled = sample.usage?.throttledTime, throttled > 0 {
            parts.append("waited \(Quantity.seconds(throttled))")
        }
        if let pressure = sample.usage?.processorPressure?.some { parts.append("pressure \(pressure)") }
        return parts.joined(separator: ", ")
    }

    private var memoryText: String {
        var parts: [String] = []
        if let limit = sample.usage?.memoryLimit { parts.append("of \(Quantity.shortBytes(limit))") }
        if let peak = sample.usage?.memoryPeak { parts.append("peak \(Quantity.shortBytes(peak))") }
        if let kills = sample.usage?.memoryKills, kills > 0 { parts.append("\(kills) killed") }
        if let pressure = sample.usage?.memoryPressure?.some { parts.append("pressure \(pressure)") }
        return parts.joined(separator: ", ")
    }

    private static func network(_ figures: JailFigures) -> String {
        let denied = figures.names.denied + figures.connections.denied + figures.requests.denied
        let failed = figures.connections.failed + figures.requests.failed
        let allowed = figures.connections.allowed + figures.requests.allowed
        return (figures.tells == .everything ? "\(Quantity.shortCount(allowed)) allowed, " : "")
            + "\(Quantity.shortCount(denied)) denied, \(Quantity.shortCount(failed)) failed"
    }

    private var about: Line {
        var parts = ["profile \(sample.profile)", "supervisor \(sample.supervisor)"]
        if !sample.published.isEmpty { parts.append("ports \(sample.published.joined(separator: " "))") }
        if let figures = sample.figures {
            if figures.executed > 0 { parts.append("\(figures.executed) executed, \(figures.execs) now") }
            if figures.egressRestarts > 0 { parts.append("way out restarted \(figures.egressRestarts) times") }
            if !figures.limits.isEmpty {
                parts.append("limits reached: \(figures.limits.keys.sorted().joined(separator: " "))")
            }
        }
        return Line(" " + parts.joined(separator: ", "), .dim)
    }
}
