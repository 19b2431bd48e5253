import JailCore
import JailPolicy
import Testing

@testable import JailLaunch

/// What the rules of alerts make of events, figures and time.
struct `Alerts` {
    private static let start: Int64 = 1_000_000_000_000
    private static func after(_ seconds: Double) -> Int64 { start + Int64(seconds * 1e9) }
    /// A Monday, 10:00 UTC.
    private static let wall: Int64 = 1_700_000_000 / 86_400 * 86_400 + 10 * 3600

    private static func rule(_ text: String) throws -> AlertRule {
        let tree = try JSON5Reader.read(Array("{ alerts: { rules: [{ name: 'r', \(text) }] } }".utf8), file: "p")
        return try #require(try ProfileLoader.decode(tree, name: "p", home: nil).alerts?.rules.first)
    }

    private static func state(_ texts: String..., baseline: Baseline? = nil) throws -> AlertState {
        AlertState(try texts.map(rule), baseline: baseline)
    }

    private static func request(
        _ host: String = "a.example", verdict: String = "allowed", path: String = "/", sent: Int64 = 0,
        received: Int64 = 0
    ) -> JSON {
        [
            "event": "network", "subject": "request", "verdict": .string(verdict), "host": .string(host),
            "path": .string(path), "sent": .integer(sent), "received": .integer(received),
        ]
    }

    private static func see(_ state: inout AlertState, _ event: JSON, _ seconds: Double, wall: Int64 = wall) {
        guard let facts = AlertFacts(event) else { return }
        state.see(facts, now: after(seconds), wall: wall)
    }

    // MARK: Thresholds

    @Test func `exactly as many are none, and one more is`() throws {
        var state = try Self.state("watch: 'connections', above: 30, within: '1m'")
        for _ in 0..<30 { Self.see(&state, Self.request(), 1) }
        #expect(state.takeAlerts().isEmpty)
        Self.see(&state, Self.request(), 1)
        let alerts = state.takeAlerts()
        #expect(alerts.count == 1 && alerts[0].seen == "31" && alerts[0].isFirst)
    }

    @Test func `what is over a minute old counts no more`() throws {
        var state = try Self.state("watch: 'connections', above: 2, within: '1m'")
        for second in [0.0, 20, 62, 82, 124] { Self.see(&state, Self.request(), second) }
        #expect(state.takeAlerts().isEmpty)
        // 82, 124 and this one lie within a minute.
        Self.see(&state, Self.request(), 125)
        #expect(state.takeAlerts().count == 1)
    }

    @Test func `nothing slips through between two counts`() throws {
        // Any 60 seconds that hold four are seen, wherever they begin.
        for offset in stride(from: 0.0, to: 2, by: 0.05) {
            var state = try Self.state("watch: 'connections', above: 3, within: '1m'")
            for second in [0, 1, 59, 59.9] { Self.see(&state, Self.request(), offset + second) }
            #expect(state.takeAlerts().count == 1, "\(offset)")
        }
    }

    @Test func `a clock that goes backwards stands still`() throws {
        var state = try Self.state("watch: 'connections', above: 1, within: '1m'")
        Self.see(&state, Self.request(), 100)
        Self.see(&state, Self.request(), -900)
        #expect(state.takeAlerts().count == 1)
    }

    @Test func `denials of every kind are counted, and nothing else is`() throws {
        var state = try Self.state("watch: 'denials', above: 0")
        for event: JSON in [
            Self.request(), ["event": "exec-exited", "program": "x"], ["event": "session", "verdict": "made"],
            ["event": "network", "subject": "gateway", "verdict": "denied"],
        ] { Self.see(&state, event, 1) }
        #expect(state.takeAlerts().isEmpty)
        var times = 0.0
        for event: JSON in [
            Self.request(verdict: "denied"), ["event": "exec-refused"], ["event": "session", "verdict": "refused"],
            ["event": "network", "subject": "name", "verdict": "denied"],
        ] {
            times += 1000
            Self.see(&state, event, times)
            #expect(!state.takeAlerts().isEmpty)
        }
    }

    @Test func `memory is told above the threshold, as what it is`() throws {
        var state = try Self.state("watch: 'memory', above: '350M'")
        state.see(memory: 350 << 20, now: Self.after(1))
        #expect(state.takeAlerts().isEmpty)
        state.see(memory: 412 << 20, now: Self.after(6))
        #expect(state.takeAlerts().map(\.seen) == ["412M"])
    }

