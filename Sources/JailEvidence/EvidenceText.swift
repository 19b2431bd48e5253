package import JailCore

/// What of texts that may hold secrets is written down.
package enum EvidenceText {
    /// A command line without what its words say: the program, the names of options, and how long the rest is.
    package static func redacted(_ arguments: [String]) -> [String] {
        arguments.enumerated().map { index, word in
            if index == 0 { return word }
            let bytes = Array(word.utf8)
            guard bytes.first == UInt8(ascii: "-"), bytes.count > 1 else { return "(\(bytes.count) bytes)" }
            let end = bytes.firstIndex(of: UInt8(ascii: "=")) ?? bytes.endIndex
            let name = String(decoding: bytes[..<end], as: UTF8.self)
            // A value may stand in one word with an option's letter.
            guard isName(bytes[..<end].drop { $0 == UInt8(ascii: "-") }), bytes.starts(with: "--".utf8) || end <= 2
            else {
                return "(\(bytes.count) bytes)"
            }
            return end == bytes.endIndex ? name : "\(name)=(\(bytes.count - end - 1) bytes)"
        }
    }

    /// The names of `NAME=value`. What does not look like a name is only counted: it may be anything.
    package static func names(_ environment: [[UInt8]]) -> JSON {
        var names: [String] = []
        var others = 0
        for variable in environment {
            let name = variable.prefix { $0 != UInt8(ascii: "=") }
            if name.count < variable.count, isName(name) {
                names.append(String(decoding: name, as: UTF8.self))
            } else {
                others += 1
            }
        }
        return others == 0 ? .strings(names) : .strings(names + ["(\(others) that are no variables)"])
    }

    private static func isName(_ bytes: some Collection<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= 64
            && bytes.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
