internal import EgressControl
internal import JailCore
internal import NIOCore

/// Events on their way to the supervisor. Nothing that was allowed goes untold: while it does not
/// read, what happened is kept, and once that is too much nothing more is allowed.
final class EventQueue {
    private let channel: EgressChannel
    private let loop: any EventLoop
    /// Lines that are still to be told.
    private var waiting: [String] = []
    private var isScheduled = false
    /// Denials that there was no room for.
    private var untold: UInt64 = 0
    /// Nobody hears of anything any more.
    private var isEnded = false

    /// Kept events from which on requests are denied.
    private static let most = 4096
    /// Those that were under way by then still end, and denials go on.
    private static let mostKept = 8192
    private static let retryInterval = TimeAmount.milliseconds(20)

    init(_ channel: EgressChannel, loop: any EventLoop) {
        self.channel = channel
        self.loop = loop
    }

    /// Whether something may be allowed that will have to be told.
    var hasRoom: Bool { !isEnded && waiting.count < Self.most }

    func record(_ event: EgressEvent) {
        guard !isEnded else { return }
        guard waiting.count < Self.mostKept || event.verdict == .allowed else {
            untold += 1
            return
        }
        waiting.append(event.line)
        guard !isScheduled else { return }
        isScheduled = true
        // What else is decided in this turn of the loop goes with it.
        loop.assumeIsolated().execute { self.flush() }
    }

    /// Whatever still happens is not told, and nothing that would have to be may happen.
    func end() {
        isEnded = true
        waiting = []
    }

    private func flush() {
        isScheduled = false
        guard !isEnded else { return }
        do {
            let told = try channel.report(waiting)
            waiting.removeFirst(told)
            guard waiting.isEmpty else { return retryLater() }
            guard untold > 0 else { return }
            var event = EgressEvent(.gateway, .denied, time: System.realtimeMilliseconds())
            event.reason = "\(untold) denials that nobody had read were not kept"
            untold = 0
            record(event)
        } catch {
            // The supervisor is gone: there is nobody to answer to. The first thread takes down what served its jail.
            end()
            channel.shutDown()
        }
    }

    private func retryLater() {
        isScheduled = true
        loop.assumeIsolated().scheduleTask(in: Self.retryInterval) { self.flush() }
    }
}