    @Test func `uploads, spending and standard error are added up`() throws {
        var state = try Self.state(
            "watch: 'upload', above: '3M', within: '1h'", "watch: 'spend', above: '5 USD', within: '1d'",
            "watch: 'stderr', above: '1K'")
        for minute in 0..<4 { Self.see(&state, Self.request(sent: 1 << 20), Double(minute * 600)) }
        #expect(state.takeAlerts().map(\.seen) == ["4M"])
        for cost: Int64 in [4_000_000, 1_000_000, 1] {
            Self.see(
                &state, ["event": "network", "subject": "request", "verdict": "allowed", "cost": .integer(cost)], 5000)
        }
        #expect(state.takeAlerts().map(\.seen) == ["5.000001 USD"])
        state.count(.stderr, 1024, now: Self.after(6000))
        #expect(state.takeAlerts().isEmpty)
        state.count(.stderr, 1, now: Self.after(6001))
        #expect(state.takeAlerts().count == 1)
    }

    @Test func `the greatest amounts do no harm`() throws {
        var state = try Self.state(
            "watch: 'upload', above: '1M'", "watch: 'unusualVolume'", baseline: Baseline(began: 0))
        for second in 0..<4 {
            Self.see(&state, Self.request(sent: .max, received: .max), Double(second))
        }
        #expect(state.takeAlerts().map(\.rule.watch) == [.upload])
    }

    // MARK: Patterns

    @Test(arguments: [
        ("hosts", "*.onion", "evil.onion", true), ("hosts", "*.onion", "onion.example", false),
        ("hosts", "192.0.2.1", "192.0.2.1", true), ("hosts", "2001:db8::1", "2001:db8::1", true),
        ("paths", "/**/.ssh/**", "/home/x/.ssh/id", true), ("paths", "/**/.ssh/**", "/home/ssh/id", false),
    ])
    func `hosts and paths are matched as the policy does it, allowed or not`(
        watch: String, pattern: String, text: String, isFound: Bool
    ) throws {
        for verdict in ["allowed", "denied", "failed"] {
            var state = try Self.state(
                "watch: '\(watch)', matching: ['nothing.example', '\(pattern)']".replacing(
                    watch == "paths" ? "'nothing.example', " : "'-'", with: ""))
            Self.see(
                &state,
                Self.request(
                    watch == "hosts" ? text : "a.example", verdict: verdict, path: watch == "paths" ? text : "/"), 1)
            #expect(state.takeAlerts().count == (isFound ? 1 : 0))
        }
    }

    @Test func `commands and the files that they name are matched`() throws {
        var state = try Self.state(
            "watch: 'commands', matching: ['*rm -rf *']", "watch: 'files', matching: ['*/.ssh/*']")
        let event: JSON = [
            "event": "executed", "program": "rm", "arguments": .strings(["rm", "-rf", "/home/claw/.ssh/id"]),
        ]
        Self.see(&state, event, 1)
        #expect(state.takeAlerts().map(\.seen) == ["rm -rf /home/claw/.ssh/id", "/home/claw/.ssh/id"])
        Self.see(&state, ["event": "executed", "program": "ls", "arguments": .strings(["ls", "-rf", "ssh"])], 2000)
        #expect(state.takeAlerts().isEmpty)
    }

    // MARK: Grouping

    @Test func `the first is told at once, and what follows once in an interval with its count`() throws {
        var state = try Self.state("watch: 'hosts', matching: ['*.onion'], every: '10m'")
        Self.see(&state, Self.request("a.onion"), 0)
        #expect(state.takeAlerts().map(\.seen) == ["a.onion"])
        for index in 0..<50 { Self.see(&state, Self.request("b\(index % 8).onion"), 60) }
        state.tick(now: Self.after(599))
        #expect(state.takeAlerts().isEmpty && state.due == Self.after(600))
        state.tick(now: Self.after(600))
        let again = state.takeAlerts()
        #expect(again.count == 1 && again[0].count == 50 && !again[0].isFirst && again[0].examples.count == 5)
        #expect(again[0].message.contains("seen 50 times more in 10m, such as b0.onion, b1.onion"))
        // Quiet: nothing is told, and the next one is at once again.
        state.tick(now: Self.after(1200))
        #expect(state.takeAlerts().isEmpty && state.due == nil)
        Self.see(&state, Self.request("a.onion"), 1300)
        #expect(state.takeAlerts().map(\.isFirst) == [true])
    }

