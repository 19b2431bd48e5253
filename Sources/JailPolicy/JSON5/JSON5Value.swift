/// Where a value or a key stands. Line and column count from 1; a column is one Unicode character, a tab included.
package struct SourcePosition: Hashable, Sendable, CustomStringConvertible {
    /// As errors name the file.
    package let file: String
    package let line: Int
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    package var description: String { "\(file):\(line):\(column)" }
}

/// A value of a JSON5 file, with its place in it.
package struct JSON5Value: Sendable {
    package indirect enum Content: Sendable {
        case null
        case boolean(Bool)
        case number(JSON5Number)
        case string(String)
        case array([JSON5Value])
        /// In the order of the file, every key once.
        case object([JSON5Member])
    }

    package var content: Content
    package var position: SourcePosition

    package init(_ content: Content, at position: SourcePosition) {
        self.content = content
        self.position = position
    }

    /// What an error calls a value of this kind.
    package var kind: String {
        switch content {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The value of a key of an object; nil for every other kind.
    package subscript(_ key: String) -> JSON5Value? {
        guard case .object(let members) = content else { return nil }
        return members.first { $0.key == key }?.value
    }
}

package struct JSON5Member: Sendable {
    package var key: String
    package var keyPosition: SourcePosition
    package var value: JSON5Value
}

/// A number as it was written. Nothing here rounds: a reader that wants a fraction parses the text.
package struct JSON5Number: Hashable, Sendable {
    package let text: String
    /// The value of a decimal or hexadecimal literal without point and exponent, if it fits.
    package let integer: Int64?
}

/// Why a text is no JSON5 that clawjail takes.
package struct JSON5Error: Error, Sendable, CustomStringConvertible {
    package let position: SourcePosition
    package let reason: String

    package var description: String { "\(position): \(reason)" }
}

extension JSON5Value {
    /// Whether both say the same, wherever they stand. Strings are compared byte by byte: Swift's `==` takes two
    /// spellings of `é` for one, which are two paths for the kernel.
    package func says(sameAs other: JSON5Value) -> Bool {
        switch (content, other.content) {
        case (.null, .null): true
        case (.boolean(let a), .boolean(let b)): a == b
        case (.number(let a), .number(let b)): a == b
        case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
        case (.array(let a), .array(let b)):
            a.count == b.count && zip(a, b).allSatisfy { $0.says(sameAs: $1) }
        case (.object(let a), .object(let b)):
            a.count == b.count
                && a.allSatisfy { member in other[member.key].map { member.value.says(sameAs: $0) } ?? false }
        default: false
        }
    }
}
