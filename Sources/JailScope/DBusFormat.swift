/// Bytes that are no D-Bus message, or are one beyond what is read here.
package enum DBusFormatError: Error, Equatable {
    /// More was announced than there is.
    case truncated
    /// Longer than ``DBusMessage/sizeLimit``.
    case tooLong
    case malformed(String)
}

/// Writes values as the D-Bus specification lays them out ("Marshaling"), little endian. Lengths count from the start of
/// ``bytes``, which therefore begins where alignment counts from.
struct DBusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ boundary: Int) {
        while !bytes.count.isMultiple(of: boundary) { bytes.append(0) }
    }

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number(_ value: UInt32) {
        align(4)
        bytes += Self.littleEndian(value)
    }

    mutating func boolean(_ value: Bool) { number(value ? 1 : 0) }

    /// A string, or an object path.
    mutating func string(_ text: String) {
        number(UInt32(text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    mutating func signature(_ text: String) {
        bytes.append(UInt8(text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    /// An array whose elements begin at multiples of `boundary`: the padding before the first does not count.
    mutating func array(alignment boundary: Int, _ elements: (inout DBusWriter) -> Void) {
        number(0)
        let place = bytes.count - 4
        align(boundary)
        let start = bytes.count
        elements(&self)
        bytes.replaceSubrange(place..<(place + 4), with: Self.littleEndian(UInt32(bytes.count - start)))
    }

    private static func littleEndian(_ value: UInt32) -> [UInt8] {
        [UInt8(value & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value >> 16 & 0xFF), UInt8(value >> 24)]
    }
}

/// Reads what ``DBusWriter`` writes, of either byte order. Nothing that it is given is trusted.
struct DBusReader {
    private let bytes: ArraySlice<UInt8>
    private let isBigEndian: Bool
    private(set) var offset = 0

    /// - Parameter bytes: begins where alignment counts from.
    init(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) {
        self.bytes = bytes
        self.isBigEndian = isBigEndian
    }

    private mutating func take(_ count: Int) throws(DBusFormatError) -> ArraySlice<UInt8> {
        guard count <= bytes.count - offset else { throw .truncated }
        defer { offset += count }
        return bytes[(bytes.startIndex + offset)..<(bytes.startIndex + offset + count)]
    }

    mutating func align(_ boundary: Int) throws(DBusFormatError) {
        let padding = (boundary - offset % boundary) % boundary
        guard try take(padding).allSatisfy({ $0 == 0 }) else { throw .malformed("padding that is not zero") }
    }

    mutating func byte() throws(DBusFormatError) -> UInt8 { try take(1).first ?? 0 }

    mutating func number() throws(DBusFormatError) -> UInt32 {
        try align(4)
        let four = try take(4)
        var value: UInt32 = 0
        for byte in isBigEndian ? Array(four) : four.reversed() { value = value << 8 | UInt32(byte) }
        return value
    }

    /// A string, or an object path.
    mutating func string() throws(DBusFormatError) -> String {
        let count = try number()
        guard count < DBusMessage.sizeLimit else { throw .tooLong }
        return try text(Int(count))
    }

    mutating func signature() throws(DBusFormatError) -> String { try text(Int(try byte())) }

    private mutating func text(_ count: Int) throws(DBusFormatError) -> String {
        let content = try take(count)
        guard try byte() == 0, !content.contains(0) else { throw .malformed("a string without its end") }
        guard let text = String(validating: content, as: UTF8.self) else { throw .malformed("no UTF-8") }
        return text
    }

    /// The elements of an array, each read by `element`, which must read something.
    mutating func array(
        alignment boundary: Int, _ element: (inout DBusReader) throws(DBusFormatError) -> Void
    ) throws(DBusFormatError) {
        let count = try number()
        guard count < DBusMessage.sizeLimit else { throw .tooLong }
        try align(boundary)
        let end = offset + Int(count)
        while offset < end { try element(&self) }
        guard offset == end else { throw .malformed("an array that ends within an element") }
    }

    /// Passes over a value of a basic type; no others occur where this is used.
    mutating func skip(_ type: String) throws(DBusFormatError) {
        switch type {
        case "y": _ = try byte()
        case "b", "i", "u", "h": _ = try number()
        case "n", "q":
            try align(2)
            _ = try take(2)
        case "x", "t", "d":
            try align(8)
            _ = try take(8)
        case "s", "o": _ = try string()
        case "g": _ = try signature()
        default: throw .malformed("a header field of type '\(type)'")
        }
    }
}
