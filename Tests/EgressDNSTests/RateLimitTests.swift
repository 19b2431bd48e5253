import EgressDNS
import NIOCore
import Testing

struct `Rate limits` {
    @Test func `a burst, and then so many in a minute`() {
        var limit = RateLimit(burst: 3, perMinute: 60)
        func take(_ milliseconds: Int64...) -> [Bool] {
            milliseconds.map { limit.take(now: .second(0) + .milliseconds($0)) }
        }
        #expect(take(0, 0, 0, 0, 0) == [true, true, true, false, false])
        #expect(take(500, 1_000, 1_500) == [false, true, false])
        #expect(take(3_600_000, 3_600_000, 3_600_000, 3_600_000) == [true, true, true, false])
        // A clock that goes back gives nothing.
        #expect(take(0, 3_600_000) == [false, false])
    }
}
