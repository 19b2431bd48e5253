internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What is usual for one jail, learned from what it does: hosts that it asks for, hours of the day (of UTC) in which it does
/// something, and how much goes to and fro in an hour.
///
/// Bounded, whatever the jail does. What it does for long enough becomes usual: this finds changes, not wrongs.
struct Baseline: Equatable, Sendable {
    /// Something that was not usual.
    struct Unusual: Equatable {
        var subject: AlertSubject
        var seen: String
        /// Seconds for which the jail had been watched.
        var age: UInt64
    }

    /// Seconds since the epoch.
    private(set) var began: Int64
    private(set) var hosts: Set<String> = []
    /// Of each hour of the day, on how many days something was done in it.
    private(set) var hours = [UInt64](repeating: 0, count: 24)
    /// KiB in the last hours in which something was done, the oldest first.
    private(set) var volumes: [UInt64] = []
    /// The hour that is counted now, since the epoch, and bytes in it.
    private(set) var hour: Int64 = -1
    private(set) var volume: UInt64 = 0
    /// It was told of that hour.
    private var hasTold = false

    /// Hosts that are remembered. Of a jail that asks for more, those beyond are unusual for ever.
    static let mostHosts = 2000
    static let longestHost = 255
    /// KiB in an hour.
    static let mostVolume: UInt64 = 1 << 44
    /// Hours of a week.
    static let mostVolumes = 168
    /// Hours without which nothing is known about what an hour is like.
    static let leastVolumes = 24
    /// KiB more than usual that are worth a word.
    static let leastDifference = 1024.0

    init(began: Int64) { self.began = began }

    init(
        began: Int64, hosts: Set<String>, hours: [UInt64], volumes: [UInt64], hour: Int64, volume: UInt64
    ) {
        self.began = began
        self.hosts = hosts
        self.hours = hours
        self.volumes = volumes
        self.hour = hour
        self.volume = volume
    }

    /// What of it was not usual; from now on it is.
    mutating func learn(_ facts: AlertFacts, wall: Int64) -> [Unusual] {
        guard facts.isActivity else { return [] }
        // From a clock that was wrong: it begins anew with the right one.
        if wall < began { began = wall }
        let age = UInt64(wall - began)
        var unusual: [Unusual] = []
        if enter(wall / 3600) {
            let name = Int(hour % 24)
            if hours[name] == 0 { unusual.append(Unusual(subject: .unusualHour, seen: Self.text(name), age: age)) }
            hours[name] += 1
        }
        if let host = facts.reached, host.utf8.count <= Self.longestHost, !hosts.contains(host) {
            if hosts.count < Self.mostHosts { hosts.insert(host) }
            unusual.append(Unusual(subject: .newHost, seen: host, age: age))
        }
        let (sum, overflowed) = volume.addingReportingOverflow(facts.traffic)
        volume = overflowed ? .max : sum
        if !hasTold, let limit = volumeLimit, Double(volume / 1024) > limit {
            hasTold = true
            unusual.append(
                Unusual(
                    subject: .unusualVolume,
                    seen: "\(ByteCount.text(volume)), where \(ByteCount.text(UInt64(limit) * 1024)) is usual at most",
                    age: age))
        }
        return unusual
    }

    /// Whether this is another hour than the last one. One shortly before it is not: the clock was set back. One long before
    /// it is: then the last one was wrong.
    private mutating func enter(_ next: Int64) -> Bool {
        guard next > hour || next < hour - 24 else { return false }
        if hour >= 0 {
            volumes.append(min(volume / 1024, Self.mostVolume))
            if volumes.count > Self.mostVolumes { volumes.removeFirst() }
        }
        hour = next
        volume = 0
        hasTold = false
        return true
    }

    /// Mean and three standard deviations, in KiB; nil: too few hours are known.
    var volumeLimit: Double? {
        guard volumes.count >= Self.leastVolumes else { return nil }
        let count = Double(volumes.count)
        let mean = volumes.reduce(0.0) { $0 + Double($1) } / count
        let variance = volumes.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / count
        return mean + max(3 * variance.squareRoot(), Self.leastDifference)
    }

    private static func text(_ hour: Int) -> String {
        "\(hour < 10 ? "0" : "")\(hour):00 to \(hour < 9 ? "0" : "")\(hour + 1):00 UTC"
    }
}
