import JailCore
import TestSupport
import Testing

/// Numbers of closed descriptors are given out again at once, so these tests run in processes of their own.
struct `Descriptors` {
    @Test func `an owned descriptor is closed when its owner ends, and not before`() async {
        // What another test forks meanwhile would have the pipe open as well.
        await #expect(processExitsWith: .success) {
            var ends = try System.pipe().release()
            let reader = OwnedDescriptor(ends.readEnd)
            try System.setNonBlocking(reader.borrowed)
            do {
                let writer = OwnedDescriptor(ends.writeEnd)
                #expect(
                    errno { () throws(SystemError) in _ = try System.read(reader.borrowed, most: 1) } == .wouldBlock)
                ends.writeEnd = writer.borrowed.number
            }
            #expect(try System.read(reader.borrowed, most: 1).isEmpty)
        }
    }

    @Test func `a closed descriptor is never closed twice`() async {
        await #expect(processExitsWith: .success) {
            let first = try System.eventDescriptor()
            let number = first.borrowed.number
            let shared = SharedDescriptor(first)
            do { _ = shared.take() }
            #expect(!System.isOpen(number))
            // The number is free again: whoever opens next gets it, and the emptied owner must leave it alone.
            var next: [Int32] = []
            for _ in 0..<32 { next.append(try System.eventDescriptor().release()) }
            #expect(next.contains(number))
            withExtendedLifetime(shared) {}
            do { _ = SharedDescriptor(shared.take()) }
            for number in next { #expect(System.isOpen(number)) }
        }
    }

    @Test func `a released descriptor stays open`() async {
        await #expect(processExitsWith: .success) {
            func give() throws -> Int32 { try System.eventDescriptor().release() }
            let number = try give()
            #expect(System.isOpen(number))
            System.close(number)
            #expect(!System.isOpen(number))
        }
    }

    @Test func `a shared descriptor ends with its last reference`() async {
        await #expect(processExitsWith: .success) {
            let number: Int32
            do {
                let first = SharedDescriptor(try System.eventDescriptor())
                let second = first
                number = second.borrowed.number
                #expect(System.isOpen(number))
            }
            #expect(!System.isOpen(number))
        }
    }

    @Test func `what is opened does not pass execve`() throws {
        let ends = try System.pipe()
        let pair = try System.makeSocketPair(.stream)
        let event = try System.eventDescriptor()
        let file = try System.open("/dev/null", .readOnly)
        for descriptor in [
            ends.readEnd.borrowed, ends.writeEnd.borrowed, pair.first.borrowed, pair.second.borrowed, event.borrowed,
            file.borrowed,
        ] {
            let flags = String(decoding: try System.readFile("/proc/self/fdinfo/\(descriptor.number)"), as: UTF8.self)
            let line = try #require(flags.split(separator: "\n").first { $0.hasPrefix("flags:") })
            let number = try #require(line.split(whereSeparator: \.isWhitespace).last)
            #expect((UInt64(number, radix: 8) ?? 0) & 0o2000000 != 0, "\(descriptor)")
        }
    }
}
