internal import JailCgroups

/// The columns of the table, and what a jail has in each.
enum TopColumn: Equatable {
    case name(Int)
    case profile
    case state
    case processor
    /// With a bar of so many characters; 0: without.
    case memory(Int)
    case processes
    case asked
    case traffic
    case sent
    case received
    case denials
    case up

    /// As many as so many characters hold, the name at least ten of them.
    static func fitting(_ columns: Int) -> [TopColumn] {
        let wider = max(0, columns - 80)
        var middle: [TopColumn] = columns >= 100 ? [.profile] : []
        middle += [.state, .processor, .memory(8 + min(12, wider / 5)), .processes, .asked]
        middle += columns >= 112 ? [.sent, .received] : [.traffic]
        middle += [.denials, .up]
        // Of a narrow window the least needed leave first.
        let leaving: [(TopColumn, TopColumn?)] = [
            (.traffic, nil), (.up, nil), (.memory(8), .memory(0)), (.processes, nil), (.asked, nil), (.denials, nil),
            (.memory(0), nil), (.processor, nil), (.state, nil),
        ]
        for (column, replacement) in leaving where columns - width(middle) < 10 {
            if let index = middle.firstIndex(of: column) {
                middle.replaceSubrange(index...index, with: replacement.map { [$0] } ?? [])
            }
        }
        return [.name(min(40, max(0, columns - width(middle))))] + middle
    }

    /// With the space before each.
    private static func width(_ columns: [TopColumn]) -> Int { columns.reduce(0) { $0 + $1.width + 1 } }

    private var width: Int {
        switch self {
        case .name(let width): width
        case .profile: 10
        case .state: 11
        case .processor: 5
        case .memory(let bar): 9 + (bar > 0 ? bar + 1 : 0)
        case .processes: 7
        case .asked, .traffic, .sent, .received, .denials: 5
        case .up: 4
        }
    }

    private var isLeft: Bool {
        switch self {
        case .name, .profile, .state, .memory: true
        default: false
        }
    }

    func title(_ sort: TopState.Sort, _ glyphs: Glyphs) -> String {
        let (text, sorts): (String, [TopState.Sort]) =
            switch self {
            case .name: ("NAME", [.name])
            case .profile: ("PROFILE", [])
            case .state: ("STATE", [])
            case .processor: ("CPU%", [.cpu])
            case .memory: ("MEMORY", [.memory])
            case .processes: ("PROCS", [.processes])
            case .asked: ("NET/m", [.network])
            case .traffic: ("B/s", [.traffic])
            case .sent: ("\(glyphs.up)B/s", [.traffic])
            case .received: ("\(glyphs.down)B/s", [.traffic])
            case .denials: ("DEN/m", [.denials])
            case .up: ("UP", [.up])
            }
        return align(sorts.contains(sort) && text.count < width ? text + glyphs.down : text)
    }

    private func align(_ text: String) -> String {
        isLeft ? text.clipped(width).padded(width) : text.clipped(width).aligned(right: width)
    }

    // MARK: Cells

    func cell(_ row: TopRow, now: Int64, _ glyphs: Glyphs) -> Line {
        let sample = row.sample
        let figures = sample.figures
        switch self {
        case .name: return name(row, glyphs)
        case .profile: return Line(align(sample.profile), .dim)
        case .state: return Self.state(sample.condition, width, glyphs)
        case .processor:
            let text = row.rates.milliCPUs.map(Quantity.percent) ?? "-"
            return Line(align(text), Self.alarm(row.rates.milliCPUs, of: sample.usage?.milliCPUs))
        case .memory(let bar): return memory(sample.usage, bar, glyphs)
        case .processes:
            // Without jail init, as the profile counts.
            guard let usage = sample.usage, let count = usage.processes else { return Line(align("-"), .dim) }
            let limit = usage.processLimit.map { "/\($0 - min(1, $0))" } ?? ""
            return Line(
                align("\(count - min(1, count))\(limit)"), Self.alarm(count, of: usage.processLimit))
        case .asked: return number(figures?.askedLately.map(Quantity.shortCount))
        case .traffic: return number(row.rates.traffic.map(Quantity.shortBytes))
        case .sent: return number(row.rates.sent.map(Quantity.shortBytes))
        case .received: return number(row.rates.received.map(Quantity.shortBytes))
        case .denials:
            guard let figures, figures.tells != .nothing else { return number(nil) }
            return figures.denialsLately == 0
                ? number("0") : Line(align(Quantity.shortCount(figures.denialsLately)), .bad)
        case .up: return Line(align(Quantity.age(now - sample.started)))
        }
    }

    /// Nothing is dimmed: a screen of zeros is easier to read around.
    private func number(_ text: String?) -> Line {
        Line(align(text ?? "-"), text == nil || text == "0" ? .dim : .plain)
    }

    private func name(_ row: TopRow, _ glyphs: Glyphs) -> Line {
        var line = Line()
        let branch =
            switch row.branch {
            case .inner: glyphs.branch
            case .last: glyphs.lastBranch
            case nil: ""
            }
        let shown = row.branch == nil ? row.sample.name : String(row.sample.ownName)
        line.add(branch, .dim)
        line.add(shown.clipped(max(0, width - line.width), glyphs.mark), row.branch == nil ? .bold : .plain)
        return line.fitted(width)
    }

    static func state(_ condition: JailSample.Condition, _ width: Int, _ glyphs: Glyphs) -> Line {
        let style: Style =
            switch condition {
            case .healthy: .good
            case .runs: .plain
            case .starting: .accent
            case .paused, .waiting: .warning
            case .unhealthy, .silent: .bad
            }
        var line = Line(glyphs.dot + " ", style)
        line.add(condition.rawValue, style)
        return line.fitted(width)
    }

    private func memory(_ usage: GroupUsage?, _ width: Int, _ glyphs: Glyphs) -> Line {
        guard let usage, let memory = usage.memory else { return Line(align("-"), .dim) }
        var line = Line()
        let style = Self.alarm(memory, of: usage.memoryLimit)
        if width > 0 {
            let bar = glyphs.bar(memory, of: usage.memoryLimit ?? 0, width: width)
            var barStyle = style == .plain ? .good : style
            barStyle.isBar = true
            line.add(bar.full, barStyle)
            line.add(bar.empty, Style(isDim: true, isBar: true))
            line.add(" ")
        }
        line.add(Quantity.shortBytes(memory), style)
        if let limit = usage.memoryLimit { line.add("/" + Quantity.shortBytes(limit), .dim) }
        return line.fitted(self.width)
    }

    /// From three quarters of a limit on, and from nine tenths.
    static func alarm(_ value: UInt64?, of limit: UInt64?) -> Style {
        guard let value, let limit, limit > 0 else { return .plain }
        let share = Double(value) / Double(limit)
        return share >= 0.9 ? .bad : share >= 0.75 ? .warning : .plain
    }
}
