/// A JSON value to be written. Objects keep the order they are given in, so that output is stable.
package indirect enum JSON: Sendable, ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    case null
    case boolean(Bool)
    case integer(Int64)
    case string(String)
    case array([JSON])
    case object([(String, JSON)])

    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .boolean(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(elements) }

    package static func number(_ value: some BinaryInteger) -> JSON { .integer(Int64(clamping: value)) }
    package static func optional(_ value: String?) -> JSON { value.map { .string($0) } ?? .null }
    package static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    /// On one line, or with two spaces of indentation for each level.
    package func text(pretty: Bool = false) -> String { String(decoding: bytes(pretty: pretty), as: UTF8.self) }

    /// The same in UTF-8: what is written many times a second is made without strings in between.
    package func bytes(pretty: Bool = false) -> [UInt8] {
        var output: [UInt8] = []
        // Most are shorter, and grow only once.
        output.reserveCapacity(512)
        write(to: &output, indentation: pretty ? 0 : nil)
        return output
    }

    private func write(to output: inout [UInt8], indentation: Int?) {
        switch self {
        case .null: output += "null".utf8
        case .boolean(let value): output += (value ? "true" : "false").utf8
        case .integer(let value): output += String(value).utf8
        case .string(let value): Self.quote(value, into: &output)
        case .array(let values):
            Self.list(values, "[", "]", to: &output, indentation) { value, output, inner in
                value.write(to: &output, indentation: inner)
            }
        case .object(let members):
            Self.list(members, "{", "}", to: &output, indentation) { member, output, inner in
                Self.quote(member.0, into: &output)
                output += (inner == nil ? ":" : ": ").utf8
                member.1.write(to: &output, indentation: inner)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: Unicode.Scalar, _ close: Unicode.Scalar, to output: inout [UInt8],
        _ indentation: Int?, _ writeElement: (Element, inout [UInt8], Int?) -> Void
    ) {
        output.append(UInt8(ascii: open))
        let inner = indentation.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            if let inner { breakLine(inner, in: &output) }
            writeElement(element, &output, inner)
        }
        if let indentation, !elements.isEmpty { breakLine(indentation, in: &output) }
        output.append(UInt8(ascii: close))
    }

    private static func breakLine(_ indentation: Int, in output: inout [UInt8]) {
        output.append(0x0A)
        output += repeatElement(0x20, count: 2 * indentation)
    }

    private static func quote(_ text: String, into output: inout [UInt8]) {
        output.append(0x22)
        let start = output.count
        output += text.utf8
        // Nearly all of them: nothing to be written in another way.
        if !output[start...].allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
            output.removeSubrange(start...)
            escape(text, into: &output)
        }
        output.append(0x22)
    }

    private static func escape(_ text: String, into output: inout [UInt8]) {
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: output += "\\\"".utf8
            case 0x5C: output += "\\\\".utf8
            case 0x0A: output += "\\n".utf8
            case 0x0D: output += "\\r".utf8
            case 0x09: output += "\\t".utf8
            // Control characters, and those that change how the text around them is shown.
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                output += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
            default: output += UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter
            }
        }
    }
}
