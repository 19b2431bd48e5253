/// Who asks, and gets the answer. Each numbers those who wait as it likes, below ``most``; in the queue the asker stands in the top
/// bits, so that no answer goes to somebody who has asked for something else.
package enum ApprovalAsker: UInt64, CaseIterable, Sendable {
    case wayOut, commands, sessions

    private static let shift: UInt64 = 62
    /// The largest number of a waiter's.
    package static let most: UInt64 = 1 << shift - 1

    /// nil: the number is too large.
    package func waiter(_ number: UInt64) -> UInt64? { number <= Self.most ? rawValue << Self.shift | number : nil }

    /// nil: no waiter of anybody's.
    package static func of(_ waiter: UInt64) -> (asker: ApprovalAsker, number: UInt64)? {
        ApprovalAsker(rawValue: waiter >> shift).map { ($0, waiter & most) }
    }
}
