import JailCore
import Testing

@testable import CommandWire

struct `Requests for commands` {
    private static func words(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test(arguments: [
        CommandRequest(words: words("npm", "test")), CommandRequest(words: words("npm", "", "a b", "\n", "é")),
        CommandRequest(words: [[0xFF, 0x00, 0x80]]), CommandRequest(words: words("")),
        CommandRequest(words: words("git"), terminal: TerminalSize(rows: 24, columns: 80)),
        CommandRequest(words: words("git"), terminal: TerminalSize(rows: 0, columns: 0)),
    ])
    func `what is written is read again, whatever bytes it is`(_ request: CommandRequest) throws {
        let bytes = try #require(request.bytes)
        #expect(bytes.count <= CommandRequest.sizeLimit)
        #expect(CommandRequest(bytes: bytes) == request)
    }

    @Test func `no request is cut short, or longer than it says`() throws {
        let bytes = try #require(CommandRequest(words: Self.words("npm", "run", "build")).bytes)
        for count in bytes.indices { #expect(CommandRequest(bytes: Array(bytes.prefix(count))) == nil) }
        #expect(CommandRequest(bytes: bytes + [0]) == nil)
    }

    @Test func `counts and lengths that are not true are refused`() throws {
        let bytes = try #require(CommandRequest(words: Self.words("npm", "test")).bytes)
        for place in [0, 8, 12] {
            for value: [UInt8] in [[0, 0, 0, 0], [255, 255, 255, 255], [0, 0, 0, 128], [255, 255, 255, 127]] {
                var hostile = bytes
                hostile.replaceSubrange(place..<(place + 4), with: value)
                #expect(CommandRequest(bytes: hostile) == nil, "\(value) at \(place)")
            }
        }
    }

    @Test func `nothing at all, and too much of anything, is no request`() {
        #expect(CommandRequest(bytes: []) == nil)
        #expect(CommandRequest(words: []).bytes == nil)
        #expect(CommandRequest(words: Array(repeating: [], count: CommandRequest.mostWords + 1)).bytes == nil)
        #expect(CommandRequest(words: Array(repeating: [], count: CommandRequest.mostWords)).bytes != nil)
        let most = [[UInt8](repeating: 0x61, count: CommandRequest.mostBytes)]
        #expect(CommandRequest(words: most).bytes != nil)
        #expect(CommandRequest(words: most + [[0x61]]).bytes == nil)
        #expect(CommandRequest(words: [[UInt8](repeating: 0x61, count: 2 << 20)]).bytes == nil)
        #expect(CommandRequest(bytes: [UInt8](repeating: 0, count: 2 << 20)) == nil)
    }

    @Test func `random bytes are read without an accident`() throws {
        var random = SystemRandomNumberGenerator()
        let valid = try #require(CommandRequest(words: Self.words("npm", "run", "x y")).bytes)
        for _ in 0..<5000 {
            var bytes = valid
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let request = CommandRequest(bytes: bytes) else { continue }
            #expect(request.bytes == bytes)
        }
    }
}
