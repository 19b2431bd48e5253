package import JailCore

/// New secrets, from the kernel's random numbers.
package enum GeneratedSecret {
    private static let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// In base64url without padding, see section 5 of RFC 4648.
    package static func make(randomBytes count: Int) throws(SystemError) -> SecretBytes {
        try encode(try SecretBytes.random(count: count))
    }

    /// From mapping to mapping: no copy is made elsewhere.
    static func encode(_ source: borrowing SecretBytes) throws(SystemError) -> SecretBytes {
        var text = try SecretBytes(count: (source.count * 8 + 5) / 6)
        unsafe source.withBytes { source in
            unsafe text.withMutableBytes { text in
                for index in text.indices {
                    let bit = index * 6
                    let first = unsafe UInt16(source[bit / 8])
                    let second = bit / 8 + 1 < source.count ? unsafe UInt16(source[bit / 8 + 1]) : 0
                    let six = (first << 8 | second) >> UInt16(10 - bit % 8) & 63
                    unsafe text[index] = digits[Int(six)]
                }
            }
        }
        return text
    }
}