    @Test func `what has gathered when the jail ends is told then`() throws {
        var state = try Self.state("watch: 'denials', above: 0")
        for _ in 0..<3 { Self.see(&state, Self.request(verdict: "denied"), 1) }
        state.finish(now: Self.after(2))
        #expect(state.takeAlerts().map(\.count) == [1, 2])
    }

    @Test func `whoever lets a paused jail go on has looked: the next one pauses it at once`() throws {
        var state = try Self.state(
            "watch: 'connections', above: 1, actions: ['pause']", "watch: 'connections', above: 1")
        for _ in 0..<3 { Self.see(&state, Self.request(), 1) }
        #expect(state.takeAlerts().count == 2)
        state.resumed()
        Self.see(&state, Self.request(), 2)
        #expect(state.takeAlerts().isEmpty)
        Self.see(&state, Self.request(), 3)
        #expect(state.takeAlerts().map(\.rule.actions) == [[.pause]])
    }

    @Test func `what is never right is told the first time, and by the rules for it alone`() throws {
        let canary: JSON = ["event": "canary", "id": "aws-1", "place": "upload", "to": "a.test:443"]
        let misuse: JSON = ["event": "secret-misuse", "secretName": "github", "to": "a.test:443"]
        let returned: JSON = ["event": "secret-returned", "secretName": "github", "host": "a.test"]
        try expect(canary, isToldBy: "canary", as: "aws-1, in upload to a.test:443")
        try expect(misuse, isToldBy: "secretMisuse", as: "github, to a.test:443")
        try expect(returned, isToldBy: "secretReturned", as: "github, from a.test")
    }

    private func expect(_ event: JSON, isToldBy watch: String, as seen: String) throws {
        var state = try Self.state("watch: '\(watch)', severity: 'critical'")
        Self.see(&state, event, 1)
        Self.see(&state, event, 2)
        let alerts = state.takeAlerts()
        #expect(alerts.map(\.seen) == [seen] && alerts[0].isFirst)
        #expect(alerts[0].message.hasPrefix("r: ") && alerts[0].message.hasSuffix(": \(seen)"))
        for other in ["canary", "secretMisuse", "secretReturned"] where other != watch {
            var state = try Self.state("watch: '\(other)'")
            Self.see(&state, event, 1)
            #expect(state.takeAlerts().isEmpty)
        }
    }

