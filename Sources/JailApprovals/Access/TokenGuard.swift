/// How many wrong tokens are heard out: after that none is, right or wrong, for a while. The one that is guessed right is not told
/// from the others by when it comes.
package struct TokenGuard: Sendable {
    /// Wrong ones at once, of one user.
    package static let most: Int64 = 5
    /// Nanoseconds until one more of that user's is heard.
    package static let interval: Int64 = 12_000_000_000
    /// Of all users together: more than one user can bring, who so does not keep the others from being heard.
    package static let mostOfAll: Int64 = 20
    package static let intervalOfAll: Int64 = 3_000_000_000

    private var all: Bucket
    /// Those who have brought wrong ones not long ago; of them there are no more than all together may bring.
    private var users: [UInt32: Bucket] = [:]

    package init(_ now: ApprovalMoment) { all = Bucket(Self.mostOfAll, Self.intervalOfAll, now) }

    /// False: no token of that user's is looked at now.
    package mutating func mayTry(_ uid: UInt32, _ now: ApprovalMoment) -> Bool {
        all.fill(now)
        for uid in users.keys { users[uid]?.fill(now) }
        users = users.filter { !$0.value.isFull }
        return all.left > 0 && users[uid].map { $0.left > 0 } ?? true
    }

    package mutating func tookWrong(_ uid: UInt32, _ now: ApprovalMoment) {
        all.left -= 1
        users[uid, default: Bucket(Self.most, Self.interval, now)].left -= 1
    }

    private struct Bucket: Sendable {
        let most: Int64
        let interval: Int64
        var left: Int64
        private var since: Int64

        init(_ most: Int64, _ interval: Int64, _ now: ApprovalMoment) {
            self.most = most
            self.interval = interval
            left = most
            since = now.monotonic
        }

        var isFull: Bool { left == most }

        mutating func fill(_ now: ApprovalMoment) {
            let gained = max(0, now.monotonic - since) / interval
            left = min(most, left + gained)
            since = left == most ? now.monotonic : since + gained * interval
        }
    }
}
