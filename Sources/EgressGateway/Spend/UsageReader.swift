internal import JailPolicy

/// Finds in an answer, or in one event of a stream, what it says was used.
struct UsageReader: JSONReceiver {
    /// The greatest figure of each name.
    private(set) var figures: [String: UInt64] = [:]
    private(set) var type: String?
    private var path: [String?] = []
    private var key: String?

    private static let known: Set<String> = [
        "input_tokens", "output_tokens", "cache_creation_input_tokens", "cache_read_input_tokens",
        "cache_creation.ephemeral_1h_input_tokens", "prompt_tokens", "completion_tokens",
        "prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens",
    ]

    mutating func take(_ event: JSONEvent) throws(JSONStreamError) {
        switch event {
        case .beginObject, .beginArray:
            path.append(key)
            key = nil
        case .end:
            path.removeLast()
            key = nil
        case .key(let text): key = text.isCut ? nil : text.text
        case .string(let text): if path.count == 1, key == "type", !text.isCut { type = text.text }
        case .number(let text): take(text)
        case .boolean, .null: break
        }
    }

    /// `usage`, `message.usage` (where a stream of Anthropic's begins) and `response.usage` (where one of OpenAI's ends), with
    /// the details of one level below.
    private mutating func take(_ text: String) {
        guard let key, let value = UInt64(text) else { return }
        var rest = path.dropFirst()
        if rest.first == "message" || rest.first == "response" { rest = rest.dropFirst() }
        guard rest.first == "usage", rest.count <= 2 else { return }
        let name = rest.count == 2 ? "\((rest.last ?? nil) ?? "").\(key)" : key
        guard Self.known.contains(name) else { return }
        figures[name] = max(figures[name] ?? 0, value)
    }
}

/// The figures of one answer, gathered from all that it says.
struct UsageFigures: Equatable {
    private(set) var figures: [String: UInt64] = [:]
    /// A stream has said that it is complete.
    private(set) var isFinished = false

    mutating func add(_ reader: UsageReader) {
        for (name, value) in reader.figures { figures[name] = max(figures[name] ?? 0, value) }
        if let type = reader.type, Self.last.contains(type) { isFinished = true }
    }

    mutating func finish() { isFinished = true }

    /// Of events that end a stream.
    private static let last: Set<String> = [
        "message_stop", "response.completed", "response.incomplete", "response.failed",
    ]

    /// nil: something of it is not there.
    func usage(_ format: MeteredFormat) -> TokenUsage? {
        switch format {
        case .messages:
            guard let input = figures["input_tokens"], let output = figures["output_tokens"] else { return nil }
            let written = figures["cache_creation_input_tokens"] ?? 0
            let long = figures["cache_creation.ephemeral_1h_input_tokens"] ?? 0
            return TokenUsage(
                input: input, cacheRead: figures["cache_read_input_tokens"] ?? 0,
                cacheWrite: written - min(written, long),
                cacheWriteLong: long, output: output)
        case .chat:
            return usage("prompt_tokens", "completion_tokens", "prompt_tokens_details.cached_tokens")
        case .responses:
            return usage("input_tokens", "output_tokens", "input_tokens_details.cached_tokens")
        case .embeddings:
            return figures["prompt_tokens"].map { TokenUsage(input: $0) }
        }
    }

    /// OpenAI's, whose input counts what was cached as well.
    private func usage(_ input: String, _ output: String, _ cached: String) -> TokenUsage? {
        guard let input = figures[input], let output = figures[output] else { return nil }
        let cached = min(figures[cached] ?? 0, input)
        return TokenUsage(input: input - cached, cacheRead: cached, output: output)
    }
}
