import Testing

@testable import JailView

struct `Numbers for people` {
    @Test(
        arguments: [
            (0, "0B"), (1023, "1023B"), (1024, "1K"), (1536, "1.5K"), (512 << 20, "512M"), (1 << 62, "4194304T"),
        ] as [(UInt64, String)])
    func `bytes have the largest unit that leaves something`(count: UInt64, text: String) {
        #expect(Quantity.bytes(count) == text)
    }

    @Test(
        arguments: [
            (0, "0"), (7, "7B"), (999, "999B"), (1000, "1.0K"), (1536, "1.5K"), (10 << 10, "10K"), (999 << 10, "999K"),
            (1000 << 10, "1.0M"), (512 << 20, "512M"), (1023 << 20, "1.0G"), (.max, "999P"),
        ] as [(UInt64, String)])
    func `short bytes are at most four characters`(count: UInt64, text: String) {
        #expect(Quantity.shortBytes(count) == text)
    }

    @Test func `whatever the number, it is short`() {
        for shift in 0..<64 {
            for count in [UInt64(1) << shift, (UInt64(1) << shift) - 1, UInt64.max >> shift] {
                #expect(Quantity.shortBytes(count).count <= 4, "\(count)")
                #expect(Quantity.shortCount(count).count <= 4, "\(count)")
            }
        }
        #expect(Quantity.shortCount(999) == "999" && Quantity.shortCount(1234) == "1.2k")
    }

    @Test func `times and days`() {
        #expect(Quantity.clock(0, offset: 0) == "00:00:00" && Quantity.clock(-1, offset: 3600) == "00:59:59")
        #expect(Quantity.date(0, offset: 0) == "1970-01-01" && Quantity.date(-1, offset: 0) == "1969-12-31")
        #expect(Quantity.date(1_709_164_800, offset: 0) == "2024-02-29")
        #expect(Quantity.date(1_709_251_199, offset: 1) == "2024-03-01")
        #expect(Quantity.date(1_796_014_738, offset: 0) == "2026-11-30")
        #expect(Quantity.age(-3) == "0s" && Quantity.age(119) == "119s" && Quantity.age(172_800) == "2d")
        #expect(Quantity.seconds(1_250_000) == "1.2s" && Quantity.percent(milliCPUs: 1234) == "123.4")
    }
}
