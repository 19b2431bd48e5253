/// Numbers of 32 bits, little end first, and texts with their length before them.
struct WireWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number(_ value: UInt32) {
        for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    mutating func text(_ text: [UInt8]) {
        number(UInt32(truncatingIfNeeded: text.count))
        bytes += text
    }
}

/// Reads what anybody may have written: nil for whatever is not there.
struct WireReader {
    private let bytes: [UInt8]
    private var next = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { next == bytes.count }

    mutating func byte() -> UInt8? {
        guard next < bytes.count else { return nil }
        defer { next += 1 }
        return bytes[next]
    }

    mutating func number() -> UInt32? {
        guard bytes.count - next >= 4 else { return nil }
        defer { next += 4 }
        return UInt32(bytes[next]) | UInt32(bytes[next + 1]) << 8 | UInt32(bytes[next + 2]) << 16
            | UInt32(bytes[next + 3]) << 24
    }

    mutating func text() -> [UInt8]? {
        guard let length = number(), length <= bytes.count - next else { return nil }
        defer { next += Int(length) }
        return Array(bytes[next..<(next + Int(length))])
    }
}
