import JailCore
import Testing

@testable import JailData

@Suite struct RetentionTests {
    /// Of so many days ago.
    static func snapshot(_ days: Int64, consistent: Bool = true) -> SnapshotManifest {
        let time = now - days * 86_400
        return SnapshotManifest(
            id: UTCTime.compact(time), jail: "a", profile: nil, time: time, compression: .zstd, size: 1,
            checksum: String(repeating: "a", count: 64), count: 10240,
            inconsistency: consistent ? nil : "it ran", reason: nil)
    }
    static let now: Int64 = 1_800_000_000

    private func gone(_ most: Int?, _ days: Int?, _ ages: [Int64]) -> [Int64] {
        Retention(most: most, days: days).outdated(ages.map { Self.snapshot($0) }, now: Self.now)
            .map { (Self.now - $0.time) / 86_400 }
    }

    @Test func `what one rule keeps, stays`() {
        #expect(gone(2, nil, [5, 1, 3, 2]) == [3, 5])
        #expect(gone(nil, 2, [5, 1, 3, 2]) == [3, 5])
        #expect(gone(1, 3, [5, 1, 3, 2]) == [5])
        #expect(gone(3, 1, [5, 1, 3, 2]) == [5])
        #expect(gone(nil, nil, [5, 1]) == [])
    }

    @Test func `the newest one stays, however old it is`() {
        #expect(gone(nil, 0, [400, 300]) == [400])
        #expect(gone(0, 0, [400, 300]) == [400])
    }

    @Test func `of those of one second the one that was made last is the newest`() {
        let ids = ["", "-2", "-3", "-9", "-10", "-11"].map { UTCTime.compact(Self.now) + $0 }
        let snapshots = ids.shuffled().map { id in
            var snapshot = Self.snapshot(0)
            snapshot.id = id
            return snapshot
        }
        let gone = Retention(most: 1, days: nil).outdated(snapshots, now: Self.now)
        #expect(gone.map(\.id) == ids.dropLast().reversed())
    }

    @Test func `a manifest is read as it was written, and believed as a whole`() throws {
        let made = Self.snapshot(1, consistent: false)
        let text = made.json.text(pretty: true)
        #expect(SnapshotManifest(Array(text.utf8), id: made.id, jail: "a") == made)
        #expect(SnapshotManifest(Array(text.utf8), id: made.id, jail: "b") == nil)
        #expect(SnapshotManifest(Array(text.utf8), id: "20200101T000000Z", jail: "a") == nil)
        for change in [("10240", "-1"), ("zstd", "lzma"), ("aaaaaa", "../../"), ("\"version\": 1", "\"version\": 2")] {
            #expect(text.contains(change.0))
            let changed = text.replacing(change.0, with: change.1, maxReplacements: 1)
            #expect(SnapshotManifest(Array(changed.utf8), id: made.id, jail: "a") == nil, "\(change)")
        }
        for id in ["", "..", "a/b", "-1", "20200101T000000Z.json"] { #expect(!SnapshotManifest.isID(id)) }
    }
}
