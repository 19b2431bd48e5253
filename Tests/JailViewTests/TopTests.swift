import JailCgroups
import Testing

@testable import JailView

struct `The screen of top` {
    private static func state() -> TopState {
        var state = TopState()
        state.hostName = "box"
        state.now = 1_000_090
        let first: [JailSample] = [.made("gw"), .made("gw/chat-7"), .made("gw/chat-8"), .made("alone")]
        state.take(first)
        state.take([
            .made("gw", second: 1) { sample in
                sample.usage?.processorTime = 623_000
                sample.figures?.health = "healthy"
                sample.figures?.requestsLately = 31
                sample.figures?.received = 2048
                sample.figures?.denialsLately = 4
                sample.figures?.requests = .init(allowed: 120, denied: 4)
                sample.command = "openclaw gateway"
                sample.published = ["127.0.0.1:18789:18789"]
            },
            .made("gw/chat-7", second: 1) { $0.figures?.isPaused = true },
            .made("gw/chat-8", second: 1) { $0.figures = nil },
            .made("alone", second: 1) { sample in
                sample.usage?.memory = 500 << 20
                sample.figures?.tells = .nothing
            },
        ])
        return state
    }

    private static func text(_ state: TopState, rows: Int = 24, columns: Int = 80, _ glyphs: Glyphs = .drawn)
        -> [String]
    {
        TopFrame(state, rows: rows, columns: columns, glyphs).lines.map(\.text)
    }

