package import JailCgroups

/// What one look at a running jail has found.
package struct JailSample: Sendable {
    /// `NAME`, or `GATEWAY/ID` of a session that a jail has had made.
    package var name: String
    package var profile: String
    /// Seconds since the epoch.
    package var started: Int64
    /// The supervisor's process.
    package var supervisor: Int64
    /// As a shell would read it, printable; empty for a jail that waits for commands.
    package var command = ""
    package var published: [String] = []
    /// nil: it has no control group.
    package var usage: GroupUsage?
    /// nil: its supervisor did not answer in time.
    package var figures: JailFigures?
    /// It has ended, and is started again after a while.
    package var isWaiting = false
    /// Monotonic nanoseconds of the look.
    package var time: Int64

    package init(name: String, profile: String, started: Int64, supervisor: Int64, time: Int64) {
        self.name = name
        self.profile = profile
        self.started = started
        self.supervisor = supervisor
        self.time = time
    }

    package enum Condition: String, Sendable {
        case runs, starting, healthy, unhealthy, paused, waiting, silent
    }

    package var condition: Condition {
        if isWaiting { return .waiting }
        guard let figures else { return .silent }
        if figures.isPaused || usage?.isFrozen == true { return .paused }
        return figures.health.flatMap(Condition.init(rawValue:)) ?? .runs
    }

    /// The jail that has had it made, and what it is called there.
    package var gateway: Substring? { name.firstIndex(of: "/").map { name[..<$0] } }
    package var ownName: Substring { name.firstIndex(of: "/").map { name[name.index(after: $0)...] } ?? name[...] }
}

/// What has happened between two looks at a jail, for each second.
package struct JailRates: Equatable, Sendable {
    /// Thousandths of a processor: 1000 is one that was busy all the time.
    package var milliCPUs: UInt64?
    /// Bytes.
    package var sent: UInt64?
    package var received: UInt64?

    package init() {}

    /// - Parameter before: of the same jail; nil gives no rates.
    package init(_ now: JailSample, since before: JailSample?) {
        // Another one of the same name has counted from the beginning.
        guard let before, before.supervisor == now.supervisor, before.started == now.started, now.time > before.time
        else { return }
        let elapsed = UInt64(now.time - before.time)
        func perSecond(_ new: UInt64?, _ old: UInt64?, _ factor: UInt64) -> UInt64? {
            guard let new, let old, new >= old else { return nil }
            let (product, overflow) = (new - old).multipliedReportingOverflow(by: factor)
            return overflow ? nil : product / elapsed
        }
        // Microseconds in nanoseconds are thousandths times a million.
        milliCPUs = perSecond(now.usage?.processorTime, before.usage?.processorTime, 1_000_000)
        guard now.figures?.tells == .everything, before.figures?.tells == .everything else { return }
        sent = perSecond(now.figures?.sent, before.figures?.sent, 1_000_000_000)
        received = perSecond(now.figures?.received, before.figures?.received, 1_000_000_000)
    }

    package var traffic: UInt64? { sent.flatMap { sent in received.map { sent + $0 } } }
}
