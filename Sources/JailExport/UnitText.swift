internal import JailCore

/// The text of a unit, see systemd.syntax(7).
struct UnitText {
    private(set) var text = ""

    mutating func section(_ name: String) { text += (text.isEmpty ? "" : "\n") + "[\(name)]\n" }

    mutating func set(_ name: String, _ value: String) { text += "\(name)=\(value)\n" }

    /// For the reader, a line each.
    mutating func comment(_ lines: String...) { for line in lines { text += "# \(line)\n" } }

    mutating func space() { text += "\n" }

    /// A word of a command line: nothing in it is a blank, a quote, a specifier or a variable to systemd.
    ///
    /// - Parameter isProgram: the first one, in which variables are not looked for, and a dollar sign stands for itself.
    static func quoted(_ word: String, isProgram: Bool = false) -> String {
        var result = ""
        var isPlain = !word.isEmpty
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "%"): result += "%%"
            case UInt8(ascii: "$"): result += isProgram ? "$" : "$$"
            case UInt8(ascii: "\\"), UInt8(ascii: "\""):
                isPlain = false
                result += "\\" + String(Unicode.Scalar(byte))
            case 0x21...0x7E:
                if [0x27, 0x3B].contains(byte) { isPlain = false }
                result += String(Unicode.Scalar(byte))
            case 0x20:
                isPlain = false
                result += " "
            default:
                isPlain = false
                result += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return isPlain ? result : "\"\(result)\""
    }

    /// A path in a list of paths: no blank ends it, no specifier is in it. Such lists know neither the escapes of a command
    /// line nor its variables: all but quotes and backslashes stands for itself.
    ///
    /// - Throws: if it has a line break or the like in it.
    static func listed(_ path: String) throws(JailError) -> String {
        try check(path)
        var result = ""
        for character in specifiersEscaped(path).unicodeScalars {
            if character == "\\" || character == "\"" { result += "\\" }
            result.unicodeScalars.append(character)
        }
        return result.unicodeScalars.contains { " \\\"';".unicodeScalars.contains($0) } ? "\"\(result)\"" : result
    }

    /// A path that is the rest of its line: nothing but a specifier means anything there.
    ///
    /// - Throws: also if its end would be taken for the blank before the end of the line, or would join the next line to it.
    static func last(_ path: String) throws(JailError) -> String {
        try check(path)
        guard path.utf8.last != UInt8(ascii: " "), path.utf8.last != UInt8(ascii: "\\") else { throw refusal(path) }
        return specifiersEscaped(path)
    }

    private static func specifiersEscaped(_ path: String) -> String {
        path.unicodeScalars.reduce(into: "") { $0 += $1 == "%" ? "%%" : String($1) }
    }

    private static func check(_ path: String) throws(JailError) {
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else { throw refusal(path) }
    }

    private static func refusal(_ path: String) -> JailError {
        JailError(.plan, path: path, reason: "a unit of systemd cannot name this path", hint: "rename it")
    }

    /// Of milliseconds, rounded up.
    static func seconds(_ milliseconds: UInt64) -> String { "\((milliseconds + 999) / 1000)s" }
}
