import JailCore
import Testing

@Suite struct CivilTimeTests {
    @Test func `times are those of the calendar`() {
        #expect(UTCTime.compact(0) == "19700101T000000Z")
        #expect(UTCTime.compact(951_782_399) == "20000228T235959Z")
        #expect(UTCTime.compact(951_782_400) == "20000229T000000Z")
        #expect(UTCTime.shown(1_709_251_199) == "2024-02-29 23:59:59")
        #expect(UTCTime.shown(4_107_542_400) == "2100-03-01 00:00:00")
        #expect(UTCTime.text(1_772_357_400) == "2026-03-01T09:30:00Z")
    }

    @Test(arguments: Array(stride(from: Int64(-719_468), to: 2_932_896, by: 997)))
    func `a day is the one that it came from`(days: Int64) {
        let date = CivilDate(daysSinceEpoch: days)
        #expect(date.daysSinceEpoch == days && (1...12).contains(date.month) && (1...31).contains(date.day))
    }

    @Test func `days before 1970 are those before it`() {
        #expect(CivilDate(daysSinceEpoch: -1) == CivilDate(year: 1969, month: 12, day: 31))
        #expect(CivilDate(daysSinceEpoch: -25_567) == CivilDate(year: 1900, month: 1, day: 1))
    }
}
