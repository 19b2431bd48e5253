internal import Crypto
internal import FoundationEssentials

/// A SHA-256 digest of a record (FIPS 180-4): 64 hexadecimal digits in the log.
package struct AuditDigest: Hashable, Sendable, CustomStringConvertible {
    package static let size = 32
    /// What the first record of a log stands after.
    package static let zero = AuditDigest(bytes: [UInt8](repeating: 0, count: size))

    package let bytes: [UInt8]

    private init(bytes: [UInt8]) { self.bytes = bytes }

    package init(of content: some Collection<UInt8>) {
        bytes = Array(SHA256.hash(data: Array(content)))
    }

    /// nil: it is not 64 lower-case hexadecimal digits.
    package init?(hex: some StringProtocol) {
        guard let bytes = Hexadecimal.bytes(hex), bytes.count == Self.size else { return nil }
        self.bytes = bytes
    }

    package var description: String { Hexadecimal.text(bytes) }

    /// Of something that comes in pieces.
    package struct Stream {
        private var hash = SHA256()

        package init() {}
        package mutating func take(_ piece: [UInt8]) { hash.update(data: piece) }
        package func finish() -> AuditDigest { AuditDigest(bytes: Array(hash.finalize())) }
    }
}

/// Lower-case hexadecimal, two digits for each byte.
package enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: some Collection<UInt8>) -> String {
        unsafe String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var index = 0
            for byte in bytes {
                unsafe buffer[index] = digits[Int(byte >> 4)]
                unsafe buffer[index + 1] = digits[Int(byte & 15)]
                index += 2
            }
            return index
        }
    }

    /// nil: it is anything else.
    package static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(digits.count / 2)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = value(digits[index]), let low = value(digits[index + 1]) else { return nil }
            result.append(high << 4 | low)
        }
        return result
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x61 + 10
        default: nil
        }
    }
}
