package import JailCore

/// What the log of a running jail says of a snapshot that was made of its data.
package struct SnapshotNote: Equatable, Sendable {
    package let id: String
    package let isConsistent: Bool

    private static let longest = 64

    /// - Parameter id: as snapshots have them.
    package init(id: String, isConsistent: Bool) {
        self.id = id
        self.isConsistent = isConsistent
    }

    /// nil: it is none. Whoever sent it is not trusted.
    init?(bytes: [UInt8]) {
        guard let first = bytes.first, first <= 1, (1...Self.longest).contains(bytes.count - 1),
            bytes.dropFirst().allSatisfy({
                (0x30...0x39).contains($0) || (0x61...0x7A).contains($0 | 0x20) || $0 == 0x2D
            })
        else { return nil }
        id = String(decoding: bytes.dropFirst(), as: UTF8.self)
        isConsistent = first == 1
    }

    var bytes: [UInt8] { [isConsistent ? 1 : 0] + Array(id.utf8) }

    /// For the log.
    package var event: JSON {
        ["event": "data", "action": "snapshot", "snapshot": .string(id), "consistent": .boolean(isConsistent)]
    }
}
