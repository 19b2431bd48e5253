import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import EgressGateway

struct ConnectionGuardTests {
    private final class Busy: Timed {
        var isAwaitingOrigin = true
        func tick(_ now: NIODeadline) {}
    }

    /// A connection with a guard, on the gateway's own loop: whether it is open after these moments.
    private func isOpen(
        after time: TimeAmount, _ prepare: @escaping @Sendable (ConnectionGuard, EmbeddedChannel) -> Void = { _, _ in }
    ) async throws -> Bool {
        let gateway = try await TestGateway.start("budgets: { idle: '60s' }")
        return try await gateway.with { state in
            let channel = EmbeddedChannel()
            let connection = ConnectionGuard(state)
            _ = state.budgets.openConnection(.now())
            try channel.pipeline.syncOperations.addHandler(connection)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            prepare(connection, channel)
            connection.tick(.now() + time)
            channel.embeddedEventLoop.run()
            let isOpen = channel.isActive
            _ = try channel.finish(acceptAlreadyClosed: true)
            // Counted while it was there, and once.
            #expect(state.budgets.connections == 0 && state.guards.isEmpty)
            return isOpen
        }
    }

    @Test func `before a protocol is known there is little time`() async throws {
        #expect(try await isOpen(after: .seconds(14)))
        #expect(try await !isOpen(after: .seconds(16)))
    }

    @Test func `then it may be silent for as long as the profile says`() async throws {
        #expect(try await isOpen(after: .seconds(59)) { connection, _ in connection.isSettled = true })
        #expect(try await !isOpen(after: .seconds(61)) { connection, _ in connection.isSettled = true })
    }

    @Test func `bytes that the client does not take are no move`() async throws {
        for isTaken in [true, false] {
            let open = try await isOpen(after: .milliseconds(59_950)) { connection, channel in
                connection.isSettled = true
                channel.isWritable = isTaken
                usleep(100_000)
                channel.flush()
            }
            #expect(open == isTaken)
        }
    }

    @Test func `another protocol begins with little time again`() async throws {
        #expect(
            try await !isOpen(after: .seconds(16)) { connection, _ in
                connection.isSettled = true
                connection.startAgain()
            })
    }

    @Test func `a WebSocket may be silent for longer, and so may who waits for an origin`() async throws {
        #expect(
            try await isOpen(after: .hours(5)) { connection, _ in
                connection.isSettled = true
                connection.mayIdle = true
            })
        #expect(
            try await isOpen(after: .seconds(61)) { connection, _ in
                connection.isSettled = true
                connection.add(Busy())
            })
    }
}
