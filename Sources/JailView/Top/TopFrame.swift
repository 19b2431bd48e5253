internal import JailCgroups

/// The screen of `clawjail top`: what is known, as lines of exactly the window's size.
package struct TopFrame {
    private let state: TopState
    private let size: (rows: Int, columns: Int)
    private let glyphs: Glyphs

    /// - Parameter size: nothing is drawn in less than one row.
    package init(_ state: TopState, rows: Int, columns: Int, _ glyphs: Glyphs) {
        self.state = state
        size = (max(0, rows), max(0, columns))
        self.glyphs = glyphs
    }

    package var lines: [Line] {
        let body = size.rows - 1
        var lines = state.showsHelp ? help : head + table
        lines += [Line](repeating: Line(), count: max(0, body - lines.count))
        lines = Array(lines.prefix(max(0, body)))
        if size.rows > 0 { lines.append(foot) }
        return lines.map { $0.fitted(size.columns) }
    }

    /// Every jail, for whoever has no screen.
    package var printed: [Line] {
        let rows = state.rows.isEmpty ? [Line(" no jail is running", .dim)] : state.rows.map { row($0) }
        return (head + [heading] + rows).map { $0.fitted(size.columns) }
    }

    /// Jails that a press of a page key passes.
    package var page: Int { max(1, layout.rows) }

    // MARK: Head and foot

    private var head: [Line] {
        var title = Line("clawjail top", Style(colour: .cyan, isBold: true))
        if !state.hostName.isEmpty { title.add("  \(state.hostName)") }
        title.add("  " + counts, .dim)
        for (condition, style) in [(JailSample.Condition.unhealthy, Style.bad), (.silent, .bad), (.paused, .warning)] {
            let count = state.rows.count { $0.sample.condition == condition }
            if count > 0 { title.add("  \(count) \(condition.rawValue)", style) }
        }
        let clock = Quantity.clock(state.now, offset: state.clockOffset)
        if title.width + clock.count < size.columns {
            title.add(String(repeating: " ", count: size.columns - title.width - clock.count) + clock, .dim)
        }
        return size.rows >= 20 ? [title, totals, Line()] : [title, totals]
    }

    private var counts: String {
        let sessions = state.rows.count { $0.sample.gateway != nil }
        let jails = state.rows.count - sessions
        return "\(jails) \(jails == 1 ? "jail" : "jails")"
            + (sessions == 0 ? "" : ", \(sessions) \(sessions == 1 ? "session" : "sessions")")
    }

    private var totals: Line {
        func sum(_ value: (TopRow) -> UInt64?) -> UInt64 {
            state.rows.reduce(0) { $0 &+ (value($1) ?? 0) }
        }
        let denials = sum { $0.sample.figures?.denialsLately }
        var line = Line()
        for (name, value, style) in [
            ("cpu", Quantity.percent(milliCPUs: sum { $0.rates.milliCPUs }) + "%", Style.bold),
            ("memory", Quantity.shortBytes(sum { $0.sample.usage?.memory }), .bold),
            ("net", "\(Quantity.shortCount(sum { $0.sample.figures?.askedLately }))/min", .bold),
            (glyphs.up, Quantity.shortBytes(sum { $0.rates.sent }) + "/s", .bold),
            (glyphs.down, Quantity.shortBytes(sum { $0.rates.received }) + "/s", .bold),
            ("denials", "\(Quantity.shortCount(denials))/min", denials > 0 ? .bad : .bold),
        ] {
            line.add(line.width == 0 ? "" : "   ")
            line.add("\(name) ", .dim)
            line.add(value, style)
        }
        return line
    }

    private var foot: Line {
        if let question = state.question {
            var line = Line(
                " \(question.request.rawValue) '\(question.name)'? ", Style(colour: .yellow, isReversed: true))
            line.add(" y: yes, any other key: no")
            return line
        }
        if let message = state.message { return Line(" \(message)", .warning) }
        var line = Line()
        for (key, meaning) in [
            ("q", "quit"), ("\(glyphs.up)\(glyphs.down)", "select"), ("enter", "details"),
            ("s", "sort: \(state.sort.key.name)"), ("p", "pause"), ("x", "stop"), ("?", "help"),
        ] {
            line.add(" \(key) ", .heading)
            line.add(" \(meaning)  ")
        }
        return line
    }

    private var help: [Line] {
        var lines = [Line("clawjail top", Style(colour: .cyan, isBold: true)), Line()]
        func add(_ key: String, _ meaning: String) {
            var line = Line("  \(key.padded(14))", .bold)
            line.add(meaning)
            lines.append(line)
        }
        add("up, down, j, k", "select a jail; page keys, g and G go further")
        add("enter", "its details, or more room for the list")
        add("p", "pause it, or let it go on")
        add("x, X", "stop it; X does not wait for its grace. You are asked first")
        add("s, r", "sort by the next column, the other way round")
        add(
            TopState.Sort.allCases.map { String($0.key.character) }.joined(separator: " "),
            "sort by " + TopState.Sort.allCases.map(\.key.name).joined(separator: ", "))
        add("^L, ^Z, q", "draw anew, step aside, quit")
        lines.append(Line())
        for text in [
            "CPU% is of one processor. NET/m: connections and requests of the last minute that",
            "went through the way out, allowed or not; DEN/m: those denied, and names. B/s are",
            "bytes that requests and connections have carried, counted when they end.",
            "A dash: the host, or the jail, does not count that.",
        ] { lines.append(Line("  " + text, .dim)) }
        return lines
    }

    // MARK: The table

    private var layout: (rows: Int, details: Int) {
        let room = size.rows - head.count - 2
        guard state.showsDetails, state.selectedRow != nil, room >= 12 else { return (max(0, room), 0) }
        // The panel takes what the list leaves.
        let rows = min(state.rows.count, room - 9)
        return (rows, room - rows)
    }

    private var heading: Line {
        var line = Line()
        for column in columns {
            if line.width > 0 { line.add(" ", .heading) }
            line.add(column.title(state.sort, glyphs), .heading)
        }
        line.add(String(repeating: " ", count: max(0, size.columns - line.width)), .heading)
        return line
    }

    private var columns: [TopColumn] { TopColumn.fitting(size.columns) }

    private var table: [Line] {
        guard !state.rows.isEmpty else { return [heading, Line(" no jail is running", .dim)] }
        let (count, details) = layout
        // What is selected stays in the middle of a list that is too long.
        let first = max(0, min(state.selectedIndex - count / 2, state.rows.count - count))
        let shown = state.rows[first..<min(state.rows.count, first + count)]
        var lines = [heading]
        for entry in shown {
            let line = row(entry)
            lines.append(entry.sample.name == state.selected ? line.fitted(size.columns).selected : line)
        }
        return details > 0 ? lines + panel(details) : lines
    }

    private func row(_ row: TopRow) -> Line {
        var line = Line()
        for column in columns {
            if line.width > 0 { line.add(" ") }
            line.add(column.cell(row, now: state.now, glyphs))
        }
        return line
    }

    // MARK: The panel

    private func panel(_ height: Int) -> [Line] {
        guard let row = state.selectedRow else { return [] }
        var lines = TopPanel(row, state, columns: size.columns, glyphs).lines
        let room = height - lines.count
        let events = state.events ?? []
        for event in events.suffix(max(0, room)) { lines.append(line(event)) }
        if events.isEmpty, room > 0 { lines.append(Line(state.events == nil ? "" : " nothing has happened", .dim)) }
        return Array(lines.prefix(height))
    }

    private func line(_ event: EventLine) -> Line {
        var line = Line(" \(Quantity.clock(event.time / 1000, offset: state.clockOffset)) ", .dim)
        let style: Style =
            switch event.weight {
            case .good: .good
            case .plain: .plain
            case .bad: Style(colour: .red)
            }
        line.add(event.text.clipped(max(0, size.columns - line.width), glyphs.mark), style)
        return line
    }
}
