/// The texts as which a value may come along. Escapes of single characters are none of these: ``EscapeView`` undoes them.
enum Spellings {
    /// As it is, in hexadecimal digits, and within base64 (RFC 4648, 4 and 5) at each of its three alignments.
    static func all(of value: [UInt8]) -> [[UInt8]] {
        var texts: Set<[UInt8]> = [value, hex(value, "0123456789abcdef"), hex(value, "0123456789ABCDEF")]
        // A form writes a space so.
        texts.insert(value.map { $0 == 0x20 ? UInt8(ascii: "+") : $0 })
        for alphabet in [base64, base64URL] { texts.formUnion(packed(value, alphabet, bits: 6)) }
        return texts.sorted { $0.lexicographicallyPrecedes($1) }
    }

    /// For where letters lose their case, such as in names: all of the above in small letters, and base32 (RFC 4648, 6).
    static func folded(of value: [UInt8]) -> [[UInt8]] {
        let texts = Set(all(of: value).map { $0.map(\.lowercased) }).union(packed(value, base32, bits: 5))
        return texts.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let base64URL = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let base32 = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)

    private static func hex(_ value: [UInt8], _ digits: StaticString) -> [UInt8] {
        let digits = Array(digits.description.utf8)
        return value.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }

    /// What of a text in base64 or base32 only the value decides, wherever in it the value begins: the characters that hold
    /// none but its bits. Each twice: with what the last one is where the value ends the text, and without.
    private static func packed(_ value: [UInt8], _ alphabet: [UInt8], bits: Int) -> [[UInt8]] {
        // After so many bytes a character begins where a byte does.
        let group = bits == 6 ? 3 : 5
        return (0..<group).flatMap { before in
            let start = (before * 8 + bits - 1) / bits * bits
            let end = (before + value.count) * 8
            var text: [UInt8] = []
            for position in stride(from: start, to: end, by: bits) {
                var character = 0
                for bit in position..<position + bits {
                    let index = bit / 8 - before
                    let isSet = index < value.count && value[index] >> UInt8(7 - bit % 8) & 1 == 1
                    character = character << 1 | (isSet ? 1 : 0)
                }
                text.append(alphabet[character])
            }
            return end % bits == 0 ? [text] : [text, Array(text.dropLast())]
        }
    }
}

extension UInt8 {
    /// Of ASCII.
    var lowercased: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
