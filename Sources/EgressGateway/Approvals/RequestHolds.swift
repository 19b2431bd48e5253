internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// Requests that wait until somebody has said yes or no. What is granted is known to the supervisor alone, which is asked for
/// each of them: there is nothing here that could be used twice. Confined to the event loop.
final class RequestHolds {
    /// What comes of one: the grant's number, or why not.
    typealias Answer = (Result<UInt64, Denial>) -> Void

    private let channel: EgressChannel
    /// The supervisor keeps the time; whoever hears nothing of it for longer has none.
    private let patience: TimeAmount
    private var waiting: [UInt32: (deadline: NIODeadline, answer: Answer)] = [:]
    private var lastID: UInt32 = 0
    private var isEnded = false

    /// For tests.
    var count: Int { waiting.count }

    /// At the same time: each holds a head, and as much of a body as is read at once.
    static let most = 64
    private static let grace = TimeAmount.seconds(5)

    /// - Parameter timeout: milliseconds that somebody has to answer.
    init(_ channel: EgressChannel, timeout: UInt64) {
        self.channel = channel
        patience = .milliseconds(Int64(clamping: timeout)) + Self.grace
    }

    /// - Returns: what to withdraw it by; nil: it has its answer already.
    func ask(_ request: AskedRequest, _ answer: @escaping Answer) -> UInt32? {
        guard !isEnded, waiting.count < Self.most, lastID < .max else {
            answer(.failure(Self.denial("too many requests wait already")))
            return nil
        }
        lastID += 1
        let isAsked: Bool
        do { isAsked = try channel.ask(EgressAsk(id: lastID, request: request)) } catch {
            // The supervisor is gone, and the first thread takes this gateway down.
            isAsked = false
        }
        guard isAsked else {
            answer(.failure(Self.denial("nobody can be asked at the moment")))
            return nil
        }
        waiting[lastID] = (.now() + patience, answer)
        return lastID
    }

    /// The client is gone.
    func withdraw(_ id: UInt32) {
        guard waiting.removeValue(forKey: id) != nil else { return }
        // The answer to what nobody waits for is dropped in any case.
        try? channel.withdraw(id)
    }

    /// One that nobody waits for any more is dropped: a use that it cost is gone.
    func take(_ verdict: EgressVerdict) {
        guard let held = waiting.removeValue(forKey: verdict.id) else { return }
        held.answer(verdict.grant.map { .success($0) } ?? .failure(Self.denial(verdict.reason)))
    }

    func tick(_ now: NIODeadline) {
        for (id, held) in waiting where held.deadline <= now {
            waiting[id] = nil
            held.answer(.failure(Self.denial("nobody answered in time")))
        }
    }

    func end() {
        isEnded = true
        let held = waiting
        waiting = [:]
        for (_, held) in held { held.answer(.failure(Self.denial("nobody can be asked any more"))) }
    }

    private static func denial(_ reason: String) -> Denial {
        Denial(.forbidden, "an approval was asked for, and not given: \(reason)")
    }
}
