internal import JailCore

/// Now, by both clocks: waiting is measured by the one that nobody can set, and the other tells when somebody has set it.
package struct ApprovalMoment: Equatable, Sendable {
    /// Nanoseconds of CLOCK_MONOTONIC, which stands still while the host sleeps.
    package var monotonic: Int64
    /// Milliseconds since the epoch.
    package var realtime: Int64

    package init(monotonic: Int64, realtime: Int64) {
        self.monotonic = monotonic
        self.realtime = realtime
    }

    package static var now: ApprovalMoment {
        ApprovalMoment(monotonic: System.monotonicNanoseconds(), realtime: System.realtimeMilliseconds())
    }

    /// What the two clocks differ by, in milliseconds.
    private var offset: Int64 { realtime - monotonic / 1_000_000 }

    /// In milliseconds. A clock that is kept by NTP drifts by 5 ms in ten seconds at most.
    static let tolerance: Int64 = 1000

    /// Whether the clock was set, or the host slept, since then: in both cases nobody can say how long ago that was.
    func isTorn(from earlier: ApprovalMoment) -> Bool {
        monotonic < earlier.monotonic || abs(offset - earlier.offset) > Self.tolerance
    }

    func adding(milliseconds: UInt64) -> Int64 {
        monotonic.addingReportingOverflow(Int64(clamping: milliseconds) * 1_000_000).partialValue
    }
}
