import JailCore
import JailPlan
import Testing

@testable import JailLaunch

/// Commands that the supervisor executes itself, to ask a jail how it is. Init is the test.
struct `A command that asks for health` {
    /// Who waits for the answer, and keeps the other end.
    private let ends: (ours: SharedDescriptor, theirs: SharedDescriptor)
    private let execs = Execs(.bare())
    private let request = ExecRequest(arguments: [Array("/bin/true".utf8)])

    init() throws {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        ends = (SharedDescriptor(OwnedDescriptor(pair.first)), SharedDescriptor(OwnedDescriptor(pair.second)))
        try System.setNonBlocking(ends.theirs.borrowed)
    }

    private func probe(_ orders: inout [ControlMessage]) throws -> Bool {
        var sent: [ControlMessage] = []
        defer { orders += sent }
        return try execs.probe(request, for: ends.theirs, in: nil) { (message, _) throws(SystemError) in
            sent.append(message)
            return true
        }
    }

    @Test func `waits for the one before, and all that it has left`() throws {
        var orders: [ControlMessage] = []
        #expect(try probe(&orders))
        #expect(try !probe(&orders))
        #expect(orders.map(\.kind) == [.execute])
        let index = try #require(orders.first).index
        func take(_ message: ControlMessage) throws {
            try execs.take(message, []) { (_, _) throws(SystemError) in true }
        }
        try take(ControlMessage(.executed, index: index, value: 2))
        try take(ControlMessage(.execExited, index: index, value: 0))
        // What is above it is still there.
        #expect(try !probe(&orders))
        try take(ControlMessage(.execGone, index: index, value: 0))
        #expect(try probe(&orders))
        #expect(orders.map(\.kind) == [.execute, .execute])
    }

    @Test func `is no use of the jail, and no news`() throws {
        var orders: [ControlMessage] = []
        let before = execs.lastUsed
        _ = try System.pause(milliseconds: 1100)
        #expect(try probe(&orders))
        let index = try #require(orders.first).index
        for message in [
            ControlMessage(.executed, index: index, value: 2), ControlMessage(.execExited, index: index, value: 0),
            ControlMessage(.execGone, index: index, value: 1),
        ] { try execs.take(message, []) { (_, _) throws(SystemError) in true } }
        #expect(execs.count == 0 && execs.lastUsed == before && execs.takeNotices().isEmpty)
    }
}
