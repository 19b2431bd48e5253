internal import JailPolicy
internal import NIOCore

/// What was found out a short while ago.
struct ResolverCache {
    static let capacity = 1_024
    /// Seconds.
    static let timeRange: ClosedRange<UInt32> = 1...300
    static let negativeTime: UInt32 = 5

    private struct Entry {
        /// Empty: there is no such name.
        var addresses: [IPAddress]
        var end: NIODeadline
    }

    private var entries: [HostName: Entry] = [:]

    var count: Int { entries.count }

    /// Empty if the name is known not to exist, nil if nothing is known.
    mutating func addresses(of name: HostName, now: NIODeadline) -> [IPAddress]? {
        guard let entry = entries[name] else { return nil }
        if entry.end > now { return entry.addresses }
        entries[name] = nil
        return nil
    }

    mutating func store(_ addresses: [IPAddress], of name: HostName, timeToLive: UInt32, now: NIODeadline) {
        if entries[name] == nil, entries.count >= Self.capacity { makeRoom(now: now) }
        let time = min(max(timeToLive, Self.timeRange.lowerBound), Self.timeRange.upperBound)
        entries[name] = Entry(addresses: addresses, end: now + .seconds(Int64(time)))
    }

    private mutating func makeRoom(now: NIODeadline) {
        entries = entries.filter { $0.value.end > now }
        guard entries.count >= Self.capacity, let first = entries.min(by: { $0.value.end < $1.value.end }) else {
            return
        }
        entries[first.key] = nil
    }
}
