internal import JailCore

/// One value of a profile on its way into the model: where it stands, what it is called, and strict readers for it.
///
/// Every error names file, line, column and the key's whole path.
package struct Field: Sendable {
    let value: JSON5Value
    /// The path of keys, such as `limits.memory`; empty for the profile as a whole.
    let path: String
    /// What `~` stands for; nil if the caller has no home directory.
    let home: String?

    /// Elements of a list and keys of an object, after merging.
    static let countLimit = 1000

    // MARK: Errors

    func refusal(_ reason: String, hint: String? = nil) -> JailError {
        let subject = path.isEmpty ? "the profile" : "'\(path)'"
        return JailError(
            .profile, operation: value.position.description.printable, reason: "\(subject) \(reason)", hint: hint)
    }

    func wrongKind(_ expected: String) -> JailError {
        refusal("must be \(expected), not \(value.kind)")
    }

    /// Runs a value's parser, and says where the value stands if it is refused.
    func checked<Result>(_ body: () throws(ValueError) -> Result) throws(JailError) -> Result {
        do throws(ValueError) {
            return try body()
        } catch {
            throw refusal(error.reason, hint: error.hint)
        }
    }

    // MARK: Scalars

    func string(_ expected: String = "a string") throws(JailError) -> String {
        guard case .string(let text) = value.content else { throw wrongKind(expected) }
        return text
    }

    func parsed<Result>(
        as expected: String = "a string", _ parse: (String) throws(ValueError) -> Result
    ) throws(JailError) -> Result {
        let text = try string(expected)
        return try checked { () throws(ValueError) in try parse(text) }
    }

    /// A string that a check lets pass.
    func name(_ check: (String) throws(ValueError) -> Void) throws(JailError) -> String {
        try parsed { (text) throws(ValueError) in
            try check(text)
            return text
        }
    }

    func boolean() throws(JailError) -> Bool {
        guard case .boolean(let value) = value.content else { throw wrongKind("true or false") }
        return value
    }

    func integer(_ range: ClosedRange<UInt64>) throws(JailError) -> UInt64 {
        guard case .number(let number) = value.content else { throw wrongKind("a whole number") }
        guard let integer = number.integer, let result = UInt64(exactly: integer), range.contains(result) else {
            throw refusal(
                "must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(number.text.excerpt)")
        }
        return result
    }

    /// In bytes.
    func size(_ range: ClosedRange<UInt64> = 0...UInt64(Int64.max)) throws(JailError) -> UInt64 {
        let bytes = try parsed(as: "a size such as \"512M\"", ByteSize.parse)
        guard range.contains(bytes) else {
            throw refusal(
                "must be at least \"\(ByteSize.format(range.lowerBound))\", not \"\(ByteSize.format(bytes))\"")
        }
        return bytes
    }

    func oneOf<Choice: RawRepresentable<String> & CaseIterable>(_ type: Choice.Type) throws(JailError) -> Choice {
        let choices = type.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        let text = try string("one of \(choices)")
        guard let choice = Choice(rawValue: text) else {
            let nearest = NearestName.find(text, among: type.allCases.map(\.rawValue))
            throw refusal(
                "must be one of \(choices), not \"\(text.excerpt)\"", hint: nearest.map { "did you mean \"\($0)\"?" })
        }
        return choice
    }

    // MARK: Lists and objects

    /// The elements of a list, called `path[0]` and so on.
    func elements() throws(JailError) -> [Field] {
        guard case .array(let values) = value.content else { throw wrongKind("a list") }
        guard values.count <= Self.countLimit else {
            throw refusal("must have at most \(Self.countLimit) elements, not \(values.count)")
        }
        return values.enumerated().map { Field(value: $1, path: "\(path)[\($0)]", home: home) }
    }

    func list<Element>(_ read: (Field) throws(JailError) -> Element) throws(JailError) -> [Element] {
        var result: [Element] = []
        for element in try elements() { result.append(try read(element)) }
        return result
    }

    /// A list that says something.
    func filledList<Element>(_ read: (Field) throws(JailError) -> Element) throws(JailError) -> [Element] {
        let result = try list(read)
        guard !result.isEmpty else { throw refusal("must not be empty") }
        return result
    }

    /// The keys of an object with their values.
    func members() throws(JailError) -> [JSON5Member] {
        guard case .object(let members) = value.content else { throw wrongKind("an object") }
        guard members.count <= Self.countLimit else {
            throw refusal("must have at most \(Self.countLimit) keys, not \(members.count)")
        }
        return members
    }

    func member(_ key: String, _ value: JSON5Value) -> Field {
        Field(value: value, path: path.isEmpty ? key : "\(path).\(key)", home: home)
    }
}
