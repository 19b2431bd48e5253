package import JailCore

/// What was refused at ports with a token: the first one is told at once, more than that as a number.
package struct TokenRefusals {
    private var counts: [(port: UInt16, refusal: TokenGate.Refusal, count: UInt64)] = []
    private var nextTold: Int64 = 0

    /// Nanoseconds between two times that something is told.
    private static let interval: Int64 = 10_000_000_000

    package init() {}

    package mutating func add(_ refusal: TokenGate.Refusal, at port: UInt16) {
        guard let index = counts.firstIndex(where: { $0.port == port && $0.refusal == refusal }) else {
            return counts.append((port, refusal, 1))
        }
        counts[index].count += 1
    }

    /// - Parameter now: monotonic nanoseconds.
    package mutating func take(_ now: Int64) -> [JSON] {
        guard !counts.isEmpty, now >= nextTold else { return [] }
        nextTold = now + Self.interval
        defer { counts = [] }
        return counts.map { entry in
            [
                "event": "published", "verdict": "refused", "port": .number(entry.port),
                "reason": .string(entry.refusal.rawValue), "count": .number(entry.count),
            ]
        }
    }
}
