internal import JailCore

/// A call of a command that a person is asked about: a yes is for exactly these words, in exactly this place.
package struct AskedCommand: Sendable {
    /// Absolute, where it runs: what the profile names, and not what the caller does.
    package let program: String
    /// As the program gets them, its name first.
    package let words: [String]
    /// For people: `in the jail`, `in a jail of its own, with profile 'builds'`, `on the host, as 'logs'`.
    package let place: String

    package init(program: String, words: [String], place: String) {
        self.program = program
        self.words = words
        self.place = place
    }

    /// Not as a shell has it: what the words are is what is decided about.
    var text: String { JSON.strings(words).text().printable + " " + place.printable }

    var members: [(String, JSON)] {
        [
            ("program", .string(program)), ("arguments", .strings(Array(words.dropFirst()))),
            ("place", .string(place)),
        ]
    }
}

/// By their bytes: to a program two spellings of one character are two words.
extension AskedCommand: Hashable {
    package static func == (one: AskedCommand, other: AskedCommand) -> Bool { one.bytes == other.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    private var bytes: [[UInt8]] { ([program, place] + words).map { Array($0.utf8) } }
}
