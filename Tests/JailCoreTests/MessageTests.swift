import JailCore
import TestSupport
import Testing

/// Descriptors over sockets, in processes where nothing else opens and closes any.
struct `Messages` {
    /// Whether somebody still holds a writing end.
    static func isHeld(_ reader: Descriptor) throws -> Bool { try System.pollNow(reader) & 0x10 == 0 }

    @Test func `what was said before an end that is an error is heard`() throws {
        let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
        let reader = SharedDescriptor(OwnedDescriptor(ours))
        do {
            let peer = SharedDescriptor(OwnedDescriptor(theirs))
            try System.send(reader.borrowed, [1])
            try System.send(peer.borrowed, [2])
        }
        #expect(try System.receiveUpToEnd(reader.borrowed, most: 8).bytes == [2])
        #expect(try System.receiveUpToEnd(reader.borrowed, most: 8).bytes.isEmpty)
    }

    @Test func `a copy that is kept is seen`() async {
        await #expect(processExitsWith: .success) {
            let ends = try System.pipe().release()
            let copy = try System.duplicate(Descriptor(ends.writeEnd), atLeast: 0)
            System.close(ends.writeEnd)
            #expect(try `Messages`.isHeld(Descriptor(ends.readEnd)))
            System.close(copy.release())
            #expect(try !`Messages`.isHeld(Descriptor(ends.readEnd)))
        }
    }

    @Test func `descriptors arrive with the message, as new ones that do not pass execve`() async {
        await #expect(processExitsWith: .success) {
            let pair = try System.makeSocketPair(.sequencedPacket)
            let pipe = try System.pipe()
            try System.send(pair.first.borrowed, [1, 2, 3], descriptors: [pipe.writeEnd.borrowed])
            let received = try System.receive(pair.second.borrowed, most: 8, descriptors: 2)
            #expect(received.bytes == [1, 2, 3])
            #expect(received.descriptors.count == 1)
            let number = try #require(received.descriptors.first)
            #expect(number != pipe.writeEnd.borrowed.number)
            try System.writeAll(Descriptor(number), "x")
            #expect(try System.read(pipe.readEnd.borrowed, most: 1) == [0x78])
            let info = String(decoding: try System.readFile("/proc/self/fdinfo/\(number)"), as: UTF8.self)
            #expect(info.contains("flags:\t02000001"))
        }
    }

    @Test(arguments: [(0, 1), (1, 2), (2, 8), (7, 8)])
    func `more descriptors than asked for are an error, and all are closed`(room: Int, sent: Int) async {
        await #expect(processExitsWith: .success) { [room, sent] in
            let pair = try System.makeSocketPair(.sequencedPacket)
            let ends = try System.pipe().release()
            try System.send(
                pair.first.borrowed, [1], descriptors: [Descriptor](repeating: Descriptor(ends.writeEnd), count: sent))
            #expect(
                errno { () throws(SystemError) in
                    _ = try System.receive(pair.second.borrowed, most: 8, descriptors: room)
                } == Errno(90))
            System.close(ends.writeEnd)
            #expect(try !`Messages`.isHeld(Descriptor(ends.readEnd)))
        }
    }

    @Test func `a message that is too long is an error, and its descriptors are closed`() async {
        await #expect(processExitsWith: .success) {
            let pair = try System.makeSocketPair(.sequencedPacket)
            let ends = try System.pipe().release()
            try System.send(
                pair.first.borrowed, [UInt8](repeating: 0, count: 9), descriptors: [Descriptor(ends.writeEnd)])
            #expect(
                errno { () throws(SystemError) in
                    _ = try System.receive(pair.second.borrowed, most: 8, descriptors: 8)
                } == Errno(90))
            System.close(ends.writeEnd)
            #expect(try !`Messages`.isHeld(Descriptor(ends.readEnd)))
            // The next message is whole.
            try System.send(pair.first.borrowed, [7])
            #expect(try System.receive(pair.second.borrowed, most: 8).bytes == [7])
        }
    }

    @Test func `more descriptors than a message carries are not sent`() throws {
        let pair = try System.makeSocketPair(.sequencedPacket)
        let many = [Descriptor](repeating: pair.first.borrowed, count: 97)
        #expect(
            errno { () throws(SystemError) in try System.send(pair.first.borrowed, [1], descriptors: many) } == .invalid
        )
    }

    @Test func `the end of the other side reads as nothing, and writing to it is an error without a signal`() throws {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        let ours = OwnedDescriptor(pair.first)
        System.close(pair.second)
        #expect(try System.receive(ours.borrowed, most: 8).bytes.isEmpty)
        #expect(errno { () throws(SystemError) in try System.send(ours.borrowed, [1]) } == .brokenPipe)
    }

    @Test func `a peer is who it is`() throws {
        let pair = try System.makeSocketPair(.stream)
        let peer = try System.peer(of: pair.first.borrowed)
        #expect(peer.pid == System.processID)
        #expect(peer.uid == System.effectiveUserID && peer.gid == System.effectiveGroupID)
    }
}
