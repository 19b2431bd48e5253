internal import EgressControl
internal import NIOCore

/// Refresh tokens that endpoints gave in the place of others, on their way to the supervisor, which has them for the gateways
/// after this one.
final class RefreshReports {
    let loop: any EventLoop
    private let channel: EgressChannel
    /// The last one of each secret.
    private var waiting: [(name: String, value: SecretValue)] = []
    private var isScheduled = false

    private static let retryInterval = TimeAmount.milliseconds(20)

    init(_ channel: EgressChannel, loop: any EventLoop) {
        self.channel = channel
        self.loop = loop
    }

    func end() { waiting = [] }

    func tell(_ name: String, _ value: SecretValue) {
        waiting.removeAll { $0.name == name }
        waiting.append((name, value))
        flush()
    }

    private func flush() {
        guard !isScheduled else { return }
        do {
            while let next = waiting.first {
                guard try channel.report(renewed: next.name, next.value) else { return retryLater() }
                waiting.removeFirst()
            }
        } catch {
            // The supervisor is gone: as with events, the first thread takes down what served its jail.
            end()
            channel.shutDown()
        }
    }

    private func retryLater() {
        isScheduled = true
        loop.assumeIsolated().scheduleTask(in: Self.retryInterval) {
            self.isScheduled = false
            self.flush()
        }
    }
}
