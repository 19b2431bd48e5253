import AnswerSupport
import SecretTraces
import Testing

@testable import EgressAnswers

struct SecretAnswerFilterTests {
    static let secret = "sk-proj-0123456789abcdef"
    static let stars = String(repeating: "*", count: 24)

    static func filter(_ memory: DecoderMemory = DecoderMemory()) throws -> SecretAnswerFilter {
        SecretAnswerFilter(try SecretTraces([.init(name: "OPENAI", value: Array(secret.utf8))]), memory)
    }

    static func head(
        _ fields: [AnswerHead.Field] = [], status: UInt = 200, reason: String = "OK", hasBody: Bool = true
    ) -> AnswerHead { AnswerHead(status: status, reason: reason, fields: fields, hasBody: hasBody) }

    /// A whole answer, in pieces of so many bytes.
    static func pass(
        _ body: [UInt8], _ fields: [AnswerHead.Field] = [], pieces: Int = 5, through filter: SecretAnswerFilter
    ) throws -> String {
        var output: [UInt8] = []
        _ = try filter.begin(head(fields))
        for start in stride(from: 0, to: body.count, by: pieces) {
            try filter.take(Array(body[start..<min(body.count, start + pieces)])) { output += $0 }
        }
        _ = try filter.end([]) { output += $0 }
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `reason, names and values of fields and trailers are covered, and the secret is named once`() throws {
        let filter = try Self.filter()
        let head = try filter.begin(
            Self.head(
                [("X-Echo", "Bearer \(Self.secret)"), ("x-\(Self.secret)", "1"), ("Content-Length", "7")],
                reason: "No \(Self.secret)"))
        #expect(head.reason == "No \(Self.stars)")
        #expect(head.fields.map(\.name) == ["X-Echo", "x-\(Self.stars)", "Content-Length"])
        #expect(head.fields.map(\.value) == ["Bearer \(Self.stars)", "1", "7"])
        #expect(filter.takeFound() == ["OPENAI"])
        let trailers = try filter.end([("X-T", Self.secret), ("X-U", "u")]) { _ in Issue.record("no body came") }
        #expect(trailers.map(\.value) == [Self.stars, "u"])
        #expect(filter.takeFound() == [])
    }

    @Test func `a body keeps its length`() throws {
        let filter = try Self.filter()
        #expect(try Self.pass(Array("a \(Self.secret) b".utf8), through: filter) == "a \(Self.stars) b")
        #expect(filter.takeFound() == ["OPENAI"])
    }

    @Test(arguments: [
        ("gzip", Coder.gzip), ("X-GZip", Coder.gzip), ("deflate", Coder.zlib), ("deflate", Coder.rawDeflate),
        ("br", { @Sendable in Coder.brotli($0) }), ("identity", { @Sendable in $0 }), (" ", { @Sendable in $0 }),
    ])
    func `a compressed body is decoded and covered`(
        name: String, code: @Sendable ([UInt8]) -> [UInt8]
    ) throws {
        let text = "{\"token\":\"\(Self.secret)\",\"more\":\"\(String(repeating: "x", count: 70_000))\"}"
        let covered = try Self.pass(
            code(Array(text.utf8)), [("Content-Encoding", name)], through: try Self.filter())
        let isSame = covered == text.replacing(Self.secret, with: Self.stars)
        #expect(isSame)
    }

    @Test func `fields about coded bytes go with them`() throws {
        let fields: [AnswerHead.Field] = [
            ("Content-Encoding", "gzip"), ("Content-Length", "99"), ("ETag", "\"a\""), ("Content-MD5", "x"),
            ("Content-Digest", "x"), ("Repr-Digest", "x"), ("Digest", "x"), ("Accept-Ranges", "bytes"), ("X-A", "b"),
        ]
        let filter = try Self.filter()
        let head = try filter.begin(Self.head(fields))
        #expect(head.fields.map(\.name) == ["ETag", "X-A"] && head.fields.map(\.value) == ["W/\"a\"", "b"])
        try filter.take(Coder.gzip([1])) { _ in }
        #expect(try filter.end([("Content-Digest", "x"), ("X-T", "t")]) { _ in }.map(\.name) == ["X-T"])
        // A cache that is told to keep what it has is not to take it for coded.
        let unchanged = try Self.filter().begin(Self.head(fields, status: 304, hasBody: false))
        #expect(unchanged.fields.map(\.name) == ["ETag", "X-A"])
        // Without a coding all of them are left.
        #expect(
            try Self.filter().begin(Self.head(Array(fields.dropFirst()))).fields.map(\.value)
                == fields.dropFirst().map(\.value))
    }

    @Test(arguments: [
        ("Content-Encoding", "zstd"), ("Content-Encoding", "gzip, br"), ("Content-Encoding", "gzip,"),
        ("Content-Encoding", "compress"), ("Transfer-Encoding", "gzip, chunked"), ("Transfer-Encoding", "gzip"),
        ("Content-Type", "multipart/byteranges; boundary=x"), ("content-type", " Multipart/ByteRanges"),
    ])
    func `what cannot be undone is refused, without a word of it`(name: String, value: String) throws {
        let error = #expect(throws: AnswerRefusal.self) { try Self.filter().begin(Self.head([(name, value)])) }
        #expect(error.map { !"\($0)".contains("zstd") } == true)
    }

    @Test func `two codings in two fields are two`() throws {
        #expect(throws: AnswerRefusal.self) {
            try Self.filter().begin(Self.head([("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]))
        }
    }

    @Test(arguments: [206, 226])
    func `parts are refused`(status: UInt) throws {
        #expect(throws: AnswerRefusal.self) { try Self.filter().begin(Self.head(status: status)) }
    }

    @Test func `a compressed body that breaks off does not end`() throws {
        let coded = Coder.gzip(Array("hello".utf8)).dropLast()
        #expect(throws: AnswerRefusal.self) {
            try Self.pass(Array(coded), [("Content-Encoding", "gzip")], through: try Self.filter())
        }
    }

    @Test func `memory is given back with the answer`() throws {
        let memory = DecoderMemory()
        for _ in 0..<10 {
            let filter = try Self.filter(memory)
            #expect(try Self.pass(Coder.brotli([0x61]), [("Content-Encoding", "br")], through: filter) == "a")
        }
        #expect(memory.used == 0)
    }
}
