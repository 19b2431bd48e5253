/// An access key of AWS's kind, which is one secret: `ID:SECRET`, and `ID:SECRET:TOKEN` where it is a temporary one. Says
/// where its parts lie; none of them is copied.
package struct AccessKey: Equatable, Sendable {
    package let id: Range<Int>
    package let secret: Range<Int>
    /// nil: it is no temporary one.
    package let token: Range<Int>?

    /// Bytes of each part. AWS's own ids have 20, its secrets 40; others' are longer.
    static let idSizes = 16...64
    static let secretSizes = 16...128
    static let leastToken = 16

    /// - Throws: with a reason that repeats nothing of the value.
    package init(_ value: Span<UInt8>) throws(ValueError) {
        var colons: [Int] = []
        for index in value.indices {
            guard (0x21...0x7E).contains(value[index]) else { throw Self.malformed }
            if value[index] == UInt8(ascii: ":") { colons.append(index) }
        }
        guard (1...2).contains(colons.count), let first = colons.first else { throw Self.malformed }
        let end = colons.count == 2 ? colons[1] : value.count
        id = 0..<first
        secret = (first + 1)..<end
        token = colons.count == 2 ? (end + 1)..<value.count : nil
        guard Self.idSizes.contains(id.count), id.allSatisfy({ Name.isWord(value[$0]) }),
            Self.secretSizes.contains(secret.count), token.map({ $0.count >= Self.leastToken }) ?? true
        else { throw Self.malformed }
    }

    private static let malformed = ValueError(
        "must be an access key in one line, ID:SECRET, or ID:SECRET:TOKEN where it is a temporary one")
}

/// `secrets[].inject.sigv4`: what requests may be signed for. A signature is good for one region of one service.
package struct SigningScope: Hashable, Sendable {
    package var service: String
    package var region: String

    package init(service: String, region: String) {
        self.service = service
        self.region = region
    }

    package static func check(_ text: String) throws(ValueError) {
        guard (1...64).contains(text.utf8.count),
            text.utf8.allSatisfy({ Name.isLowerOrDigit($0) || $0 == UInt8(ascii: "-") })
        else { throw ValueError(expected: "a name of a-z, 0-9 and '-', as signatures have it", found: text) }
    }
}
