import TestSupport
import Testing

@testable import JailScope

struct `Messages of D-Bus` {
    static let call: DBusMessage = {
        var message = DBusMessage(.call, serial: 7)
        message.destination = "org.freedesktop.systemd1"
        message.path = "/org/freedesktop/systemd1"
        message.interface = "org.freedesktop.DBus.Peer"
        message.member = "Ping"
        return message
    }()

    /// A message of the other byte order, as a manager on such a machine would send it.
    static let bigEndian: [UInt8] =
        [0x42, 2, 1, 1, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 15]
        + [5, 1, 0x75, 0, 0, 0, 0, 7]
        + [8, 1, 0x67, 0, 1, 0x6F, 0, 0]
        + [0, 0, 0, 2, 0x2F, 0x6A, 0, 0]

    @Test func `the bytes are those of the specification`() {
        var message = DBusMessage(.call, serial: 1)
        message.path = "/a"
        message.member = "M"
        #expect(
            message.bytes == [
                0x6C, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 26, 0, 0, 0,
                1, 1, 0x6F, 0, 2, 0, 0, 0, 0x2F, 0x61, 0, 0, 0, 0, 0, 0,
                3, 1, 0x73, 0, 1, 0, 0, 0, 0x4D, 0, 0, 0, 0, 0, 0, 0,
            ])
    }

    @Test func `a request for a scope is laid out as the manager reads it`() throws {
        let message = ScopeRequest(unit: "a.scope", description: "d", processID: 258).message(serial: 3)
        #expect(message.member == "StartTransientUnit" && message.signature == "ssa(sv)a(sa(sv))")
        var reader = try DBusMessage(message.bytes[...]).reader
        #expect(try reader.string() == "a.scope")
        #expect(try reader.string() == "fail")
        var properties: [String: String] = [:]
        var processes: [UInt32] = []
        try reader.array(alignment: 8) { (reader) throws(DBusFormatError) in
            try reader.align(8)
            let name = try reader.string()
            switch try reader.signature() {
            case "s": properties[name] = try reader.string()
            case "b": properties[name] = "\(try reader.number())"
            case "au":
                try reader.array(alignment: 4) { (one) throws(DBusFormatError) in processes.append(try one.number()) }
            case let other: properties[name] = "of type \(other)"
            }
        }
        #expect(
            properties == [
                "Description": "d", "Delegate": "1", "CollectMode": "inactive-or-failed",
            ])
        #expect(processes == [258])
        // No auxiliary units, and nothing after them.
        try reader.array(alignment: 8) { (_) throws(DBusFormatError) in throw .malformed("there is none") }
        #expect(reader.offset == message.body.count)
    }

    @Test func `what is written is read`() throws {
        var message = Self.call
        message.replySerial = 0xFFFF_FFFE
        message.errorName = "a.b.C"
        message.signature = "s"
        var body = DBusWriter()
        body.string("ü")
        message.body = body.bytes
        let read = try DBusMessage(message.bytes[...])
        #expect(read == message)
        var reader = read.reader
        #expect(try reader.string() == "ü")
        // The place in a buffer does not matter: alignment counts from the message's own beginning.
        #expect(try DBusMessage(([1, 2, 3] + message.bytes)[3...]) == message)
    }

    @Test func `the other byte order is read as well`() throws {
        #expect(try DBusMessage.length(of: Self.bigEndian[...]) == Self.bigEndian.count)
        let message = try DBusMessage(Self.bigEndian[...])
        #expect(message.kind == .reply && message.serial == 9 && message.replySerial == 7)
        var reader = message.reader
        #expect(try reader.string() == "/j")
    }

    @Test func `a message that is cut off is none`() throws {
        let bytes = Self.call.bytes
        for count in 0..<bytes.count {
            let part = bytes.prefix(count)
            #expect(try DBusMessage.length(of: part) == (count < 16 ? nil : bytes.count))
            #expect(throws: DBusFormatError.self) { try DBusMessage(part) }
        }
    }

    @Test(arguments: [4, 12]) func `lengths beyond the limit are refused before anything is awaited`(place: Int) {
        var bytes = Self.call.bytes
        for value: UInt32 in [1 << 20, 1 << 27, .max, .max - 7, 0x8000_0000] {
            for index in 0..<4 { bytes[place + index] = UInt8(value >> (8 * UInt32(index)) & 0xFF) }
            #expect(throws: DBusFormatError.tooLong) { try DBusMessage.length(of: bytes[...]) }
        }
    }

    @Test func `what is no message of this protocol is refused`() {
        for (place, value) in [(0, 0x78), (1, 0), (1, 5), (3, 2), (8, 0)] as [(Int, UInt8)] {
            var bytes = Self.call.bytes
            bytes[place] = value
            #expect(throws: DBusFormatError.self) { try DBusMessage(bytes[...]) }
        }
    }

    @Test func `padding is zero`() throws {
        let bytes = Self.call.bytes
        // The first field ends at 16 + 8 + 25 + 1, and the next begins at 56.
        for place in 50..<56 {
            try #require(bytes[place] == 0)
            var other = bytes
            other[place] = 1
            #expect(throws: DBusFormatError.malformed("padding that is not zero")) { try DBusMessage(other[...]) }
        }
    }

    @Test func `hostile bytes are an error or a message, and nothing else`() {
        var generator = Seeded(11)
        let samples = [
            Self.call.bytes, Self.bigEndian,
            ScopeRequest(unit: "x.scope", description: "d", processID: 1).message(serial: 1).bytes,
        ]
        var refused = 0
        for _ in 0..<20_000 {
            var bytes = samples.randomElement(using: &generator) ?? []
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let value: UInt8 =
                    generator.chance() ? .random(in: 0...255, using: &generator) : generator.chance() ? 0xFF : 0
                bytes[Int.random(in: bytes.indices, using: &generator)] = value
            }
            if generator.chance(4) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &generator)) }
            do throws(DBusFormatError) {
                guard let length = try DBusMessage.length(of: bytes[...]) else { continue }
                let message = try DBusMessage(bytes.prefix(length))
                var answer = ScopeAnswer(serial: 1, unit: "x.scope")
                try? answer.take(message)
                var reader = message.reader
                for type in ["s", "g", "t", "n", "y", "au"] { try reader.skip(type) }
            } catch { refused += 1 }
        }
        #expect(refused > 5000)
    }
}
