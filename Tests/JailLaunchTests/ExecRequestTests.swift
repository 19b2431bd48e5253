import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `A request to execute` {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static var whole: ExecRequest {
        var request = ExecRequest(arguments: [bytes("sh"), bytes("-c"), [0xFF, 0xFE, 0x0A], []])
        request.environment = [bytes("A=b"), bytes("B="), bytes("C=d=e\nf")]
        request.directory = bytes("/workspace")
        request.id = "x.1"
        request.terminal = TerminalSize(rows: 24, columns: 80)
        return request
    }

    @Test func `crosses a socket as it is`() {
        #expect(ExecRequest(bytes: Self.whole.bytes) == Self.whole)
        let plain = ExecRequest(arguments: [Self.bytes("true")])
        #expect(ExecRequest(bytes: plain.bytes) == plain)
    }

    @Test func `is refused in part, and with more behind it`() {
        let bytes = Self.whole.bytes
        for count in bytes.indices { #expect(ExecRequest(bytes: Array(bytes.prefix(count))) == nil) }
        #expect(ExecRequest(bytes: bytes + [0]) == nil)
    }

    @Test func `is refused with what execve could not take`() {
        func changed(_ change: (inout ExecRequest) -> Void) -> ExecRequest? {
            var request = Self.whole
            change(&request)
            return ExecRequest(bytes: request.bytes)
        }
        #expect(changed { $0.arguments = [] } == nil)
        #expect(changed { $0.arguments = [[]] } == nil)
        #expect(changed { $0.arguments[1] = [0x61, 0, 0x62] } == nil)
        #expect(changed { $0.environment = [Self.bytes("novalue")] } == nil)
        #expect(changed { $0.environment = [Self.bytes("=x")] } == nil)
        #expect(changed { $0.environment = (0...4096).map { Self.bytes("V\($0)=") } } == nil)
        #expect(changed { $0.environment = (0..<4096).map { Self.bytes("V\($0)=") } } != nil)
        #expect(changed { $0.directory = Self.bytes("relative") } == nil)
        #expect(changed { $0.directory = [UInt8](repeating: 0x2F, count: 4096) } == nil)
        #expect(changed { $0.id = "" } == nil)
        #expect(changed { $0.id = "a/b" } == nil)
        #expect(changed { $0.id = String(repeating: "a", count: 65) } == nil)
        #expect(changed { $0.arguments.append([UInt8](repeating: 0x61, count: ExecRequest.sizeLimit)) } == nil)
    }

    @Test func `is never read beyond its end, whatever the bytes`() {
        var random = Seeded(4711)
        var accepted = 0
        let whole = Self.whole.bytes
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0 where !bytes.isEmpty:
                    bytes[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeLast(min(bytes.count, Int.random(in: 0...8, using: &random)))
                default:
                    bytes.insert(
                        UInt8.random(in: 0...255, using: &random), at: Int.random(in: 0...bytes.count, using: &random))
                }
            }
            // What is taken says the same when it is written again.
            if let request = ExecRequest(bytes: bytes) {
                accepted += 1
                #expect(ExecRequest(bytes: request.bytes) == request)
            }
        }
        #expect(accepted > 0)
    }
}
