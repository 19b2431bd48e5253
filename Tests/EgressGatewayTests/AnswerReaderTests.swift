import Foundation
import JailPolicy
import TestSupport
import Testing

@testable import EgressGateway

/// What answers say was used, as the providers document them.
struct AnswerReaderTests {
    struct Case: CustomTestStringConvertible {
        var name: String
        var format: MeteredFormat
        var isStream: Bool
        var text: String
        var usage: TokenUsage?

        var testDescription: String { name }
    }

    static let anthropicStream = """
        event: message_start
        data: {"type":"message_start","message":{"id":"m","usage":{"input_tokens":25,"cache_creation_input_tokens":30,\
        "cache_read_input_tokens":4,"cache_creation":{"ephemeral_5m_input_tokens":20,"ephemeral_1h_input_tokens":10},\
        "output_tokens":1}}}

        : a comment
        event: content_block_delta
        data: {"type":"content_block_delta","delta":{"type":"text_delta","text":"{\\"usage\\":{\\"output_tokens\\":9}}"}}

        event: message_delta
        data: {"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":15}}

        event: message_stop
        data: {"type":"message_stop"}


        """
    static let openAIStream = """
        data: {"choices":[{"delta":{"content":"x"}}],"usage":null}

        data: {"choices":[],"usage":{"prompt_tokens":19,"completion_tokens":10,"total_tokens":29,\
        "prompt_tokens_details":{"cached_tokens":4},"completion_tokens_details":{"reasoning_tokens":3}}}

        data: [DONE]


        """
    static let responsesStream = """
        event: response.created
        data: {"type":"response.created","response":{"status":"in_progress","usage":null}}

        event: response.completed
        data: {"type":"response.completed","response":{"usage":{"input_tokens":37,"output_tokens":11,\
        "input_tokens_details":{"cached_tokens":7},"output_tokens_details":{"reasoning_tokens":2},"total_tokens":48}}}


        """

    static let cases: [Case] = [
        Case(
            name: "messages, streamed", format: .messages, isStream: true, text: anthropicStream,
            usage: TokenUsage(input: 25, cacheRead: 4, cacheWrite: 20, cacheWriteLong: 10, output: 15)),
        Case(
            name: "chat, streamed", format: .chat, isStream: true, text: openAIStream,
            usage: TokenUsage(input: 15, cacheRead: 4, output: 10)),
        Case(
            name: "responses, streamed", format: .responses, isStream: true, text: responsesStream,
            usage: TokenUsage(input: 30, cacheRead: 7, output: 11)),
        Case(
            name: "chat, streamed without usage", format: .chat, isStream: true,
            text: "data: {\"choices\":[]}\n\ndata: [DONE]\n\n", usage: nil),
        Case(
            name: "messages", format: .messages, isStream: false,
            text:
                #"{"content":[{"input":{"usage":{"output_tokens":99}}}],"usage":{"input_tokens":3,"output_tokens":5}}"#,
            usage: TokenUsage(input: 3, output: 5)),
        Case(
            name: "chat", format: .chat, isStream: false,
            text: #"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":5}}"#,
            usage: TokenUsage(input: 3, output: 5)),
        Case(
            name: "responses", format: .responses, isStream: false,
            text: #"{"output":[],"usage":{"input_tokens":3,"output_tokens":5}}"#, usage: TokenUsage(input: 3, output: 5)
        ),
        Case(
            name: "responses, in the background", format: .responses, isStream: false,
            text: #"{"status":"queued","usage":null}"#, usage: nil),
        Case(
            name: "embeddings", format: .embeddings, isStream: false,
            text: #"{"data":[{"embedding":[0.1,-2e-3]}],"usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            usage: TokenUsage(input: 8)),
        Case(
            name: "half of the usage", format: .messages, isStream: false, text: #"{"usage":{"input_tokens":3}}"#,
            usage: nil),
        Case(
            name: "figures that are none", format: .chat, isStream: false,
            text: #"{"usage":{"prompt_tokens":-3,"completion_tokens":1e3}}"#, usage: nil),
        Case(name: "no JSON", format: .chat, isStream: false, text: "<html>", usage: nil),
    ]

    static let streams = cases.filter(\.isStream)

    static func read(_ one: Case, _ parts: [some Sequence<UInt8>]) -> TokenUsage? {
        var reader = AnswerReader(
            type: one.isStream ? "Text/Event-Stream; charset=utf-8" : "application/json", encoding: nil)
        for part in parts { reader.feed(part) }
        return reader.finish(one.format)
    }

    @Test(arguments: cases) func `usage is found, wherever the bytes are cut`(one: Case) {
        let bytes = Array(one.text.utf8)
        for cut in bytes.indices { #expect(Self.read(one, [bytes[..<cut], bytes[cut...]]) == one.usage) }
        #expect(Self.read(one, bytes.map { [$0] }) == one.usage)
    }

    @Test(arguments: ["\r\n", "\r"]) func `lines end in three ways`(end: String) {
        for one in Self.streams {
            var other = one
            other.text = one.text.replacing("\n", with: end)
            let bytes = Array(other.text.utf8)
            for cut in bytes.indices { #expect(Self.read(other, [bytes[..<cut], bytes[cut...]]) == one.usage) }
        }
    }

    @Test func `a stream that is broken off says nothing`() {
        for one in Self.streams where one.usage != nil {
            let bytes = Array(one.text.utf8)
            let end = one.text.range(of: "\n\n", options: .backwards)
            #expect(end == nil || Self.read(one, [bytes]) == one.usage)
            // Up to before its last event.
            let last = one.text.components(separatedBy: "\n\n").dropLast(2).joined(separator: "\n\n") + "\n\n"
            #expect(Self.read(one, [Array(last.utf8)]) == nil, "\(one.name)")
        }
    }

    @Test func `lines of data of one event are one text`() {
        let text =
            "data:{\"type\":\ndata: \"response.completed\",\ndata\ndatax: 7\nid: 1\n"
            + "data: \"response\":{\"usage\":{\"input_tokens\":1,\"output_tokens\":2}}}\n\n"
        let one = Case(name: "", format: .responses, isStream: true, text: text, usage: nil)
        #expect(Self.read(one, [Array(text.utf8)]) == TokenUsage(input: 1, output: 2))
    }

    @Test func `an answer that is compressed, or of another type, says nothing`() {
        let text = Array(#"{"usage":{"prompt_tokens":3,"completion_tokens":5}}"#.utf8)
        for (type, encoding) in [("application/json", "gzip"), ("text/plain", nil), (nil, nil)] as [(String?, String?)]
        {
            var reader = AnswerReader(type: type, encoding: encoding)
            reader.feed(text)
            #expect(reader.finish(.chat) == nil)
        }
        var reader = AnswerReader(type: "application/json", encoding: "Identity")
        reader.feed(text)
        #expect(reader.finish(.chat) != nil)
    }

    @Test func `figures only grow, and those of no name are not kept`() {
        let text =
            (0..<1000).map {
                "data: {\"usage\":{\"prompt_tokens\":\($0 % 7),\"x\($0)\":1,\"completion_tokens\":1}}\n\n"
            }
            .joined() + "data: [DONE]\n\n"
        let one = Case(name: "", format: .chat, isStream: true, text: text, usage: nil)
        #expect(Self.read(one, [Array(text.utf8)]) == TokenUsage(input: 6, output: 1))
    }
}
