internal import JailCore
package import JailPolicy

/// A profile that `suggest` writes and writes anew: what it extends, and what was granted on which evidence. Pure data.
package struct SuggestedProfile: Equatable, Sendable {
    /// One permission more.
    package struct Grant: Equatable, Sendable {
        package var change: ProfileChange
        /// When and on which evidence: one line of printable ASCII.
        package var comment: String
    }

    package let parent: String
    package private(set) var grants: [Grant] = []

    package init(extending parent: String) { self.parent = parent }

    /// Adds to a list, and replaces what is one value.
    ///
    /// - Parameter date: such as `2026-11-30`.
    package mutating func add(_ suggestion: Suggestion, on date: String) {
        add(Grant(change: suggestion.change, comment: Self.comment(suggestion, date)))
    }

    mutating func add(_ grant: Grant) {
        let index = grants.firstIndex { other in
            other.change.key == grant.change.key
                && (!grant.change.isElement || other.change.value == grant.change.value)
        }
        if let index { grants[index] = grant } else { grants.append(grant) }
    }

    private static func comment(_ suggestion: Suggestion, _ date: String) -> String {
        let warning = suggestion.advisedAgainst.map { "; against the advice: \($0)" } ?? ""
        return commentText("\(date): \(suggestion.evidence.text)\(warning)")
    }

    /// Bytes of a comment.
    private static let longest = 400

    /// What a program asked for stands in it: nothing may end the line, or be taken for something else.
    private static func commentText(_ text: String) -> String {
        let plain = String(
            String.UnicodeScalarView(text.unicodeScalars.map { (0x20...0x7E).contains($0.value) ? $0 : "?" }))
        let cut = String(plain.prefix(longest))
        return String(cut.reversed().drop { $0 == " " }.reversed())
    }

    // MARK: Writing

    /// The first line: whoever wants to keep a file from being rewritten changes it.
    static let mark = "// Made by 'clawjail profile suggest', which adds to it. Once it is edited, it is left alone."

    /// Lists get elements; everything else is one value. In the order in which they are written.
    static let keys: [(section: String, names: [(name: String, isList: Bool)])] = [
        ("process", [("programs", true), ("systemCalls", true)]),
        (
            "filesystem",
            [
                ("read", true), ("write", true), ("tmp", false), ("sharedMemory", false), ("home", false),
                ("data", false), ("workspace", false), ("executeWritable", false),
            ]
        ),
        ("network", [("listen", true), ("allow", true)]),
        (
            "limits",
            [("memory", false), ("processes", false), ("cpus", false), ("openFiles", false), ("fileSize", false)]
        ),
    ]

    package var text: String {
        var lines = [
            Self.mark, "{", "  description: \(JSON.string(description).text()),",
            "  extends: \(JSON.string(parent).text()),",
        ]
        for (section, names) in Self.keys {
            let own = names.flatMap { name, isList in self.lines(of: "\(section).\(name)", name, isList) }
            if !own.isEmpty { lines += ["", "  \(section): {"] + own + ["  },"] }
        }
        return (lines + ["}"]).map { $0 + "\n" }.joined()
    }

    private var description: String { "\(parent), and what was seen to be missing" }

    private func lines(of key: String, _ name: String, _ isList: Bool) -> [String] {
        let own = grants.filter { $0.change.key == key }
        if own.isEmpty { return [] }
        if !isList { return own.flatMap { ["    // \($0.comment)", "    \(name): \($0.change.value),"] } }
        return ["    \(name): ["]
            + own.flatMap { ["      // \($0.comment)", "      \($0.change.value),"] } + ["    ],"]
    }
}
