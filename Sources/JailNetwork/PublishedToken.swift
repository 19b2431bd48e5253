package import JailCore

/// The token that whoever comes through a published port must show, and what the jail knows in its place.
package final class PublishedToken {
    private let value: KeptSecret
    let placeholder: [UInt8]

    /// Bytes of a token: one that is shorter could be guessed.
    package static let sizes = 24...512

    /// - Parameter value: of the characters that a Bearer token has, see ``fault(in:)``.
    package init(_ value: KeptSecret, placeholder: String) {
        self.value = value
        self.placeholder = Array(placeholder.utf8)
    }

    /// Why a value is no token; nil: it is one (RFC 6750, 2.1).
    package static func fault(in value: Span<UInt8>) -> String? {
        guard sizes.contains(value.count) else {
            return "has \(value.count) bytes, and must have \(sizes.lowerBound) to \(sizes.upperBound)"
        }
        return value.indices.allSatisfy { isCharacter(value[$0]) }
            ? nil : "has other characters than a Bearer token may have"
    }

    static func isCharacter(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte & 0xDF) || "-._~+/=".utf8.contains(byte)
    }

    /// In a time that says nothing but whether both are equally long.
    func isSame(as offered: ArraySlice<UInt8>) -> Bool {
        value.bytes.withSpan {
            $0.count == offered.count && Self.difference($0, offered, from: offered.startIndex) == 0
        }
    }

    /// Where it begins in a text, each time. As with ``isSame(as:)``, nobody learns from the time how much of it is right.
    func places(in text: [UInt8]) -> [Int] {
        value.bytes.withSpan { value in
            guard value.count <= text.count else { return [] }
            return (0...(text.count - value.count)).filter { Self.difference(value, text[...], from: $0) == 0 }
        }
    }

    private static func difference(_ value: Span<UInt8>, _ text: ArraySlice<UInt8>, from start: Int) -> UInt8 {
        var difference: UInt8 = 0
        for index in value.indices { difference |= value[index] ^ text[start + index] }
        return difference
    }
}