    @Test func `commands that are called inside are seen, and how many were denied`() throws {
        let allowed = try #require(
            AlertFacts([
                "event": "command", "verdict": "allowed", "program": "/usr/bin/rm", "arguments": ["rm", "-rf"],
            ]))
        #expect(allowed.commands == ["rm -rf"] && allowed.amounts.isEmpty && allowed.isActivity)
        let denied = try #require(AlertFacts(["event": "command", "verdict": "denied", "arguments": ["rm", "-rf"]]))
        #expect(denied.commands.isEmpty && denied.amounts == [.denials: 1] && !denied.isActivity)
        let many = try #require(AlertFacts(["event": "command", "verdict": "denied", "count": 70]))
        #expect(many.amounts == [.denials: 70])
    }

    @Test func `no alert comes of an alert`() {
        for name in ["alert", "alerts", "paused", "resumed", "host-command", "health", "limit", "exited"] {
            #expect(AlertFacts(["event": .string(name), "verdict": "denied", "path": "/x/.ssh/y"]) == nil)
        }
    }

    @Test func `a storm takes little memory and is few alerts`() throws {
        var state = try Self.state(
            "watch: 'newHost', learn: '0s'", "watch: 'hosts', matching: ['*']", "watch: 'denials', above: 3",
            "watch: 'paths', matching: ['/**']", baseline: Baseline(began: Self.wall))
        let long = String(repeating: "x", count: 400)
        var alerts: [Alert] = []
        for index in 0..<20_000 {
            Self.see(
                &state,
                Self.request("h\(index).example", verdict: index % 2 == 0 ? "allowed" : "denied", path: "/\(long)"), 1)
            if index % 1000 == 0 { alerts += state.takeAlerts() }
        }
        state.finish(now: Self.after(2))
        alerts += state.takeAlerts()
        #expect(alerts.count == 8)
        #expect(alerts.reduce(0) { $0 + $1.count } == 10_000 + 20_000 + 9997 + 20_000)
        #expect(state.baseline?.hosts.count == Baseline.mostHosts)
        #expect(alerts.allSatisfy { $0.seen.utf8.count <= 260 && $0.examples.count <= 5 })
    }

    @Test func `an event says what was seen, how much is too much, and what is done`() throws {
        var state = try Self.state(
            "watch: 'connections', above: 0, within: '5m', severity: 'critical', actions: ['stop', 'journal']")
        Self.see(&state, Self.request(), 1)
        let text = try #require(state.takeAlerts().first).event(jail: "j").text()
        #expect(
            text == """
                {"event":"alert","rule":"r","severity":"critical","watch":"connections","seen":"1","above":"0","within":"5m",\
                "count":1,"again":false,"actions":["log","journal","stop"],"jail":"j",\
                "message":"r: more than 0 connections and requests within 5m: 1"}
                """)
    }

    @Test func `where arguments must be, nothing of the jail's choice is told`() throws {
        var state = try Self.state("watch: 'hosts', matching: ['*.onion']")
        Self.see(&state, Self.request("chosen.onion"), 1)
        let alert = try #require(state.takeAlerts().first)
        #expect(alert.message.contains("chosen") && !alert.plainMessage.contains("chosen"))
    }

    // MARK: What is unusual

    private static let days: Int64 = 86_400

    @Test func `a new host is told once the jail is known for long enough, and then is none`() throws {
        var state = try Self.state("watch: 'newHost', learn: '7d', every: '10s'", baseline: Baseline(began: Self.wall))
        Self.see(&state, Self.request("a.example"), 0)
        Self.see(&state, Self.request("b.example"), 1, wall: Self.wall + 7 * Self.days - 1)
        #expect(state.takeAlerts().isEmpty)
        for host in ["a.example", "b.example", "c.example", "c.example"] {
            Self.see(&state, Self.request(host), 100, wall: Self.wall + 7 * Self.days)
        }
        #expect(state.takeAlerts().map(\.seen) == ["c.example"])
        // What was denied was not reached.
        Self.see(&state, Self.request("d.example", verdict: "denied"), 200, wall: Self.wall + 8 * Self.days)
        state.tick(now: Self.after(300))
        #expect(state.takeAlerts().isEmpty)
    }

    @Test func `an hour that never had anything is unusual`() throws {
        var state = try Self.state("watch: 'unusualHour', learn: '1d'", baseline: Baseline(began: Self.wall))
        for day: Int64 in 0..<3 { Self.see(&state, Self.request(), Double(day), wall: Self.wall + day * Self.days) }
        #expect(state.takeAlerts().isEmpty)
        Self.see(&state, Self.request(), 5, wall: Self.wall + 3 * Self.days - 7 * 3600)
        #expect(state.takeAlerts().map(\.seen) == ["03:00 to 04:00 UTC"])
    }

    @Test func `traffic beyond three standard deviations is told once for the hour`() throws {
        var state = try Self.state(
            "watch: 'unusualVolume', learn: '1d', every: '10s'", baseline: Baseline(began: Self.wall))
        for hour: Int64 in 0..<30 {
            Self.see(
                &state, Self.request(received: (10 + hour % 3) << 20), Double(hour), wall: Self.wall + hour * 3600)
        }
        let limit = try #require(state.baseline?.volumeLimit)
        // Mean 11 MiB, deviation 0.8 MiB.
        #expect((13.3...13.6).contains(limit / 1024))
        #expect(state.takeAlerts().isEmpty)
        Self.see(&state, Self.request(sent: 13 << 20), 100, wall: Self.wall + 30 * 3600)
        #expect(state.takeAlerts().isEmpty)
        for _ in 0..<3 { Self.see(&state, Self.request(sent: 1 << 20), 101, wall: Self.wall + 30 * 3600) }
        let alerts = state.takeAlerts()
        #expect(alerts.count == 1 && alerts[0].seen.hasPrefix("14M"), "\(alerts)")
        state.finish(now: Self.after(102))
        #expect(state.takeAlerts().isEmpty)
    }

    @Test func `a clock that was wrong costs what was learned with it, and no more`() throws {
        var baseline = Baseline(began: Self.wall + 1000 * Self.days)
        let facts = try #require(AlertFacts(Self.request()))
        #expect(baseline.learn(facts, wall: Self.wall).allSatisfy { $0.age == 0 })
        #expect(baseline.began == Self.wall)
        // Far ahead, and back: the hours go on from where the clock is.
        _ = baseline.learn(facts, wall: Self.wall + 2000 * Self.days)
        _ = baseline.learn(facts, wall: Self.wall + 3600)
        #expect(baseline.hour == Self.wall / 3600 + 1)
        // An hour back is the same hour.
        _ = baseline.learn(facts, wall: Self.wall)
        #expect(baseline.hour == Self.wall / 3600 + 1)
    }
}
