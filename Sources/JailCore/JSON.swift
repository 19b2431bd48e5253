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
    package func text(pretty: Bool = false) -> String {
        var output = ""
        write(to: &output, indentation: pretty ? 0 : nil)
        return output
    }

    private func write(to output: inout String, indentation: Int?) {
        switch self {
        case .null: output += "null"
        case .boolean(let value): output += value ? "true" : "false"
        case .integer(let value): output += String(value)
        case .string(let value): Self.quote(value, into: &output)
        case .array(let values):
            Self.list(values, "[", "]", to: &output, indentation) { value, output, inner in
                value.write(to: &output, indentation: inner)
            }
        case .object(let members):
            Self.list(members, "{", "}", to: &output, indentation) { member, output, inner in
                Self.quote(member.0, into: &output)
                output += inner == nil ? ":" : ": "
                member.1.write(to: &output, indentation: inner)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ open: String, _ close: String, to output: inout String, _ indentation: Int?,
        _ writeElement: (Element, inout String, Int?) -> Void
    ) {
        output += open
        let inner = indentation.map { $0 + 1 }
        for (index, element) in elements.enumerated() {
            if index > 0 { output += "," }
            if let inner { output += "\n" + String(repeating: "  ", count: inner) }
            writeElement(element, &output, inner)
        }
        if let indentation, !elements.isEmpty { output += "\n" + String(repeating: "  ", count: indentation) }
        output += close
    }

    private static func quote(_ text: String, into output: inout String) {
        output += "\""
        // Nearly all of them: nothing to be written in another way.
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }) {
            output += text
            output += "\""
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: output += "\\\""
            case 0x5C: output += "\\\\"
            case 0x0A: output += "\\n"
            case 0x0D: output += "\\r"
            case 0x09: output += "\\t"
            // Control characters, and those that change how the text around them is shown.
            case 0..<0x20, 0x7F..<0xA0, 0x2028...0x202E, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: output.unicodeScalars.append(scalar)
            }
        }
        output += "\""
    }
}
