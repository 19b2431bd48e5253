/// A request target in its one form: what is matched is what is sent.
package struct CanonicalPath: Hashable, Sendable {
    /// Starts with `/`; without the query.
    package let path: String
    /// Without the `?`; nil: none.
    package let query: String?

    /// Of an origin-form target (RFC 9112, 3.2.1), as the bytes came.
    ///
    /// In the path, percent-encoded unreserved characters are decoded, all other encodings are in upper case, printable
    /// characters that no URL has are encoded, and dot segments are resolved. Refused is what servers are known to read
    /// in different ways: `;`, `\`, `%2F`, `%5C`, `%3B`, an encoding within an encoding, `..` above the root, control
    /// characters and spaces, raw or encoded NULs, bytes that are no UTF-8, and percent signs without two digits.
    /// Repeated slashes stay as they are (see ``PathPattern``). The query is checked only: printable ASCII with
    /// well-formed percent signs.
    package init?(target bytes: some Collection<UInt8>) {
        guard bytes.first == UInt8(ascii: "/") else { return nil }
        let mark = bytes.firstIndex(of: UInt8(ascii: "?"))
        guard let normal = Self.normalize(Array(bytes[..<(mark ?? bytes.endIndex)])),
            let resolved = Self.resolveDots(normal)
        else { return nil }
        if let mark {
            let query = bytes[bytes.index(after: mark)...]
            guard Self.isQuery(Array(query)) else { return nil }
            self.query = String(decoding: query, as: UTF8.self)
        } else {
            query = nil
        }
        path = String(decoding: resolved, as: UTF8.self)
    }

    package init?(target: String) { self.init(target: Array(target.utf8)) }

    /// What goes upstream.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }

    // MARK: Characters

    private static let percent = UInt8(ascii: "%")
    private static let upperDigits = Array("0123456789ABCDEF".utf8)

    private static func normalize(_ bytes: [UInt8]) -> [UInt8]? {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        // What the encodings stand for, to be looked at as a whole.
        var decoded: [UInt8] = []
        var index = 0
        while index < bytes.count {
            var byte = bytes[index]
            let isEncoded = byte == percent
            if isEncoded {
                guard let value = encodedByte(bytes, at: index), isAcceptable(encoded: value) else {
                    return nil
                }
                byte = value
            } else if !isAcceptable(raw: byte) {
                return nil
            }
            index += isEncoded ? 3 : 1
            decoded.append(byte)
            if isUnreserved(byte) || (!isEncoded && isReserved(byte)) {
                output.append(byte)
            } else {
                output += [percent, upperDigits[Int(byte >> 4)], upperDigits[Int(byte & 15)]]
            }
        }
        // Overlong forms and lone bytes are read as other characters by some (RFC 3629, 10).
        guard String(validating: decoded, as: UTF8.self) != nil, !hasDoubleEncoding(output) else { return nil }
        return output
    }

    /// `%2541` is `%41` for who decodes once, and `A` for who decodes twice. Asked of what would be sent: the digits may
    /// have been encoded themselves.
    private static func hasDoubleEncoding(_ bytes: [UInt8]) -> Bool {
        bytes.indices.dropLast(4).contains { index in
            bytes[index] == percent && bytes[index + 1] == UInt8(ascii: "2") && bytes[index + 2] == UInt8(ascii: "5")
                && bytes[index + 3].isHexDigit && bytes[index + 4].isHexDigit
        }
    }

    private static func encodedByte(_ bytes: [UInt8], at index: Int) -> UInt8? {
        guard index + 2 < bytes.count, let high = bytes[index + 1].hexValue, let low = bytes[index + 2].hexValue else {
            return nil
        }
        return high << 4 | low
    }

    private static func isAcceptable(encoded byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: ";"): false
        case 0..<0x20, 0x7F: false
        default: true
        }
    }

    private static func isAcceptable(raw byte: UInt8) -> Bool {
        (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: ";")
            && byte != UInt8(ascii: "#")
    }

    /// RFC 3986, 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool { Name.isWord(byte) || "-.~".utf8.contains(byte) }

    /// What may stand in a path by itself and means something else than its encoding (RFC 3986, 3.3).
    private static func isReserved(_ byte: UInt8) -> Bool { "/!$&'()*+,=:@".utf8.contains(byte) }

    private static func isQuery(_ bytes: [UInt8]) -> Bool {
        bytes.indices.allSatisfy { index in
            (0x21...0x7E).contains(bytes[index]) && bytes[index] != UInt8(ascii: "#")
                && (bytes[index] != percent || encodedByte(bytes, at: index) != nil)
        }
    }

    // MARK: Segments

    /// RFC 3986, 5.2.4, except that nothing is above the root.
    private static func resolveDots(_ path: [UInt8]) -> [UInt8]? {
        var segments: [ArraySlice<UInt8>] = []
        let parts = path.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            if part.elementsEqual("..".utf8) {
                guard segments.popLast() != nil else { return nil }
                if isLast { segments.append([]) }
            } else if part.elementsEqual(".".utf8) {
                if isLast { segments.append([]) }
            } else {
                segments.append(part)
            }
        }
        return [UInt8(ascii: "/")] + segments.joined(separator: [UInt8(ascii: "/")])
    }
}
