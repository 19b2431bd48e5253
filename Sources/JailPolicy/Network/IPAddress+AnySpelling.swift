extension IPAddress {
    /// What some client takes the text for: every spelling of inet_aton(3) (one to four numbers, each decimal, octal or
    /// hexadecimal, the last one filling the rest, and a trailing dot), and IPv6 with or without brackets and a zone.
    ///
    /// For messages only: what is dialled is written strictly.
    package init?(anySpelling text: some StringProtocol) {
        if let strict = IPAddress(text) {
            self = strict
            return
        }
        var bytes = Array(text.utf8.prefix(256))[...]
        if bytes.first == UInt8(ascii: "["), bytes.last == UInt8(ascii: "]") { bytes = bytes.dropFirst().dropLast() }
        if bytes.contains(UInt8(ascii: ":")) {
            if let zone = bytes.firstIndex(of: UInt8(ascii: "%")) { bytes = bytes[..<zone] }
            self.init(String(decoding: bytes, as: UTF8.self))
        } else {
            if bytes.last == UInt8(ascii: ".") { bytes = bytes.dropLast() }
            guard let number = Self.internetNumber(bytes) else { return nil }
            self = .v4(number)
        }
    }

    private static func internetNumber(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), maxSplits: 4, omittingEmptySubsequences: false)
        guard parts.count <= 4, let last = parts.last, let rest = number(last) else { return nil }
        var address: UInt64 = 0
        for part in parts.dropLast() {
            guard let byte = number(part), byte < 256 else { return nil }
            address = address << 8 | byte
        }
        let bits = 8 * (5 - parts.count)
        guard rest < UInt64(1) << bits else { return nil }
        return UInt32(address << bits | rest)
    }

    /// Less than 2^32.
    private static func number(_ part: ArraySlice<UInt8>) -> UInt64? {
        guard !part.isEmpty else { return nil }
        var digits = part
        var radix: UInt64 = 10
        if part.starts(with: "0x".utf8) || part.starts(with: "0X".utf8) {
            (digits, radix) = (part.dropFirst(2), 16)
        } else if part.count > 1, part.first == UInt8(ascii: "0") {
            (digits, radix) = (part.dropFirst(), 8)
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = byte.hexValue, UInt64(digit) < radix else { return nil }
            value = value * radix + UInt64(digit)
            guard value <= UInt64(UInt32.max) else { return nil }
        }
        return value
    }
}
