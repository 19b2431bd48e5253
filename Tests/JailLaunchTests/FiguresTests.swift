import JailCore
import JailPolicy
import Testing

@testable import JailLaunch

struct `Figures of a jail` {
    private static func network(_ subject: String, _ verdict: String, sent: Int64 = 0, received: Int64 = 0) -> JSON {
        [
            "event": "network", "subject": .string(subject), "verdict": .string(verdict), "host": "example.org",
            "sent": .integer(sent), "received": .integer(received),
        ]
    }

    private static func answer(_ figures: inout Figures, second: Int64) -> String {
        JSON.object(figures.members(now: second * 1_000_000_000)).text()
    }

    @Test func `a minute is sixty seconds, and slides`() {
        var count = MinuteCount()
        for second: Int64 in 100..<160 { count.add(at: second) }
        #expect(count.total(at: 159) == 60)
        #expect(count.total(at: 160) == 59)
        #expect(count.total(at: 188) == 31)
        count.add(at: 188)
        #expect(count.total(at: 188) == 32)
        #expect(count.total(at: 218) == 2)
        #expect(count.total(at: 219) == 1)
        #expect(count.total(at: 248) == 0)
        #expect(count.total(at: 1_000_000_000) == 0)
    }

    @Test func `what was asked of the way out is counted by subject and verdict`() {
        var figures = Figures()
        for (subject, verdict) in [
            ("name", "denied"), ("connection", "allowed"), ("connection", "denied"), ("request", "allowed"),
            ("request", "allowed"), ("request", "failed"), ("gateway", "failed"), ("weather", "denied"),
            ("request", "perhaps"),
        ] {
            figures.take(
                Self.network(subject, verdict, sent: 10, received: 300), now: 5_000_000_000, time: 0)
        }
        #expect(figures.names == Figures.Tally(denied: 1))
        #expect(figures.connections == Figures.Tally(allowed: 1, denied: 1))
        #expect(figures.requests == Figures.Tally(allowed: 2, failed: 1))
        #expect(figures.sent == 60 && figures.received == 1800)
        #expect(
            Self.answer(&figures, second: 64).contains(#""lastMinute":{"connections":2,"requests":3,"denials":2}"#))
        #expect(
            Self.answer(&figures, second: 65).contains(#""lastMinute":{"connections":0,"requests":0,"denials":0}"#))
    }

    @Test func `bytes that cannot be are not more than all`() {
        var figures = Figures()
        for _ in 0..<3 {
            figures.take(Self.network("request", "allowed", sent: .max, received: -1), now: 0, time: 0)
        }
        #expect(figures.sent == .max && figures.received == 0)
    }

    @Test func `commands, limits and ends of the way out are counted`() {
        var figures = Figures()
        let events: [JSON] = [
            ["event": "executed", "program": "ls"], ["event": "executed", "program": "ls"],
            ["event": "exec-refused", "message": "no"], ["event": "limit", "limit": "limits.memory"],
            ["event": "egress", "then": "restart"], ["event": "egress", "then": "block"], ["no": "event"], "text",
        ]
        for event in events { figures.take(event, now: 0, time: 0) }
        #expect(figures.executed == 2 && figures.refusedExecs == 1)
        #expect(figures.limits == ["limits.memory": 1])
        #expect(figures.egressEnds == 2 && figures.egressRestarts == 1)
        // Whatever the names of limits are, there are only so many.
        for index in 0..<1000 {
            figures.take(["event": "limit", "limit": .string("key\(index)")], now: 0, time: 0)
        }
        #expect(figures.limits.count == 32)
    }

    @Test func `the last events are kept in order, and what is allowed displaces no denial`() throws {
        var figures = Figures()
        figures.take(Self.network("request", "denied"), now: 0, time: 1)
        for time: Int64 in 2..<1000 { figures.take(Self.network("request", "allowed"), now: 0, time: time) }
        figures.take(["event": "paused"], now: 0, time: 1000)
        let text = figures.recent.text(most: 1 << 16)
        let value = try JSON5Reader.read(Array(text.utf8), file: "")
        guard case .array(let events)? = value["events"]?.content else { return #expect(Bool(false), "\(text)") }
        let times = events.compactMap { event -> Int64? in
            if case .number(let number)? = event["time"]?.content { number.integer } else { nil }
        }
        #expect(times == [1] + Array(984..<1000) + [1000])
    }

    @Test func `the last events have a bound in bytes, which the oldest pay for`() throws {
        var recent = RecentEvents()
        for time: Int64 in 0..<48 {
            recent.add(
                ["event": "note", "message": .string(String(repeating: "\u{1}", count: 500))], isAllowed: false,
                time: time)
        }
        let text = recent.text(most: 10_000)
        #expect(text.utf8.count <= 10_000 && text.utf8.count > 6000)
        #expect(text.contains(#""time":47,"#) && !text.contains(#""time":30,"#))
        _ = try JSON5Reader.read(Array(text.utf8), file: "")
        #expect(recent.text(most: 5) == #"{"events":[]}"#)
    }
}
