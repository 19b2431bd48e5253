package import JailCore

/// What a stretch of time came to: what was let out and what was not, and what is new in it.
package struct AuditSummary: Sendable {
    /// How often a thing happened, and which things.
    package struct Tally: Sendable {
        private var counts: [String: Int] = [:]

        mutating func add(_ key: String) { counts[key, default: 0] += 1 }

        package var total: Int { counts.values.reduce(0, +) }

        /// The most frequent first.
        package func top(_ most: Int) -> [(key: String, count: Int)] {
            counts.sorted { $0.value != $1.value ? $0.value > $1.value : $0.key < $1.key }.prefix(most)
                .map { ($0.key, $0.value) }
        }

        package var keys: Set<String> { Set(counts.keys) }
    }

    /// Milliseconds since the epoch; what is older is what the stretch is compared with.
    package let since: Int64
    package private(set) var launches = Tally()
    package private(set) var exits = Tally()
    package private(set) var verdicts = Tally()
    package private(set) var denied = Tally()
    package private(set) var hosts = Tally()
    package private(set) var limits = Tally()
    package private(set) var others = Tally()
    package private(set) var sent: Int64 = 0
    package private(set) var received: Int64 = 0
    /// Records for each hour of the day, in UTC.
    package private(set) var hours = [Int](repeating: 0, count: 24)
    private var hoursBefore = [Int](repeating: 0, count: 24)
    private var hostsBefore: Set<String> = []
    private var hasBefore = false

    package init(since: Int64) { self.since = since }

    package mutating func add(_ entry: AuditEntry) {
        guard entry.event != "segment", entry.event != "checkpoint" else { return }
        let hour = Int(((entry.time / 3_600_000) % 24 + 24) % 24)
        guard entry.time >= since else {
            hasBefore = true
            hoursBefore[hour] += 1
            if entry.verdict == "allowed", let host = entry.host { hostsBefore.insert(host) }
            return
        }
        hours[hour] += 1
        switch entry.event {
        case "launch": launches.add("\(entry.jail) (\(entry.text("profile") ?? "?"))")
        case "exited": exits.add("status \(entry.number("status") ?? -1)")
        case "failed": exits.add("failed to start")
        case "limit": limits.add(entry.text("limit") ?? "?")
        case "network": addNetwork(entry)
        default: others.add(entry.event)
        }
    }

    private mutating func addNetwork(_ entry: AuditEntry) {
        let verdict = entry.verdict ?? "?"
        verdicts.add("\(entry.text("subject") ?? "?") \(verdict)")
        sent += entry.number("sent") ?? 0
        received += entry.number("received") ?? 0
        if verdict == "allowed", let host = entry.host { hosts.add(host) }
        if verdict == "denied" {
            denied.add(
                [entry.text("method"), entry.host, entry.text("reason")].compactMap { $0 }.joined(separator: " "))
        }
    }

    /// Hosts that were reached for the first time. Everything is new in a log that has nothing older.
    package var newHosts: [String] { hosts.keys.subtracting(hostsBefore).sorted() }

    /// Hours in which something happened, and never before. None where there is no before.
    package var unusualHours: [Int] { hasBefore ? hours.indices.filter { hours[$0] > 0 && hoursBefore[$0] == 0 } : [] }

    package var json: JSON {
        func tally(_ tally: Tally) -> JSON { .object(tally.top(.max).map { ($0.key, .number($0.count)) }) }
        return [
            "since": .number(since), "launches": tally(launches), "exits": tally(exits), "network": tally(verdicts),
            "denied": tally(denied), "hosts": tally(hosts), "newHosts": .strings(newHosts), "limits": tally(limits),
            "others": tally(others), "sent": .number(sent), "received": .number(received),
            "hours": .array(hours.map { .number($0) }), "unusualHours": .array(unusualHours.map { .number($0) }),
        ]
    }
}
