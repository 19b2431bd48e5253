internal import JailCore
internal import JailPlan

/// A jail's part of processes that it shares with other jails: a connection to their keeper. Who closes it is no longer
/// one of them.
final class EgressShare: EgressSource {
    private let connection: SharedDescriptor
    private let terms: String
    private var isAsking = false
    private var isGone = false
    /// When the channel's end is taken for that of this jail's gateway alone.
    private var graceEnd: Int64?

    /// Nanoseconds that the keeper has to say that the whole process has ended.
    private static let grace: Int64 = 2_000_000_000
    /// For each turn of the loop.
    private static let mostMessages = 64

    /// Connects to the keeper of the group, and starts one if there is none.
    init(_ plan: LaunchPlan, _ egress: EgressPlan, group: String) throws(JailError) {
        terms = egress.terms
        connection = try KeeperDirectory.join(group, in: plan.groupDirectory) { (seat) throws(SystemError) in
            try EgressKeeper.start(plan, egress, at: seat)
        }
    }

    /// - Parameter connection: non-blocking.
    init(_ connection: SharedDescriptor, terms: String) {
        self.connection = connection
        self.terms = terms
    }

    func ask() throws(SystemError) -> SharedDescriptor? {
        isAsking = true
        graceEnd = nil
        try send(.ask(terms: terms))
        return nil
    }

    private func send(_ message: KeeperMessage) throws(SystemError) {
        guard !isGone else { return }
        do throws(SystemError) {
            try withExtendedLifetime(connection) { () throws(SystemError) in
                try System.send(connection.borrowed, message.bytes)
            }
        } catch {
            // Its end is seen by itself.
            guard [.brokenPipe, .connectionReset].contains(error.errno) else { throw error }
        }
    }

    var pollEntries: [System.PollEntry] {
        isGone ? [] : [System.PollEntry(connection.borrowed, System.PollEvents.readable)]
    }

    var due: Int64? { graceEnd }

    func news(_ ready: System.PollResult) throws(SystemError) -> [EgressNews] {
        guard !isGone else { return [] }
        var news: [EgressNews] = []
        if ready[connection.borrowed] != nil { try read(&news) }
        if let graceEnd, System.monotonicNanoseconds() >= graceEnd {
            self.graceEnd = nil
            news.append(.ended("for this jail alone", why: nil, mayRestart: true))
        }
        return news
    }

    private func read(_ news: inout [EgressNews]) throws(SystemError) {
        for _ in 0..<Self.mostMessages where !isGone {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receiveUpToEnd(connection.borrowed, most: KeeperMessage.sizeLimit, descriptors: 1)
            } catch {
                switch error.errno {
                case .wouldBlock: return
                // More than any message has.
                case .messageTooLong: received = ([0], [])
                default: throw error
                }
            }
            let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            guard !received.bytes.isEmpty else {
                end(&news, "with its keeper", why: nil)
                return
            }
            take(KeeperMessage(received.bytes), descriptors, &news)
        }
    }

    private func take(_ message: KeeperMessage?, _ descriptors: [SharedDescriptor], _ news: inout [EgressNews]) {
        switch message {
        case .channel where descriptors.count == 1:
            // One that answers an earlier question is closed again, and serves nobody.
            guard isAsking else { return }
            isAsking = false
            news.append(.channel(descriptors[0]))
        case .ended(let how) where descriptors.isEmpty:
            graceEnd = nil
            news.append(.ended(how, why: nil, mayRestart: true))
        case .gone(let how) where descriptors.isEmpty: end(&news, how, why: nil)
        default: end(&news, "by clawjail", why: "its keeper said what it never would")
        }
    }

    private func end(_ news: inout [EgressNews], _ how: String, why: String?) {
        news.append(.ended(how, why: why, mayRestart: false))
        kill()
    }

    func channelEnded() { graceEnd = System.monotonicNanoseconds() + Self.grace }

    func distrust() {
        // A keeper that cannot be told is on its way out itself.
        try? send(.distrust)
    }

    func kill() {
        isGone = true
        graceEnd = nil
        _ = connection.take()
    }
}

extension EgressPlan {
    /// What makes two jails' processes the same one: which program it is, and within which bounds. What the rules say is
    /// not among it; whose it is, nobody but the one user gets to ask. Of jails that root starts that is an id that nobody
    /// has, another one each time, and the first jail's counts.
    var terms: String {
        let terms: JSON = [
            "program": [.number(programIdentity.device), .number(programIdentity.inode)],
            "landlock": landlockABI.map { .number($0) } ?? .null,
            "resources": .object(resources.map { ("\($0.resource)", .number($0.value)) }),
        ]
        return terms.text()
    }
}
