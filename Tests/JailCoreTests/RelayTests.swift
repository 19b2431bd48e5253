import JailCore
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct `Relaying bytes` {
    /// The relay between two socket pairs, and their far ends.
    final class Line {
        let writer: SharedDescriptor
        let reader: SharedDescriptor
        private let ends: [SharedDescriptor]
        var relay: Relay

        init() throws {
            var numbers: [Int32] = []
            for _ in 0..<2 {
                let pair = try System.makeSocketPair(.stream).release()
                numbers += [pair.first, pair.second]
            }
            for number in numbers { try System.setNonBlocking(Descriptor(number)) }
            let all = numbers.map { SharedDescriptor(OwnedDescriptor($0)) }
            writer = all[0]
            reader = all[3]
            ends = [all[1], all[2]]
            relay = Relay(from: all[1].borrowed, to: all[2].borrowed)
        }

        /// Writes as much as the source takes.
        func fill() -> Int {
            var count = 0
            let block = [UInt8](repeating: 0x41, count: 8192)
            while let sent = try? System.write(writer.borrowed, block[...]) { count += sent }
            return count
        }

        func readAll() -> [UInt8] {
            var bytes: [UInt8] = []
            while let part = try? System.read(reader.borrowed, most: 65536), !part.isEmpty { bytes += part }
            return bytes
        }
    }

    @Test func `bytes arrive in order and unchanged`() throws {
        let line = try Line()
        var received: [UInt8] = []
        var sent: [UInt8] = []
        for round in 0..<200 {
            let block = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 7 &+ round) }
            try System.writeAll(line.writer.borrowed, block)
            sent += block
            #expect(line.relay.step(readable: true) == 1000)
            received += line.readAll()
        }
        #expect(received == sent)
        #expect(line.relay.state == .open)
    }

    @Test func `the end of the source is passed on after the last byte`() throws {
        let line = try Line()
        try System.writeAll(line.writer.borrowed, "last words")
        try System.shutdownWriting(line.writer.borrowed)
        line.relay.step(readable: true)
        #expect(line.relay.state == .open)
        line.relay.step(readable: true)
        #expect(line.relay.state == .done)
        #expect(line.readAll() == Array("last words".utf8))
        #expect(!line.relay.wantsToRead && !line.relay.wantsToWrite)
    }

    @Test func `a stalled target stops the reading, and at most the capacity is held`() throws {
        let line = try Line()
        var accepted = 0
        var taken = 0
        // Until neither side moves any more.
        while true {
            let filled = line.fill()
            accepted += filled
            let step = line.relay.wantsToRead ? line.relay.step(readable: true) : 0
            #expect(step <= Relay.capacity)
            taken += step
            if filled == 0, step == 0 { break }
        }
        #expect(line.relay.wantsToWrite && !line.relay.wantsToRead)
        #expect(line.relay.step(readable: true) == 0)
        let delivered = line.readAll().count
        #expect(taken - delivered <= Relay.capacity)
        // Once the target takes bytes again nothing is missing.
        var total = delivered
        while total < accepted {
            line.relay.step(readable: true)
            let part = line.readAll().count
            total += part
            if part == 0 { break }
        }
        #expect(total == accepted)
    }

    @Test func `a step that is told nothing can be read reads nothing`() throws {
        let line = try Line()
        try System.writeAll(line.writer.borrowed, "x")
        #expect(line.relay.step(readable: false) == 0)
        #expect(line.readAll().isEmpty)
    }

    @Test func `a target that is gone fails the relay, and raises no signal`() async {
        await #expect(processExitsWith: .success) {
            let source = try System.pipe()
            let pair = try System.makeSocketPair(.stream).release()
            System.close(pair.second)
            try System.ignore(13)
            try System.writeAll(source.writeEnd.borrowed, "x")
            var relay = Relay(from: source.readEnd.borrowed, to: Descriptor(pair.first))
            relay.step(readable: true)
            #expect(relay.state == .failed)
            #expect(!relay.wantsToWrite && !relay.wantsToRead)
        }
    }

    @Test func `draining takes everything to the end`() throws {
        let line = try Line()
        try System.writeAll(line.writer.borrowed, [UInt8](repeating: 1, count: 100_000))
        try System.shutdownWriting(line.writer.borrowed)
        line.relay.drainCompletely()
        #expect(line.relay.state == .done)
        #expect(line.readAll().count == 100_000)
    }

    @Test func `draining gives up on a target that takes nothing`() throws {
        let line = try Line()
        var total = 0
        while true {
            let filled = line.fill()
            total += filled
            if line.relay.step(readable: true) == 0, filled == 0 { break }
        }
        try System.shutdownWriting(line.writer.borrowed)
        line.relay.drainCompletely()
        #expect(line.relay.wantsToWrite)
    }
}
