import AuditLog
import TestSupport
import Testing

@Suite struct TimeTests {
    @Test(
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_772_357_400_125, "2026-03-01T09:30:00.125Z"), (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] as [(Int64, String)]) func `a time is written as RFC 3339 has it`(milliseconds: Int64, text: String)
    {
        #expect(AuditTime.text(milliseconds) == text)
        #expect(AuditTime.milliseconds(text) == milliseconds)
    }

    @Test func `every time comes back`() {
        var random = Seeded(3)
        for _ in 0..<2000 {
            let time = Int64.random(in: 0...4_000_000_000_000, using: &random)
            #expect(AuditTime.milliseconds(AuditTime.text(time)) == time)
        }
    }

    @Test(arguments: [
        "", "2026", "2026-13-01", "2026-01-00", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "x026-01-01",
    ])
    func `anything else is none`(text: String) { #expect(AuditTime.milliseconds(text) == nil) }
}
