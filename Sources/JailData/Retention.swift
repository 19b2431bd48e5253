/// Which snapshots stay. Pure.
package struct Retention: Equatable, Sendable {
    /// The newest so many.
    package var most: Int?
    /// Those that are not older, in days.
    package var days: Int?

    /// - Parameters: nil: they are not counted, or have no age. One of them is given, or everything stays.
    package init(most: Int?, days: Int?) {
        self.most = most
        self.days = days
    }

    /// Those that go: whatever has one reason to stay, stays, and the newest one always does.
    package func outdated(_ snapshots: [SnapshotManifest], now: Int64) -> [SnapshotManifest] {
        guard most != nil || days != nil else { return [] }
        let newestFirst = snapshots.sorted { $0.order > $1.order }
        return newestFirst.enumerated().filter { index, snapshot in
            if index < max(1, most ?? 0) { return false }
            guard let days else { return true }
            return now - snapshot.time > Int64(days) * 86_400
        }.map(\.element)
    }
}
