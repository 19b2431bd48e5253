import EgressControl
import Testing

@testable import JailLaunch

struct `Notes of denials` {
    static let second: Int64 = 1_000_000_000

    static func denial(_ path: String = "/a", _ change: (inout EgressEvent) -> Void = { _ in }) -> EgressEvent {
        var event = EgressEvent(.request, .denied, time: 0)
        event.method = "POST"
        event.scheme = "https"
        event.host = "example.org"
        event.port = 443
        event.path = path
        event.reason = "no"
        event.remedy = "that"
        change(&event)
        return event
    }

    @Test func `say what was denied and what would allow it`() {
        var notes = DenialNotes()
        #expect(notes.add(Self.denial(), now: 0) == "denied POST https://example.org/a: no; to allow it: that")
        let other = Self.denial {
            $0.port = 8443
            $0.host = "2606::1"
            $0.verdict = .failed
            $0.remedy = nil
        }
        #expect(notes.add(other, now: 0) == "failed POST https://[2606::1]:8443/a: no")
    }

    @Test func `come once, and then as a count`() {
        var notes = DenialNotes()
        #expect(notes.due == nil)
        #expect(notes.add(Self.denial(), now: 0) != nil)
        for _ in 0..<1000 { #expect(notes.add(Self.denial(), now: 1) == nil) }
        #expect(notes.due(4 * Self.second).isEmpty)
        let lines = notes.due(5 * Self.second)
        #expect(lines.count == 1 && lines[0].hasPrefix("1000 more: denied POST"))
        // It goes on: still no line of its own.
        #expect(notes.add(Self.denial(), now: 6 * Self.second) == nil)
        #expect(notes.due(10 * Self.second).count == 1)
        #expect(notes.due(15 * Self.second).isEmpty && notes.due == nil)
        #expect(notes.add(Self.denial(), now: 16 * Self.second) != nil)
    }

    @Test func `stay few, however much is tried`() {
        var notes = DenialNotes()
        let lines = (0..<10_000).compactMap { notes.add(Self.denial("/\($0)"), now: 0) }
        #expect(lines.count == DenialNotes.most)
        let later = notes.due(5 * Self.second)
        #expect(later == ["9980 more denials of other kinds; --status-fd tells all of them"])
    }
}
