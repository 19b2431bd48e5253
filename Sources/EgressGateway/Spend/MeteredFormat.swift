internal import JailPolicy

/// The APIs whose requests are understood, with all that matters for what a request can cost.
enum MeteredFormat: CaseIterable {
    /// Anthropic's Messages.
    case messages
    /// OpenAI's chat completions, which many others have as well.
    case chat
    /// OpenAI's responses.
    case responses
    case embeddings

    /// Below a provider's path.
    var endpoint: String {
        switch self {
        case .messages: "/messages"
        case .chat: "/chat/completions"
        case .responses: "/responses"
        case .embeddings: "/embeddings"
        }
    }

    /// Fields that say how many tokens the answer may have at most; the greatest counts.
    var outputFields: [String] {
        switch self {
        case .messages: ["max_tokens"]
        case .chat: ["max_tokens", "max_completion_tokens"]
        case .responses: ["max_output_tokens"]
        case .embeddings: []
        }
    }

    /// Fields that change nothing about the price of a token, and call upon nothing that has a price of its own. What
    /// else a request has could do either, and so it is not sent.
    var fields: Set<String> {
        switch self {
        case .messages:
            [
                "model", "messages", "max_tokens", "system", "metadata", "stop_sequences", "stream", "temperature",
                "top_k", "top_p", "tools", "tool_choice", "thinking", "cache_control", "service_tier", "speed",
                "inference_geo", "output_config", "output_format", "context_management",
            ]
        case .chat:
            [
                "model", "messages", "max_tokens", "max_completion_tokens", "frequency_penalty", "function_call",
                "functions", "logit_bias", "logprobs", "metadata", "n", "parallel_tool_calls", "presence_penalty",
                "prompt_cache_key", "prompt_cache_retention", "reasoning", "reasoning_effort", "response_format",
                "safety_identifier", "seed", "service_tier", "stop", "store", "stream", "stream_options",
                "temperature", "thinking", "tool_choice", "tools", "top_k", "top_logprobs", "top_p", "usage", "user",
                "verbosity",
            ]
        case .responses:
            [
                "model", "input", "max_output_tokens", "background", "conversation", "include", "instructions",
                "max_tool_calls", "metadata", "parallel_tool_calls", "previous_response_id", "prompt_cache_key",
                "prompt_cache_retention", "reasoning", "safety_identifier", "service_tier", "store", "stream",
                "stream_options", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p",
                "truncation", "user",
            ]
        case .embeddings: ["model", "input", "encoding_format", "dimensions", "user"]
        }
    }

    /// Fields by whose value alone the provider reads something that is not in the request.
    static let remote: Set<String> = ["conversation", "previous_response_id"]

    /// Of fields that choose a price: the values that choose the usual one, or a lower one.
    static let usual: [String: Set<String>] = [
        "service_tier": ["auto", "default", "standard", "standard_only", "flex"],
        "speed": ["standard"], "inference_geo": ["global"],
    ]

    /// Tools that run where the request comes from, by the beginnings of their types; others run at the provider, and what
    /// those cost has no bound that is known beforehand.
    static func isLocal(tool type: String) -> Bool {
        ["function", "custom", "local_shell", "apply_patch"].contains(type)
            || ["bash_", "text_editor_", "computer_", "memory_"].contains { type.hasPrefix($0) }
    }

    /// Types of parts of a request that hold all that they bring in, as text. Others can be an image, a file, or the name of
    /// something that lies at the provider.
    static let plain: Set<String> = [
        "text", "tool_use", "tool_result", "thinking", "redacted_thinking", "input_text", "output_text",
        "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "message", "reasoning",
        "summary_text", "reasoning_text", "refusal", "function", "custom", "ephemeral", "enabled", "disabled",
        "adaptive",
    ]
}

/// What a request to a provider is, for the spend.
enum MeteredEndpoint: Equatable {
    case free
    case metered(MeteredFormat)
    /// What it costs cannot be known before it is sent.
    case unbounded

    /// - Parameter path: canonical, without the query.
    init(_ request: CheckedRequest, at providers: [SpendProvider]) {
        let methods = [request.method] + request.overrides
        guard request.webSocketKey == nil else {
            self = .unbounded
            return
        }
        // To read, to list and to take away costs nothing.
        if methods.allSatisfy({ ["GET", "HEAD", "OPTIONS", "DELETE"].contains($0) }) {
            self = .free
            return
        }
        self = .unbounded
        guard methods.allSatisfy({ $0 == "POST" }) else { return }
        let path = request.path.path
        for provider in providers where path.hasPrefix(provider.path) {
            let rest = String(path.dropFirst(provider.path.count))
            if let format = MeteredFormat.allCases.first(where: { $0.endpoint == rest }) { self = .metered(format) }
            if Self.isFree(rest) { self = .free }
        }
        // Tokens of accounts.
        if path.hasPrefix("/api/oauth/"), request.destination.host.text == "api.anthropic.com" { self = .free }
    }

    private static func isFree(_ rest: String) -> Bool {
        if ["/messages/count_tokens", "/responses/input_tokens"].contains(rest) { return true }
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[1] == "responses" && !parts[2].isEmpty && parts[3] == "cancel"
    }
}
