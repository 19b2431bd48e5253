import JailPolicy
import NIOHTTP1
import Testing

@testable import EgressGateway

/// What a request may come to, read from its body by somebody whom the jail would like to deceive.
struct RequestReaderTests {
    static let price = ModelPrice(
        model: "m",
        rates: .init(
            input: 1_000_000, output: 2_000_000, cacheRead: 100_000, cacheWrite: 1_250_000, cacheWriteLong: 3_000_000),
        context: 100_000, maxOutput: 5000)

    struct Read {
        var reader: RequestReader
        var bound: SpendAmount
    }

    /// - Throws: ``JSONStreamError``
    static func read(_ text: String, _ format: MeteredFormat = .messages, more: [String] = []) throws -> Read {
        var stream = JSONStream()
        var reader = RequestReader(format, more: more)
        try stream.feed(text.utf8, &reader)
        try stream.finish(&reader)
        return Read(reader: reader, bound: reader.bound(bytes: text.utf8.count, price))
    }

    static func refusal(_ text: String, _ format: MeteredFormat = .messages) -> String? {
        do {
            _ = try read(text, format)
            return nil
        } catch let error as JSONStreamError { return error.reason } catch { return "\(error)" }
    }

    @Test func `a plain request is bounded by its bytes and what it asks for`() throws {
        let text = #"{"model":"m","max_tokens":10,"messages":[{"role":"user","content":"hi"}]}"#
        let read = try Self.read(text)
        let input = UInt64(text.utf8.count) + RequestReader.added
        #expect(read.reader.model == "m" && read.reader.isPlain && !read.reader.caches)
        #expect(read.bound == SpendAmount(cost: input + 20, tokens: input + 10, requests: 1))
    }

