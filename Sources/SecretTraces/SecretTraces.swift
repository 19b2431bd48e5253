/// Values that are to be recognised wherever they turn up, in all their spellings. Made once, and used by many at a time.
///
/// It holds the values for as long as it lives, as a tree of single bytes.
package final class SecretTraces: Sendable {
    package struct Secret: Sendable {
        package var name: String
        package var value: [UInt8]

        package init(name: String, value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// Why a value cannot be looked for.
    package enum Refusal: Error, Equatable, CustomStringConvertible {
        /// It would be found in texts that have nothing to do with it.
        case tooShort(name: String)
        case tooLong(name: String)

        package var description: String {
            switch self {
            case .tooShort(let name): "the secret '\(name)' has fewer than \(SecretTraces.shortest) bytes"
            case .tooLong(let name): "the secret '\(name)' has more than \(SecretTraces.longest) bytes"
            }
        }
    }

    /// Of a value, in bytes.
    package static let shortest = 8
    package static let longest = 16 << 10

    let names: [String]
    let automaton: TraceAutomaton
    /// Whether a text, or an escape, begins with a byte.
    let isBeginning: [Bool]
    let isEscape: [Bool]

    /// - Parameter ignoringCase: for texts that have lost it, and that are given in small letters.
    package init(_ secrets: [Secret], ignoringCase: Bool = false) throws(Refusal) {
        var texts: [(text: [UInt8], owner: Int)] = []
        for (index, secret) in secrets.enumerated() {
            guard secret.value.count >= Self.shortest else { throw .tooShort(name: secret.name) }
            guard secret.value.count <= Self.longest else { throw .tooLong(name: secret.name) }
            let spellings = ignoringCase ? Spellings.folded(of: secret.value) : Spellings.all(of: secret.value)
            texts += spellings.map { ($0, index) }
        }
        let automaton = TraceAutomaton(texts)
        let escapes = (0...UInt8.max).map { byte in EscapeStyle.allCases.contains { $0.begin == byte } }
        names = secrets.map(\.name)
        self.automaton = automaton
        isEscape = escapes
        isBeginning = (0...UInt8.max).map { escapes[Int($0)] || automaton.begins(with: $0) }
    }

    /// Bytes that are ever held back: the longest spelling, if all of it were escapes.
    package var mostHeld: Int { (automaton.longest + 1) * EscapeStyle.longest }

    func names(_ owners: Set<Int>) -> [String] { owners.sorted().map { names[$0] } }
}
