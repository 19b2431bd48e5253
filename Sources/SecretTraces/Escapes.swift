/// How texts write single characters as something else. Each is undone for itself: what is an escape in one is not in
/// another.
enum EscapeStyle: CaseIterable, Sendable {
    /// `%2F` (RFC 3986, 2.1), some characters or all.
    case percent
    /// `\/`, `\n`, `\u002f` and `\x2f`, as in JSON (RFC 8259, 7) and in programs.
    case backslash
    /// `&#47;`, `&#x2f;` and the few with names that matter here, as in HTML.
    case entity

    var begin: UInt8 {
        switch self {
        case .percent: UInt8(ascii: "%")
        case .backslash: UInt8(ascii: "\\")
        case .entity: UInt8(ascii: "&")
        }
    }

    enum Reading: Equatable {
        /// May be the beginning of one.
        case more
        /// Stands for these bytes.
        case decoded([UInt8])
        /// Is none.
        case none
    }

    /// The longest one, in bytes.
    static let longest = 12

    /// - Parameter bytes: at least one, of which the first one is ``begin``, and which without the last one are the beginning
    ///   of an escape.
    func read(_ bytes: [UInt8]) -> Reading {
        guard bytes.count > 1 else { return .more }
        switch self {
        case .percent: return Self.digits(bytes[1...], of: 2).map { .decoded([UInt8($0)]) } ?? Self.open(bytes, 1, 2)
        case .backslash: return Self.backslash(bytes)
        case .entity: return Self.entity(bytes)
        }
    }

    /// Whether the bytes from an index on are digits, and not all of them yet.
    private static func open(_ bytes: [UInt8], _ index: Int, _ count: Int) -> Reading {
        let digits = bytes[index...]
        return digits.count < count && digits.allSatisfy { $0.hexDigit != nil } ? .more : .none
    }

    private static func digits(_ bytes: ArraySlice<UInt8>, of count: Int) -> UInt32? {
        guard bytes.count == count else { return nil }
        var value: UInt32 = 0
        for byte in bytes {
            guard let digit = byte.hexDigit else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }

    // MARK: Backslash

    private static func backslash(_ bytes: [UInt8]) -> Reading {
        switch bytes[1] {
        case UInt8(ascii: "u"): unicode(bytes)
        case UInt8(ascii: "x"): digits(bytes[2...], of: 2).map { .decoded([UInt8($0)]) } ?? open(bytes, 2, 2)
        case UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "'"): .decoded([bytes[1]])
        case UInt8(ascii: "b"): .decoded([0x08])
        case UInt8(ascii: "f"): .decoded([0x0C])
        case UInt8(ascii: "n"): .decoded([0x0A])
        case UInt8(ascii: "r"): .decoded([0x0D])
        case UInt8(ascii: "t"): .decoded([0x09])
        default: .none
        }
    }

    /// Beyond the first plane in two halves.
    private static func unicode(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= 6 else { return open(bytes, 2, 4) }
        guard let high = digits(bytes[2..<6], of: 4) else { return .none }
        guard (0xD800...0xDBFF).contains(high) else { return scalar(high) }
        switch bytes.count {
        case 6: return .more
        case 7: return bytes[6] == UInt8(ascii: "\\") ? .more : .none
        case 8: return bytes[7] == UInt8(ascii: "u") ? .more : .none
        default:
            guard let low = digits(bytes[8...], of: 4) else { return open(bytes, 8, 4) }
            guard (0xDC00...0xDFFF).contains(low) else { return .none }
            return scalar(0x10000 + ((high - 0xD800) << 10 | (low - 0xDC00)))
        }
    }

    private static func scalar(_ value: UInt32) -> Reading {
        guard let scalar = Unicode.Scalar(value), let bytes = UTF8.encode(scalar) else { return .none }
        return .decoded(Array(bytes))
    }

    // MARK: Entities

    private static let names: [([UInt8], UInt8)] = [
        ("amp", "&"), ("lt", "<"), ("gt", ">"), ("quot", "\""), ("apos", "'"), ("sol", "/"), ("plus", "+"),
        ("equals", "="),
    ].map { (Array("&\($0);".utf8), Array($1.utf8)[0]) }

    private static func entity(_ bytes: [UInt8]) -> Reading {
        guard bytes[1] == UInt8(ascii: "#") else {
            if let (_, byte) = names.first(where: { $0.0 == bytes }) { return .decoded([byte]) }
            return names.contains { $0.0.starts(with: bytes) } ? .more : .none
        }
        guard bytes.count > 2 else { return .more }
        let isHex = bytes[2] | 0x20 == UInt8(ascii: "x")
        let digits = bytes[(isHex ? 3 : 2)...]
        guard digits.last == UInt8(ascii: ";") else {
            let areDigits = digits.allSatisfy { isHex ? $0.hexDigit != nil : (0x30...0x39).contains($0) }
            return areDigits && bytes.count < longest ? .more : .none
        }
        let text = String(decoding: digits.dropLast(), as: UTF8.self)
        return UInt32(text, radix: isHex ? 16 : 10).map(scalar) ?? .none
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        switch self {
        case 0x30...0x39: self - 0x30
        case 0x41...0x46: self - 0x41 + 10
        case 0x61...0x66: self - 0x61 + 10
        default: nil
        }
    }
}
