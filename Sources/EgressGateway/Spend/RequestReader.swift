internal import JailPolicy

/// Finds in a request's body what it can cost at most. Hostile input: what could be read in two ways is refused, and where
/// something is said more than once the worst counts.
struct RequestReader: JSONReceiver {
    /// Tokens that a provider adds around what it is sent: instructions for tools, marks of messages.
    static let added: UInt64 = 4096

    private let format: MeteredFormat
    private let fields: Set<String>
    /// Keys on the way to where the reader is, in lower case below the first; nil in an array.
    private var path: [String?] = []
    private var key: String?
    private var seen: Set<String> = []

    private(set) var model: String?
    private(set) var maxOutput: UInt64?
    private var thinking: UInt64 = 0
    private(set) var answers: UInt64 = 1
    /// All that it brings in is text that stands in it.
    private(set) var isPlain = true
    private(set) var caches = false

    /// - Parameter more: fields besides the known ones, see ``SpendRules/fields``.
    init(_ format: MeteredFormat, more: [String]) {
        self.format = format
        fields = format.fields.union(more)
    }

    mutating func take(_ event: JSONEvent) throws(JSONStreamError) {
        switch event {
        case .beginObject, .beginArray:
            guard !path.isEmpty || event == .beginObject else { throw JSONStreamError(reason: "it is no object") }
            try begin()
            path.append(key)
            key = nil
        case .end:
            path.removeLast()
            key = nil
        case .key(let text): try take(key: text)
        case .string(let text): try take(string: text)
        case .number(let text): try take(number: text)
        case .boolean, .null:
            guard !path.isEmpty else { throw JSONStreamError(reason: "it is no object") }
            if event != .null { try begin() }
            key = path.count == 1 ? nil : key
        }
    }

    /// The field of the request that the reader is in.
    private var field: String? { path.count == 1 ? key : path.count > 1 ? path[1] : nil }
    /// Its value is the next one.
    private var isAtField: Bool { path.count == 1 }

    private mutating func take(key text: JSONText) throws(JSONStreamError) {
        // Servers differ about letter case; nothing depends on a key that they could take for another one.
        guard path.count == 1 else {
            let lower = Self.lower(text.text)
            if lower == "cache_control" { caches = true }
            key = text.isCut ? nil : lower
            return
        }
        guard !text.isCut, fields.contains(text.text) else {
            // A name that a profile cannot have is in no remedy.
            let isName =
                !text.isCut
                && text.text.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x5F || (0x61...0x7A).contains($0) }
            throw JSONStreamError(
                reason: "the field '\(text.text.excerpt)', which may change what it costs",
                remedy: isName ? "spend: { fields: [\"\(text.text)\"] }" : nil)
        }
        guard seen.insert(text.text).inserted else {
            throw JSONStreamError(reason: "the field '\(text.text.excerpt)' twice")
        }
        key = text.text
    }

    /// A value that is no text and no number, where only those have a meaning.
    private mutating func begin() throws(JSONStreamError) {
        guard isAtField, let key else { return }
        if key == "cache_control" { caches = true }
        if MeteredFormat.remote.contains(key) { isPlain = false }
        let isScalar = key == "model" || key == "n" || format.outputFields.contains(key)
        if isScalar || MeteredFormat.usual[key] != nil { throw JSONStreamError(reason: "'\(key)' of another kind") }
    }

    private mutating func take(string text: JSONText) throws(JSONStreamError) {
        guard !path.isEmpty else { throw JSONStreamError(reason: "it is no object") }
        if isAtField, let key {
            if key == "model" {
                guard !text.isCut else { throw JSONStreamError(reason: "a long name of a model") }
                model = text.text
            } else if let usual = MeteredFormat.usual[key] {
                guard !text.isCut, usual.contains(text.text) else {
                    throw JSONStreamError(reason: "\(key) \"\(text.text.excerpt)\", which may have another price")
                }
            } else {
                try begin()
            }
        } else if key == "type" {
            try take(type: text.isCut ? "" : text.text)
        }
    }

    private mutating func take(type: String) throws(JSONStreamError) {
        switch field {
        case "tools" where path.count == 3:
            guard MeteredFormat.isLocal(tool: type) else {
                throw JSONStreamError(reason: "the tool \"\(type.excerpt)\", which runs at the provider")
            }
        case "context_management":
            guard type.hasPrefix("clear_") else {
                throw JSONStreamError(reason: "\"\(type.excerpt)\", which is a request of its own")
            }
        // Schemas and settings.
        case "tools", "tool_choice", "response_format", "output_format", "output_config", "functions", "text",
            "metadata":
            break
        default: if !MeteredFormat.plain.contains(type) { isPlain = false }
        }
    }

    private mutating func take(number text: String) throws(JSONStreamError) {
        guard !path.isEmpty else { throw JSONStreamError(reason: "it is no object") }
        if isAtField, let key {
            if format.outputFields.contains(key) {
                maxOutput = max(maxOutput ?? 0, try Self.count(text, key))
            } else if key == "n" {
                let count = try Self.count(text, key)
                guard (1...1024).contains(count) else { throw JSONStreamError(reason: "n \(text.excerpt)") }
                answers = count
            } else {
                try begin()
            }
        } else if field == "thinking", key == "budget_tokens" {
            thinking = max(thinking, try Self.count(text, "budget_tokens"))
        }
    }

    /// Plain digits: other spellings are read in different ways.
    private static func count(_ text: String, _ key: String) throws(JSONStreamError) -> UInt64 {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), text.utf8.count == 1 || text.utf8.first != 0x30,
            let count = UInt64(text)
        else { throw JSONStreamError(reason: "'\(key)' that is no plain number") }
        return count
    }

    private static func lower(_ text: String) -> String {
        String(decoding: text.utf8.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    // MARK: The bound

    /// The most that the request can come to, once it has been read to its end.
    ///
    /// A token is at least one byte of text. What does not stand in the request can still be no longer than what the
    /// model takes.
    func bound(bytes: Int, _ price: ModelPrice) -> SpendAmount {
        let text = UInt64(clamping: bytes).addingClamped(Self.added)
        let input =
            switch format {
            // Any number of texts, each as long as the model takes.
            case .embeddings: text
            default: isPlain ? min(text, price.context) : price.context
            }
        let output = format == .embeddings ? 0 : max(maxOutput ?? price.maxOutput, thinking)
        let all = output.multipliedClamped(by: answers)
        return SpendAmount(
            cost: price.bound(input: input, output: all, caches: caches), tokens: input.addingClamped(all), requests: 1)
    }
}

extension UInt64 {
    func addingClamped(_ other: UInt64) -> UInt64 {
        let (sum, overflowed) = addingReportingOverflow(other)
        return overflowed ? .max : sum
    }

    func multipliedClamped(by other: UInt64) -> UInt64 {
        let (product, overflowed) = multipliedReportingOverflow(by: other)
        return overflowed ? .max : product
    }
}