    @Test func `without a limit of its own the answer is as long as the model allows`() throws {
        let output = { try Self.read($0, $1).bound.tokens - UInt64($0.utf8.count) - RequestReader.added }
        #expect(try output(#"{"model":"m","messages":[]}"#, .messages) == 5000)
        #expect(try output(#"{"model":"m","messages":[],"max_tokens":null}"#, .chat) == 5000)
        #expect(try output(#"{"model":"m","max_tokens":7,"max_completion_tokens":9}"#, .chat) == 9)
        #expect(try output(#"{"model":"m","n":3,"max_tokens":7}"#, .chat) == 21)
        #expect(try output(#"{"model":"m","max_output_tokens":70000}"#, .responses) == 70_000)
        #expect(try output(#"{"model":"m","input":["a","b"]}"#, .embeddings) == 0)
        #expect(try output(#"{"max_tokens":7,"thinking":{"type":"enabled","budget_tokens":900}}"#, .messages) == 900)
        #expect(
            try output(#"{"max_tokens":7,"thinking":{"budget_tokens":900,"budget_tokens":1}}"#, .messages) == 900)
        #expect(try output(#"{"max_tokens":0}"#, .chat) == 0)
    }

    @Test func `what brings in more than it says is bounded by what the model takes`() throws {
        for (text, format) in [
            (#"{"messages":[{"content":[{"type":"image","source":{"type":"url","url":"x"}}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"type":"tool_result","content":[{"type":"image"}]}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"type":"text","type":"image"}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"type":"image","type":"text"}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"Type":"image"}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"ty\u0070e":"ima\u0067e"}]}]}"#, .messages),
            (#"{"messages":[{"content":[{"type":"image_url"}]}]}"#, .chat),
            (#"{"input":[{"type":"item_reference","id":"x"}]}"#, .responses),
            (#"{"input":"x","previous_response_id":"r"}"#, .responses),
            (#"{"input":"x","conversation":{"id":"r"}}"#, .responses),
            (#"{"input":[{"type":"\#(String(repeating: "x", count: 999))"}]}"#, .responses),
        ] as [(String, MeteredFormat)] {
            let read = try Self.read(text, format)
            #expect(!read.reader.isPlain && read.bound.tokens == 105_000, "\(text)")
        }
        for (text, format) in [
            (#"{"messages":[{"content":[{"type":"text","text":"x"}]}],"previous_response_id":null}"#, .responses),
            (#"{"tools":[{"type":"function","function":{"parameters":{"type":"object"}}}]}"#, .chat),
            (
                #"{"tools":[{"name":"f","input_schema":{"type":"object","properties":{"type":{"type":"image"}}}}]}"#,
                .messages
            ),
        ] as [(String, MeteredFormat)] where !text.contains("messages\":[{\"content") {
            #expect(try Self.read(text, format).reader.isPlain, "\(text)")
        }
        let long = String(repeating: "x", count: 200_000)
        #expect(try Self.read("{\"messages\":[{\"content\":\"\(long)\"}],\"max_tokens\":1}").bound.tokens == 100_001)
        // There are several texts, and each can be as long as that.
        #expect(try Self.read("{\"input\":[\"\(long)\"]}", .embeddings).bound.tokens > 200_000)
    }

    @Test func `what is put into a cache costs more`() throws {
        for text in [
            #"{"system":[{"type":"text","cache_control":{"type":"ephemeral"}}],"max_tokens":0}"#,
            #"{"cache_control":{"type":"ephemeral"},"max_tokens":0}"#,
            #"{"messages":[{"Cache_Control":1}],"max_tokens":0}"#,
        ] {
            let read = try Self.read(text)
            #expect(read.reader.caches && read.bound.cost == read.bound.tokens * 3, "\(text)")
        }
    }

    @Test(arguments: [
        (#"{"model":"m","model":"n"}"#, "'model' twice"), (#"{"max_tokens":1,"max_tokens":9}"#, "'max_tokens' twice"),
        (#"{"max_tokens":1,"max\u005ftokens":9}"#, "'max_tokens' twice"),
        (#"{"Max_Tokens":9}"#, "the field 'Max_Tokens'"), (#"{"max_tokens ":9}"#, "the field 'max_tokens '"),
        (#"{"max_output_tokens":9}"#, "the field 'max_output_tokens'"),
        (#"{"max_tokens":1e9}"#, "no plain number"), (#"{"max_tokens":1.0}"#, "no plain number"),
        (#"{"max_tokens":-1}"#, "no plain number"), (#"{"max_tokens":99999999999999999999}"#, "no plain number"),
        (#"{"max_tokens":"1"}"#, "of another kind"), (#"{"max_tokens":[1]}"#, "of another kind"),
        (#"{"max_tokens":true}"#, "of another kind"), (#"{"model":1}"#, "of another kind"),
        (#"{"model":["m"]}"#, "of another kind"), (#"{"model":{"id":"m"}}"#, "of another kind"),
        (#"{"service_tier":"priority"}"#, "another price"), (#"{"service_tier":1}"#, "of another kind"),
        (#"{"speed":"fast"}"#, "another price"), (#"{"inference_geo":"us"}"#, "another price"),
        (#"{"mcp_servers":[]}"#, "the field 'mcp_servers'"), (#"{"container":"x"}"#, "the field 'container'"),
        (#"{"tools":[{"type":"web_search_20250305"}]}"#, "runs at the provider"),
        (#"{"tools":[{"type":"custom","type":"code_execution_20250825"}]}"#, "runs at the provider"),
        (#"{"tools":[{"TYPE":"web_search_20250305"}]}"#, "runs at the provider"),
        (#"{"context_management":{"edits":[{"type":"compact_20260112"}]}}"#, "a request of its own"),
        (#"{"thinking":{"budget_tokens":1e5}}"#, "no plain number"),
        ("[]", "no object"), ("\"x\"", "no object"), ("1", "no object"), ("null", "no object"), ("", "in the middle"),
        (#"{"model":"m"} {"model":"n"}"#, "cannot be"), ("{\"model\":\"m\"", "in the middle"),
    ])
    func `what could be read in two ways, or cost something else, is refused`(text: String, reason: String) {
        #expect(Self.refusal(text)?.contains(reason) == true, "\(Self.refusal(text) ?? "taken")")
    }

    @Test(
        arguments: [
            (#"{"tools":[{"type":"web_search_preview"}]}"#, .responses), (#"{"tools":[{"type":"mcp"}]}"#, .responses),
            (#"{"tools":[{"type":"image_generation"}]}"#, .responses), (#"{"prompt":{"id":"x"}}"#, .responses),
            (#"{"web_search_options":{}}"#, .chat), (#"{"modalities":["audio"]}"#, .chat),
            (#"{"models":["a"]}"#, .chat),
            (#"{"plugins":[]}"#, .chat), (#"{"prediction":{}}"#, .chat), (#"{"n":"2"}"#, .chat), (#"{"n":0}"#, .chat),
            (#"{"n":1000000}"#, .chat), (#"{"messages":[]}"#, .embeddings), (#"{"input":"x"}"#, .chat),
        ] as [(String, MeteredFormat)])
    func `what has a price of its own is refused in each format`(text: String, format: MeteredFormat) {
        #expect(Self.refusal(text, format) != nil)
    }

    @Test func `a field that the profile names is taken, and a remedy says which`() throws {
        #expect(
            throws: JSONStreamError(
                reason: "the field 'logit_scale', which may change what it costs",
                remedy: "spend: { fields: [\"logit_scale\"] }")
        ) { try Self.read(#"{"logit_scale":1}"#) }
        #expect(try Self.read(#"{"logit_scale":{"type":"text"}}"#, more: ["logit_scale"]).reader.isPlain)
    }

    @Test func `endpoints are told apart`() throws {
        func endpoint(
            _ method: String, _ path: String, _ host: HostName = "api.openai.com", override: String? = nil
        ) throws -> MeteredEndpoint {
            let fields = [("Host", host.text)] + (override.map { [("X-HTTP-Method-Override", $0)] } ?? [])
            var checker = Checker()
            checker.entry = .connection(Destination(host: .name(host), port: 443), .https)
            let request = try checker.check(path, method: .init(rawValue: method), fields).get()
            return MeteredEndpoint(request, at: SpendRules().providers(of: .name(host)))
        }
        #expect(try endpoint("POST", "/v1/chat/completions") == .metered(.chat))
        #expect(try endpoint("POST", "/v1/responses?x=1") == .metered(.responses))
        #expect(try endpoint("POST", "/v1/%65mbeddings") == .metered(.embeddings))
        #expect(try endpoint("POST", "/v1/messages?beta=true", "api.anthropic.com") == .metered(.messages))
        #expect(try endpoint("POST", "/api/v1/chat/completions", "openrouter.ai") == .metered(.chat))
        #expect(try endpoint("POST", "/v1/messages/count_tokens", "api.anthropic.com") == .free)
        #expect(try endpoint("POST", "/api/oauth/x", "api.anthropic.com") == .free)
        #expect(try endpoint("POST", "/api/oauth/x") == .unbounded)
        #expect(try endpoint("GET", "/v1/models") == .free)
        #expect(try endpoint("POST", "/v1/responses/r1/cancel") == .free)
        for path in [
            "/v1/messages/batches", "/v1/batches", "/v1/chat/completions/", "/v1//chat/completions", "/v1/Responses",
            "/v1/images/generations", "/chat/completions", "/v2/responses", "/v1/responses//cancel",
            "/v1/responses/a/b/cancel",
            "/v1/responses/compact", "/v1/realtime", "/v1/files", "/v1/audio/speech", "/v1/completions",
        ] { #expect(try endpoint("POST", path) == .unbounded, "\(path)") }
        #expect(try endpoint("PUT", "/v1/responses") == .unbounded)
        #expect(try endpoint("GET", "/v1/models", override: "POST") == .unbounded)
        #expect(try endpoint("POST", "/v1/responses", override: "PUT") == .unbounded)
    }
}
