/// The text of a unit, see systemd.syntax(7).
struct UnitText {
    private(set) var text = ""

    mutating func section(_ name: String) { text += (text.isEmpty ? "" : "\n") + "[\(name)]\n" }

    mutating func set(_ name: String, _ value: String) { text += "\(name)=\(value)\n" }

    /// For the reader, a line each.
    mutating func comment(_ lines: String...) { for line in lines { text += "# \(line)\n" } }

    mutating func space() { text += "\n" }

    /// A word of a command line: nothing in it is a blank, a quote, a specifier or a variable to systemd.
    static func quoted(_ word: String) -> String {
        var result = ""
        var isPlain = !word.isEmpty
        for byte in word.utf8 {
            switch byte {
            case UInt8(ascii: "%"): result += "%%"
            case UInt8(ascii: "$"): result += "$$"
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

    /// A path in a list of paths: no blank ends it, no specifier is in it.
    static func path(_ path: String) -> String { quoted(path) }

    /// Of milliseconds, rounded up.
    static func seconds(_ milliseconds: UInt64) -> String { "\((milliseconds + 999) / 1000)s" }
}
