/// Reads one JSON5 value (https://spec.json5.org) from bytes, in time linear to their number.
///
/// Stricter than the specification where a policy has to be: a key may stand only once, NUL and raw control characters
/// are no part of a string, and characters that make a text look different from what it says (text-direction controls,
/// Unicode's own line separators) must be written as escapes. Infinity and NaN are refused.
package struct JSON5Reader {
    /// Objects and lists inside one another.
    package static let depthLimit = 32
    /// Bytes of a file.
    package static let sizeLimit = 1 << 20

    let bytes: [UInt8]
    let file: String
    var index = 0
    var line = 1
    /// Where the current line begins.
    var lineStart = 0
    /// How many of the bytes since `lineStart` continue a character and so are no column.
    var continuationBytes = 0
    var depth = 0

    /// Reads the one value of a file; `file` is what errors call it.
    package static func read(_ bytes: [UInt8], file: String) throws(JSON5Error) -> JSON5Value {
        var reader = JSON5Reader(bytes: bytes, file: file)
        guard bytes.count <= sizeLimit else { throw reader.failure("longer than 1 MiB") }
        reader.skipByteOrderMark()
        try reader.skipSpace()
        let value = try reader.readValue()
        try reader.skipSpace()
        guard reader.index == bytes.count else {
            throw reader.failure("\(try reader.nextCharacter()) after the end of the value")
        }
        return value
    }

    private init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    var position: SourcePosition {
        SourcePosition(file: file, line: line, column: index - lineStart - continuationBytes + 1)
    }

    /// The byte at `index`, nil at the end.
    var next: UInt8? { index < bytes.count ? bytes[index] : nil }

    func failure(_ reason: String, at place: SourcePosition? = nil) -> JSON5Error {
        JSON5Error(position: place ?? position, reason: reason)
    }

    // MARK: Values

    private mutating func readValue() throws(JSON5Error) -> JSON5Value {
        let start = position
        guard let byte = next else { throw failure("a value is missing at the end of the file") }
        switch byte {
        case UInt8(ascii: "{"): return JSON5Value(.object(try readNested(JSON5Reader.readObject)), at: start)
        case UInt8(ascii: "["): return JSON5Value(.array(try readNested(JSON5Reader.readArray)), at: start)
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return JSON5Value(.string(try readString()), at: start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
            return JSON5Value(.number(try readNumber()), at: start)
        default: return JSON5Value(try readWord(), at: start)
        }
    }

    /// Recursion ends at the depth limit, so that no file can exhaust the stack.
    private mutating func readNested<Result>(
        _ read: (inout JSON5Reader) throws(JSON5Error) -> Result
    ) throws(JSON5Error) -> Result {
        guard depth < Self.depthLimit else { throw failure("more than \(Self.depthLimit) levels of nesting") }
        depth += 1
        let result = try read(&self)
        depth -= 1
        return result
    }

    private static func readArray(_ reader: inout JSON5Reader) throws(JSON5Error) -> [JSON5Value] {
        let opening = reader.position
        var values: [JSON5Value] = []
        reader.index += 1
        while true {
            try reader.skipSpace()
            guard let byte = reader.next else { throw reader.failure("this '[' is never closed", at: opening) }
            if byte == UInt8(ascii: "]") { break }
            values.append(try reader.readValue())
            guard try reader.readSeparator(before: "]", opening) else { break }
        }
        reader.index += 1
        return values
    }

    private static func readObject(_ reader: inout JSON5Reader) throws(JSON5Error) -> [JSON5Member] {
        let opening = reader.position
        var members: [JSON5Member] = []
        var keys = KeySet()
        reader.index += 1
        while true {
            try reader.skipSpace()
            guard let byte = reader.next else { throw reader.failure("this '{' is never closed", at: opening) }
            if byte == UInt8(ascii: "}") { break }
            let place = reader.position
            let key = try reader.readKey()
            if let first = keys.insert(key, at: members.count) {
                let earlier = members[first].keyPosition
                throw reader.failure(
                    "duplicate key '\(key.excerpt)', first on line \(earlier.line)", at: place)
            }
            try reader.skipSpace()
            guard reader.next == UInt8(ascii: ":") else {
                throw reader.failure("':' expected after the key '\(key.excerpt)'")
            }
            reader.index += 1
            try reader.skipSpace()
            members.append(JSON5Member(key: key, keyPosition: place, value: try reader.readValue()))
            guard try reader.readSeparator(before: "}", opening) else { break }
        }
        reader.index += 1
        return members
    }

    /// Goes past a comma and says true, or stays at the closing bracket and says false.
    private mutating func readSeparator(
        before bracket: Unicode.Scalar, _ opening: SourcePosition
    ) throws(JSON5Error) -> Bool {
        try skipSpace()
        switch next {
        case UInt8(ascii: ","):
            index += 1
            return true
        case UInt8(ascii: bracket): return false
        case nil: throw failure("this '\(bracket == "]" ? "[" : "{")' is never closed", at: opening)
        default: throw failure("',' or '\(bracket)' expected, not \(try nextCharacter())")
        }
    }

    private mutating func readKey() throws(JSON5Error) -> String {
        switch next {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): try readString()
        default: try readIdentifier()
        }
    }

    /// `true`, `false` or `null`, or an error that says what a bare word lacks.
    private mutating func readWord() throws(JSON5Error) -> JSON5Value.Content {
        let start = index
        let place = position
        while let byte = next, byte.isIdentifierPart { index += 1 }
        let word = String(decoding: bytes[start..<index], as: UTF8.self)
        switch word {
        case "true": return .boolean(true)
        case "false": return .boolean(false)
        case "null": return .null
        case "Infinity", "NaN": throw failure("\(word) is no value here", at: place)
        case "": throw failure("a value expected, not \(try nextCharacter())")
        default: throw failure("'\(word.excerpt)' is no value; a text needs quotes", at: place)
        }
    }
}

/// The keys of one object. A few are compared one by one, many are hashed, so that a hostile file costs linear time.
private struct KeySet {
    private var few: [String] = []
    private var many: [String: Int] = [:]

    /// Where the key was already, or nil.
    mutating func insert(_ key: String, at index: Int) -> Int? {
        if few.count < 16 {
            if let first = few.firstIndex(of: key) { return first }
            few.append(key)
            if few.count == 16 { for (index, key) in few.enumerated() { many[key] = index } }
            return nil
        }
        if let first = many[key] { return first }
        many[key] = index
        return nil
    }
}
