import Foundation
import Testing

@testable import SecretTraces

struct CanaryTests {
    /// No real key: these only have to be told apart.
    private static let maker = CanaryMaker { seed in seed.map { $0 ^ 0x55 } }

    private static func all() -> [Canary] {
        var random = Seeded(7)
        return Canary.Kind.allCases.map { maker.make($0, using: &random) }
    }

    private static func canary(_ kind: Canary.Kind) throws -> Canary { try #require(all().first { $0.kind == kind }) }

    @Test func `each is recognised by what is planted, in pieces, and by nothing of the others`() throws {
        let canaries = Self.all()
        let detector = try CanaryDetector(canaries)
        for canary in canaries {
            #expect(detector.ids(in: canary.text) == [canary.id])
            for mark in canary.marks {
                var scan = detector.scan()
                var found: [String] = []
                for byte in [0x20] + mark + [0x20] { found += scan.feed([byte]) }
                #expect(found + scan.finish() == [canary.id])
            }
            #expect(!canary.text.contains(canary.id))
        }
        #expect(Set(canaries.map(\.id)).count == canaries.count)
        #expect(Set(canaries.map(\.kind.path)).count == canaries.count)
    }

    @Test func `no two are the same, and another one is not recognised`() throws {
        var random = SystemRandomNumberGenerator()
        for kind in Canary.Kind.allCases {
            let (one, two) = (Self.maker.make(kind, using: &random), Self.maker.make(kind, using: &random))
            let detector = try CanaryDetector([one])
            #expect(detector.ids(in: two.text).isEmpty && detector.ids(inName: two.text).isEmpty)
            #expect(detector.ids(in: one.text) == [one.id])
        }
    }

    @Test func `spellings of them are recognised, as of any secret`() throws {
        let canary = try Self.canary(.aws)
        let detector = try CanaryDetector(Self.all())
        var random = Seeded(3)
        for echo in Echo.allCases {
            let text = echo.text(canary.marks[1], &random).bytes
            #expect(detector.ids(in: "x=" + String(decoding: text, as: UTF8.self) + "&") == [canary.id], "\(echo)")
        }
        #expect(detector.ids(in: Data(canary.text.utf8).base64EncodedString()) == [canary.id])
    }

    @Test func `in a name it is recognised without its case, across labels, in base32 and in hexadecimal`() throws {
        let canary = try Self.canary(.aws)
        let detector = try CanaryDetector(Self.all())
        let mark = canary.marks[0]
        let text = String(decoding: mark, as: UTF8.self)
        let hex = mark.map { String(format: "%02x", $0) }.joined()
        #expect(detector.ids(inName: "\(text.lowercased()).evil.example") == [canary.id])
        #expect(detector.ids(inName: "\(text.prefix(9)).\(text.dropFirst(9)).evil.example") == [canary.id])
        #expect(detector.ids(inName: "\(hex.prefix(20)).\(hex.dropFirst(20)).evil.example") == [canary.id])
        for before in 0..<5 {
            let coded = Self.base32(Array(repeating: 0x61, count: before) + mark + [0x62])
            #expect(detector.ids(inName: "\(coded).evil.example") == [canary.id])
        }
        #expect(detector.ids(inName: "www.example.org").isEmpty)
    }

    /// Without padding, as names have it.
    private static func base32(_ bytes: [UInt8]) -> String {
        let bits = bytes.map { String(repeating: "0", count: $0.leadingZeroBitCount) + String($0, radix: 2) }
            .map { $0.count > 8 ? String($0.suffix(8)) : $0 }.joined()
        let filled = bits + String(repeating: "0", count: (5 - bits.count % 5) % 5)
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        var text = ""
        var rest = Substring(filled)
        while !rest.isEmpty {
            text.append(alphabet[Int(rest.prefix(5), radix: 2) ?? 0])
            rest = rest.dropFirst(5)
        }
        return text
    }

    @Test func `a canary is told once for each stream`() throws {
        let canary = try Self.canary(.slack)
        var scan = try CanaryDetector([canary]).scan()
        #expect(scan.feed(canary.marks[0]) == [canary.id])
        #expect(scan.feed(canary.marks[0]) == [])
        #expect(scan.finish() == [])
    }

    // MARK: What they look like

    @Test func `tokens have the shapes of real ones`() throws {
        func text(_ kind: Canary.Kind) throws -> [String] {
            try Self.canary(kind).marks.map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(try text(.aws)[0].wholeMatch(of: /AKIA[A-Z2-7]{16}/) != nil)
        #expect(try text(.aws)[1].wholeMatch(of: /[A-Za-z0-9+\/]{40}/) != nil)
        #expect(try text(.github)[0].wholeMatch(of: /ghp_[A-Za-z0-9]{36}/) != nil)
        #expect(try text(.slack)[0].wholeMatch(of: /xoxb-[0-9]{13}-[0-9]{13}-[A-Za-z0-9]{24}/) != nil)
    }

    @Test func `checksums are those of zip`() {
        #expect(CRC32.of(Array("123456789".utf8)) == 0xCBF4_3926)
    }

    @Test func `a key has the frame of OpenSSH's, with the seed in it`() throws {
        let canary = try Self.canary(.ssh)
        let lines = canary.text.split(separator: "\n")
        #expect(
            lines.first == "-----BEGIN OPENSSH PRIVATE KEY-----" && lines.last == "-----END OPENSSH PRIVATE KEY-----")
        let blob = try #require(Data(base64Encoded: lines.dropFirst().dropLast().joined()))
        #expect(blob.starts(with: "openssh-key-v1\0".utf8))
        #expect(blob.firstRange(of: Data(canary.marks[0])) != nil)
        #expect(canary.marks.count >= 3)
        // Also where somebody has joined the lines.
        let detector = try CanaryDetector([canary])
        #expect(detector.ids(in: lines.dropFirst().dropLast().joined()) == [canary.id])
    }
}
