/// The screen of `clawjail approvals watch`, as lines of exactly the window's size.
package struct ApprovalsFrame {
    private let state: ApprovalsState
    private let size: (rows: Int, columns: Int)

    package init(_ state: ApprovalsState, rows: Int, columns: Int) {
        self.state = state
        size = (max(0, rows), max(0, columns))
    }

    package var lines: [Line] {
        let details = details
        let room = max(0, size.rows - 1 - head.count - details.count)
        var lines = head + list(room)
        lines += [Line](repeating: Line(), count: max(0, size.rows - 1 - details.count - lines.count))
        lines += details
        lines = Array(lines.prefix(max(0, size.rows - 1)))
        if size.rows > 0 { lines.append(foot) }
        return lines.map { $0.fitted(size.columns) }
    }

    private var head: [Line] {
        var title = Line("clawjail approvals", Style(colour: .cyan, isBold: true))
        let count = state.entries.count
        title.add("  \(count) \(count == 1 ? "waits" : "wait")", count == 0 ? .dim : .warning)
        return [title, Line()]
    }

    /// Those around the selected one.
    private func list(_ room: Int) -> [Line] {
        let entries = state.entries
        guard !entries.isEmpty else { return [Line(" nothing waits for approval", .dim)] }
        let index = entries.firstIndex { $0.entry == state.selected } ?? 0
        let start = max(0, min(index - room / 2, entries.count - room))
        return entries.dropFirst(start).prefix(room).map { entry, waiting in
            let line = row(entry, waiting).fitted(size.columns)
            return entry == state.selected ? line.selected : line
        }
    }

    private func row(_ entry: ApprovalsState.Entry, _ waiting: ApprovalsView.Waiting) -> Line {
        var line = Line(" \(max(0, (waiting.left + 999) / 1000))s".aligned(right: 5) + "  ", .warning)
        line.add("\(entry.jail) \(entry.id)  ", .bold)
        line.add(waiting.subject)
        if waiting.waiting > 1 { line.add("  x\(waiting.waiting)", .dim) }
        if let by = waiting.endorsedBy { line.add("  approved by \(by)", .good) }
        return line
    }

    private var details: [Line] {
        guard size.rows >= 12, let found = state.entries.first(where: { $0.entry == state.selected }) else { return [] }
        let waiting = found.waiting
        var lines = [Line(String(repeating: "-", count: size.columns), .dim)]
        func add(_ name: String, _ text: String) {
            var line = Line(" \(name)".padded(10), .dim)
            line.add(text)
            lines.append(line)
        }
        add("what", waiting.subject)
        add("why", waiting.why)
        add("if yes", waiting.meaning)
        if waiting.fourEyes { add("needs", "two who say yes" + (waiting.endorsed.map { "; one did, \($0)" } ?? "")) }
        if waiting.count > 1 { add("asked", "\(waiting.count) times") }
        if !waiting.before.isEmpty { add("before", waiting.before.suffix(3).joined(separator: ", ")) }
        return lines
    }

    private var foot: Line {
        if state.question != nil {
            return Line(" until the jail ends: press e once more; any other key to leave it", .warning)
        }
        if let message = state.message { return Line(" \(message)", .bold) }
        return Line(" a once  m for 5 minutes  e until it ends  d deny  up/down select  q leave", .dim)
    }
}
