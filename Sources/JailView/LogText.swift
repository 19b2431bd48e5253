/// What a jail has printed, on its way to a terminal: control characters and what is no text are written out, so that
/// nothing inside moves the cursor, changes a title or types.
package struct LogText {
    /// The beginning of a character whose rest has not come.
    private var pending: [UInt8] = []

    package init() {}

    /// Lines and tabs stay; a carriage return before the end of a line is the end of the line.
    ///
    /// - Parameter isLast: nothing comes after this.
    package mutating func escape(_ bytes: [UInt8], isLast: Bool = false) -> String {
        let all = pending + bytes
        pending = isLast ? [] : Array(all.suffix(Self.incomplete(all)))
        var result = ""
        var rest = all.prefix(all.count - pending.count)
        while let first = rest.first {
            if first < 0x80 {
                Self.add(first, next: rest.dropFirst().first, to: &result)
                rest = rest.dropFirst()
                continue
            }
            let length = Self.length(first)
            if length > 1, let text = String(validating: rest.prefix(length), as: UTF8.self),
                let scalar = text.unicodeScalars.first, text.unicodeScalars.count == 1
            {
                result += Self.isHarmless(scalar) ? text : "\\u{\(String(scalar.value, radix: 16))}"
                rest = rest.dropFirst(length)
            } else {
                result += Self.hexadecimal(first)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static func add(_ byte: UInt8, next: UInt8?, to result: inout String) {
        switch byte {
        case 0x0D where next == 0x0A: break
        case 0x0A, 0x09, 0x20..<0x7F: result.unicodeScalars.append(Unicode.Scalar(byte))
        default: result += hexadecimal(byte)
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }

    /// C1 controls, and what turns the direction of the text around it.
    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x80..<0xA0, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: false
        default: true
        }
    }

    /// Of the character that begins with this byte; 1 if none does.
    private static func length(_ byte: UInt8) -> Int {
        switch byte {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
    }

    /// How many bytes at the end may be the beginning of a character, or of the end of a line.
    private static func incomplete(_ bytes: [UInt8]) -> Int {
        if bytes.last == 0x0D { return 1 }
        for count in 1...3 where count <= bytes.count {
            let byte = bytes[bytes.count - count]
            if byte & 0xC0 == 0x80 { continue }
            return length(byte) > count ? count : 0
        }
        return 0
    }
}
