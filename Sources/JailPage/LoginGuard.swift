/// How many wrong tokens are heard out, of one address and of all. When there were too many nobody's is for a while, right or wrong;
/// who is logged in already stays so.
package struct LoginGuard: Sendable {
    private struct Bucket: Sendable {
        var left: Int64
        var since: Int64

        /// - Parameter interval: nanoseconds until one more is heard.
        mutating func fill(most: Int64, interval: Int64, _ now: Int64) {
            let gained = max(0, now - since) / interval
            left = min(most, left + gained)
            since = left == most ? now : since + gained * interval
        }
    }

    /// Of one address: five at once, and then one every six seconds.
    package static let most: Int64 = 5
    package static let interval: Int64 = 6_000_000_000
    /// Of all together.
    package static let mostOfAll: Int64 = 20
    package static let intervalOfAll: Int64 = 1_000_000_000
    /// Addresses that are told from one another; a loopback has no more that matter.
    private static let mostAddresses = 256

    private var addresses: [String: Bucket] = [:]
    private var all: Bucket

    /// - Parameter now: monotonic nanoseconds.
    package init(now: Int64) { all = Bucket(left: Self.mostOfAll, since: now) }

    /// Whether a token is looked at now. It counts as a wrong one until ``wasRight(_:)`` says otherwise: what comes meanwhile is
    /// counted as well.
    package mutating func mayTry(_ address: String, now: Int64) -> Bool {
        all.fill(most: Self.mostOfAll, interval: Self.intervalOfAll, now)
        var bucket = addresses[address] ?? Bucket(left: Self.most, since: now)
        bucket.fill(most: Self.most, interval: Self.interval, now)
        guard all.left > 0, bucket.left > 0 else { return false }
        all.left -= 1
        bucket.left -= 1
        if addresses[address] == nil, addresses.count >= Self.mostAddresses {
            // The one that has been quiet for the longest.
            if let oldest = addresses.min(by: { $0.value.since < $1.value.since })?.key { addresses[oldest] = nil }
        }
        addresses[address] = bucket
        return true
    }

    package mutating func wasRight(_ address: String) {
        all.left = min(Self.mostOfAll, all.left + 1)
        guard let left = addresses[address]?.left else { return }
        addresses[address]?.left = min(Self.most, left + 1)
    }
}