    @Test func `it fits into 80 columns and 24 rows`() {
        var state = Self.state()
        _ = state.press(.down)
        state.events = EventLine.all(
            answer: Array(#"{"events":[{"time":1000089000,"event":{"event":"health","state":"healthy"}}]}"#.utf8))
        #expect(
            Self.text(state).joined(separator: "\n") == """
                clawjail top  box  2 jails, 2 sessions  1 silent  1 paused              13:48:10
                cpu 12.3%   memory 692M   net 31/min   ↑ 0/s   ↓ 2.0K/s   denials 4/min

                NAME↓        STATE        CPU% MEMORY               PROCS NET/m   B/s DEN/m   UP
                alone        ● runs        0.0 ████████ 500M/512M  12/256     -     -     -  90s
                gw           ● healthy    12.3 █░░░░░░░ 64M/512M   12/256    31  2.0K     4  90s
                ├ chat-7     ● paused      0.0 █░░░░░░░ 64M/512M   12/256     0     0     0  90s
                └ chat-8     ● silent      0.0 █░░░░░░░ 64M/512M   12/256     -     -     -  90s
                ── gw openclaw gateway ─────────────────────────────────────────────────────────
                 cpu                        ▁▁   12.3%  of 200%
                 memory                     ▂▂     64M  of 512M, peak 80M
                 net                        ▁█  31/min  120 allowed, 4 denied, 0 failed
                 profile research, supervisor 100, ports 127.0.0.1:18789:18789
                 13:48:09 health healthy









                 q  quit   ↑↓  select   enter  details   s  sort: name   p  pause   x  stop   ?
                """)
    }

    @Test func `every line is as wide as the window, whatever its size, and nothing is drawn beyond it`() {
        var state = Self.state()
        for glyphs in [Glyphs.drawn, .plain] {
            for rows in [0, 1, 2, 5, 11, 16, 24, 60] {
                for columns in [0, 1, 10, 33, 59, 79, 80, 100, 113, 250] {
                    let lines = TopFrame(state, rows: rows, columns: columns, glyphs).lines
                    #expect(lines.count == rows && lines.allSatisfy { $0.width == columns }, "\(rows)×\(columns)")
                }
            }
            _ = state.press(.character("?"))
        }
    }

    @Test func `a narrow window loses the least needed columns first`() {
        let heading = { (columns: Int) in
            Self.text(Self.state(), columns: columns)[3].split(separator: " ").map(String.init)
        }
        #expect(heading(70) == ["NAME↓", "STATE", "CPU%", "MEMORY", "PROCS", "NET/m", "DEN/m"])
        #expect(heading(40) == ["NAME↓", "STATE", "CPU%", "MEMORY"])
        #expect(heading(120).suffix(4) == ["↑B/s", "↓B/s", "DEN/m", "UP"])
    }

    @Test func `what is selected is seen, however many there are`() {
        var state = TopState()
        state.take((100..<160).map { .made("jail-\($0)") })
        #expect(state.selected == "jail-100")
        _ = state.press(.end)
        #expect(Self.text(state).contains { $0.hasPrefix("jail-159") })
        _ = state.press(.character("k"))
        #expect(state.selected == "jail-158")
        _ = state.press(.home)
        #expect(Self.text(state).contains { $0.hasPrefix("jail-100") })
        // The one that is selected has ended.
        state.take((101..<160).map { .made("jail-\($0)") })
        #expect(state.selected == "jail-101")
        state.take([])
        #expect(state.selected == nil && Self.text(state).contains(" no jail is running"))
    }

    @Test func `sessions stay below their gateway, whatever is sorted by`() {
        func names(_ state: TopState) -> [String] { state.rows.map(\.sample.name) }
        var state = Self.state()
        #expect(names(state) == ["alone", "gw", "gw/chat-7", "gw/chat-8"])
        _ = state.press(.character("c"))
        #expect(names(state) == ["gw", "gw/chat-7", "gw/chat-8", "alone"])
        _ = state.press(.character("r"))
        #expect(names(state) == ["alone", "gw", "gw/chat-8", "gw/chat-7"])
        _ = state.press(.character("m"))
        #expect(names(state).first == "alone")
        // One whose gateway is not there stands for itself.
        state.take([.made("gone/chat")])
        #expect(names(state) == ["gone/chat"] && Self.text(state).contains { $0.hasPrefix("gone/chat") })
    }

    @Test func `stopping takes a yes, and means the jail that was selected`() {
        var state = Self.state()
        _ = state.press(.character("j"))
        #expect(state.press(.character("x")) == nil)
        #expect(Self.text(state).last == " stop 'gw'?  y: yes, any other key: no")
        #expect(state.press(.character("n")) == nil && state.message == "stop: not done")
        #expect(state.press(.character("y")) == nil)
        _ = state.press(.character("X"))
        #expect(state.press(.character("y")) == .ask(.kill, "gw"))
        _ = state.press(.down)
        _ = state.press(.character("p"))
        #expect(state.press(.character("y")) == .ask(.resume, "gw/chat-7"))
        // It has ended before the answer.
        _ = state.press(.character("x"))
        state.take([.made("gw")])
        #expect(state.press(.character("y")) == nil)
        // A question keeps nobody.
        _ = state.press(.character("x"))
        #expect(state.press(.interrupt) == .leave)
        _ = state.press(.escape)
        #expect(state.press(.character("q")) == .leave && state.press(.suspend) == .suspend)
    }

    @Test func `keys are read whole, and what means nothing is skipped`() {
        #expect(Key.read([0x1B, 0x5B, 0x41, 0x6A, 0x1B, 0x4F, 0x42]) == [.up, .character("j"), .down])
        #expect(Key.read([0x1B, 0x5B, 0x35, 0x7E, 0x1B, 0x5B, 0x36, 0x7E]) == [.pageUp, .pageDown])
        #expect(Key.read([0x1B]) == [.escape] && Key.read([0x03]) == [.interrupt] && Key.read([0x1A]) == [.suspend])
        // Control with an arrow, a function key, the mouse, half of one, a letter of another alphabet.
        #expect(Key.read([0x1B, 0x5B, 0x31, 0x3B, 0x35, 0x41]).isEmpty)
        #expect(Key.read([0x1B, 0x5B, 0x31, 0x35, 0x7E, 0x71]) == [.character("q")])
        #expect(Key.read([0x1B, 0x5B, 0x35]).isEmpty && Key.read([0xC3, 0xA9]).isEmpty)
    }

    @Test func `nothing from inside acts on the terminal, or is wider than it counts`() {
        var state = TopState()
        state.take([
            .made("gw") { sample in
                sample.command = "sh \u{1B}[2J\u{9B}31m\u{202E} 漢字 e\u{301} 👩‍👩‍👧\n"
                sample.profile = "\u{7}\u{1B}]0;x"
            }
        ])
        for columns in [80, 120] {
            let frame = TopFrame(state, rows: 24, columns: columns, .drawn)
            for line in frame.lines {
                #expect(line.text(colours: false).unicodeScalars.count == columns)
                let scalars = line.text(colours: true).split(separator: "\u{1B}[").flatMap(\.unicodeScalars)
                #expect(scalars.allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA1).contains($0.value) })
                #expect(scalars.allSatisfy { $0.value < 0x2E80 && $0.value != 0x301 && $0.value != 0x202E })
            }
        }
    }

    @Test func `without colours there is no escape, with them each piece is closed`() {
        let lines = TopFrame(Self.state(), rows: 24, columns: 80, .drawn).lines
        #expect(lines.allSatisfy { !$0.text(colours: false).utf8.contains(0x1B) })
        let text = lines.map { $0.text(colours: true) }.joined()
        #expect(text.contains("\u{1B}[32m") && text.contains("\u{1B}[7m"))
        #expect(
            lines.allSatisfy { line in
                let text = line.text(colours: true)
                return !text.utf8.contains(0x1B) || text.hasSuffix("\u{1B}[0m") || line.pieces.last?.style == .plain
            })
    }

    @Test func `rates are of the same jail, and of both looks`() {
        let before = JailSample.made("x")
        let now = JailSample.made("x", second: 2) { sample in
            sample.usage?.processorTime = 2_500_000
            sample.figures?.sent = 3000
        }
        #expect(JailRates(now, since: before).milliCPUs == 1000 && JailRates(now, since: before).sent == 1500)
        #expect(JailRates(now, since: nil) == JailRates() && JailRates(before, since: now) == JailRates())
        let other = JailSample.made("x") { $0.supervisor = 101 }
        #expect(JailRates(now, since: other) == JailRates())
        let denials = JailSample.made("x", second: 2) { $0.figures?.tells = .denials }
        #expect(JailRates(denials, since: before).traffic == nil)
    }
}
