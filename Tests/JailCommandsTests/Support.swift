import JailCommands
import JailCore
import JailPolicy
import Testing

/// A policy from the text of `commands`.
func policy(_ text: String) throws -> CommandPolicy { CommandPolicy(try profile(text).commands) }

func profile(_ commands: String) throws -> Profile {
    let text = "{ commands: \(commands) }"
    return try ProfileLoader.decode(try JSON5Reader.read(Array(text.utf8), file: "p.json5"), name: "p", home: nil)
}

extension CommandPolicy {
    /// `allowed`, or why not, for the words of a line without quotes.
    func answer(_ line: String) -> String { answer(line.split(separator: " ").map(String.init)) }

    func answer(_ words: [String]) -> String {
        switch decide(words) {
        case .allow(let grant): "allowed by \(grant.label)"
        case .deny(let denial): "\(denial.kind): \(denial.reason)"
        }
    }

    func allows(_ line: String) -> Bool { allows(line.split(separator: " ").map(String.init)) }

    func allows(_ words: [String]) -> Bool { if case .allow = decide(words) { true } else { false } }
}
