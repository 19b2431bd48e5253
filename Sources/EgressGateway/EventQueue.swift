internal import EgressControl
internal import JailCore
internal import NIOCore

/// Events on their way to the supervisor. Nothing that was allowed goes untold: while the supervisor does not read, what
/// happened is kept, and once that is too much nothing more is allowed.
final class EventQueue {
    private let channel: EgressChannel
    private let loop: any EventLoop
    private var waiting = CircularBuffer<EgressEvent>()
    private var isRetrying = false
    /// Denials that there was no room for.
    private var untold: UInt64 = 0

    /// Kept events from which on requests are denied.
    private static let most = 512
    /// Those that were under way by then still end, and denials go on.
    private static let mostKept = 4096
    private static let retryInterval = TimeAmount.milliseconds(20)

    init(_ channel: EgressChannel, loop: any EventLoop) {
        self.channel = channel
        self.loop = loop
    }

    /// Whether something may be allowed that will have to be told.
    var hasRoom: Bool { waiting.count < Self.most }

    func record(_ event: EgressEvent) {
        guard waiting.count < Self.mostKept || event.verdict == .allowed else {
            untold += 1
            return
        }
        waiting.append(event)
        if !isRetrying { flush() }
    }

    private func flush() {
        isRetrying = false
        do {
            while let event = waiting.first {
                guard try channel.report(event) else { return retryLater() }
                waiting.removeFirst()
            }
            guard untold > 0 else { return }
            var event = EgressEvent(.gateway, .denied, time: Clock.milliseconds())
            event.reason = "\(untold) denials that nobody had read were not kept"
            untold = 0
            record(event)
        } catch {
            // The supervisor is gone: there is nobody to answer to, and nothing to be done any more.
            System.exitNow(1)
        }
    }

    private func retryLater() {
        isRetrying = true
        loop.assumeIsolated().scheduleTask(in: Self.retryInterval) { self.flush() }
    }
}

enum Clock {
    /// Since the epoch.
    static func milliseconds() -> Int64 { System.realtimeMilliseconds() }
}
