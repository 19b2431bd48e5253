import Testing

@testable import SecretTraces

struct SecretRedactorTests {
    static func traces(_ values: String...) throws -> SecretTraces {
        try SecretTraces(values.enumerated().map { SecretTraces.Secret(name: "S\($0)", value: Array($1.utf8)) })
    }

    static func cover(_ text: String, _ traces: SecretTraces) -> String {
        var redactor = SecretRedactor(traces)
        let covered = redactor.feed(Array(text.utf8)) + redactor.finish()
        return String(decoding: covered, as: UTF8.self)
    }

    // MARK: Any value, any spelling, any pieces

    private static let printable = Array(UInt8(0x20)...0x7E)

    @Test(arguments: Echo.allCases)
    func `no spelling of a value gets out, whatever the pieces, and nothing else changes`(echo: Echo) throws {
        var random = Seeded(UInt64(Echo.allCases.firstIndex(of: echo) ?? 0))
        for _ in 0..<150 {
            let value = random.bytes(8...40, of: Self.printable)
            let traces = try SecretTraces([.init(name: "T", value: value)])
            var text: [UInt8] = []
            var secret: [Range<Int>] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                // No letters of spellings or escapes around, which could belong to it.
                text += random.bytes(0...30, of: Array(" \n.;:".utf8))
                let (bytes, range) = echo.text(value, &random)
                secret.append(text.count + range.lowerBound..<text.count + range.upperBound)
                text += bytes
                text.append(0x0A)
            }
            let (covered, most) = Self.feed(text, traces, &random)
            #expect(covered.count == text.count)
            #expect(most <= traces.mostHeld)
            for range in secret { #expect(covered[range].allSatisfy { $0 == UInt8(ascii: "*") }, "\(value) \(text)") }
            // The characters at the ends of base64 hold other bits as well; the one behind may be covered.
            for index in text.indices where !secret.contains(where: { $0.contains(index) || $0.upperBound == index }) {
                #expect(covered[index] == text[index], "\(value) \(text) \(index)")
            }
        }
    }

    /// In random pieces, with the greatest number of bytes that were held back.
    private static func feed(
        _ text: [UInt8], _ traces: SecretTraces, _ random: inout Seeded
    ) -> ([UInt8], Int) {
        var redactor = SecretRedactor(traces)
        var covered: [UInt8] = []
        var most = 0
        var index = 0
        while index < text.count {
            let end = min(text.count, index + Int.random(in: 0...9, using: &random))
            covered += redactor.feed(Array(text[index..<end]))
            most = max(most, redactor.heldCount)
            #expect(covered.count + redactor.heldCount == end)
            index = end
        }
        return (covered + redactor.finish(), most)
    }

    /// Random texts of few letters, so that values begin often and overlap; compared with what a search finds.
    @Test func `exactly what a plain search finds is covered, and nothing waits that cannot be part of it`() throws {
        let letters = Array("ab".utf8)
        for seed in 0..<300 {
            var random = Seeded(UInt64(seed))
            let values = (0..<Int.random(in: 1...3, using: &random)).map { _ in random.bytes(8...11, of: letters) }
            let traces = try SecretTraces(values.enumerated().map { .init(name: "\($0)", value: $1) })
            let text = random.bytes(0...400, of: letters)
            var expected = text
            var found: Set<Int> = []
            for (owner, value) in values.enumerated() {
                for start in 0..<max(0, text.count - value.count + 1)
                where text[start..<start + value.count].elementsEqual(value) {
                    found.insert(owner)
                    for index in start..<start + value.count { expected[index] = UInt8(ascii: "*") }
                }
            }
            var redactor = SecretRedactor(traces)
            var covered: [UInt8] = []
            for (index, byte) in text.enumerated() {
                covered += redactor.feed([byte])
                let read = text[...index]
                let needed =
                    values.map { value in
                        (0..<value.count).last { read.count >= $0 && read.suffix($0).elementsEqual(value.prefix($0)) }
                            ?? 0
                    }.max() ?? 0
                #expect(redactor.heldCount <= needed)
            }
            covered += redactor.finish()
            #expect(covered == expected)
            #expect(redactor.found == found.sorted().map(String.init))
        }
    }

    /// Escapes and their halves, secrets that look like escapes, and everything in any order.
    @Test func `pieces make no difference, and the length stays`() throws {
        let alphabet = Array("%\\&#;xu2fF0/abn".utf8)
        for seed in 0..<300 {
            var random = Seeded(UInt64(seed) &+ 5000)
            let values = [random.bytes(8...10, of: alphabet), random.bytes(8...9, of: Array("/ab".utf8))]
            let traces = try SecretTraces(values.enumerated().map { .init(name: "\($0)", value: $1) })
            var text = random.bytes(0...80, of: alphabet)
            for value in values {
                let echo = Echo.allCases.randomElement(using: &random) ?? .plain
                text += echo.text(value, &random).bytes + random.bytes(0...40, of: alphabet)
            }
            var whole = SecretRedactor(traces)
            let expected = whole.feed(text) + whole.finish()
            let (covered, most) = Self.feed(text, traces, &random)
            #expect(covered == expected && covered.count == text.count && most <= traces.mostHeld)
            #expect(!whole.found.isEmpty)
            for value in values {
                let isThere = covered.indices.contains { covered[$0...].starts(with: value) }
                #expect(!isThere)
            }
        }
    }

    // MARK: What waits

    @Test func `an event of a stream goes out at once`() throws {
        var redactor = SecretRedactor(try Self.traces("sk-proj-0123456789abcdef"))
        for event in ["data: {\"text\":\"hello \\n world\"}\n\n", ": ping\n\n", "data: [DONE]\n\n"] {
            #expect(redactor.feed(Array(event.utf8)) == Array(event.utf8))
        }
        #expect(redactor.heldCount == 0)
    }

    @Test func `only what may be the beginning waits, and goes as soon as it is not`() throws {
        var redactor = SecretRedactor(try Self.traces("sk-proj-0123456789abcdef"))
        #expect(redactor.feed(Array("token sk-proj-01234".utf8)) == Array("token ".utf8))
        #expect(redactor.feed(Array("5".utf8)) == [])
        #expect(redactor.feed(Array("!".utf8)) == Array("sk-proj-012345!".utf8))
        #expect(redactor.feed(Array("100%".utf8)) == Array("100".utf8))
        #expect(redactor.feed(Array(" ".utf8)) == Array("% ".utf8))
        #expect(redactor.feed(Array("sk-proj-0123456789abcdef".utf8)) == Array(repeating: UInt8(ascii: "*"), count: 24))
        #expect(redactor.found == ["S0"])
    }

    @Test func `what waits at the end goes as it is`() throws {
        #expect(try Self.cover("a sk-proj-", Self.traces("sk-proj-0123456789abcdef")) == "a sk-proj-")
        #expect(try Self.cover("a \\u00", Self.traces("sk-proj-0123456789abcdef")) == "a \\u00")
        // Halves of an escape at the end belong to the value itself.
        #expect(try Self.cover("a%2Fb/c/d/%4", Self.traces("a/b/c/d/%4")) == "************")
    }

    // MARK: Values

    @Test func `a value beyond ASCII is found in the escapes of JSON, also in two halves`() throws {
        let traces = try Self.traces("pässwörd-😀")
        #expect(Self.cover("p\\u00e4ssw\\u00F6rd-\\ud83d\\ude00.", traces) == String(repeating: "*", count: 31) + ".")
        #expect(Self.cover("p%C3%A4ssw%c3%b6rd-😀.", traces) == String(repeating: "*", count: 23) + ".")
    }

    @Test func `a value of many lines is found where its ends of lines are escapes`() throws {
        let traces = try Self.traces("-----BEGIN KEY-----\nabc/def\n-----END KEY-----\n")
        let text = "{\"k\":\"-----BEGIN KEY-----\\nabc\\/def\\n-----END KEY-----\\n\"}"
        #expect(Self.cover(text, traces) == "{\"k\":\"" + String(repeating: "*", count: text.count - 8) + "\"}")
    }

    @Test func `of two values the longer one is covered as a whole, and both are named`() throws {
        var redactor = SecretRedactor(try Self.traces("12345678", "ab12345678cd"))
        let covered = redactor.feed(Array("xab12345678cdx 12345678 ".utf8)) + redactor.finish()
        #expect(String(decoding: covered, as: UTF8.self) == "x************x ******** ")
        #expect(redactor.found == ["S0", "S1"])
    }

    @Test func `values that would be found everywhere are refused, and those that are too long`() throws {
        let short = SecretTraces.Secret(name: "PIN", value: Array("1234567".utf8))
        #expect(throws: SecretTraces.Refusal.tooShort(name: "PIN")) { try SecretTraces([short]) }
        let long = SecretTraces.Secret(name: "BIG", value: [UInt8](repeating: 1, count: 16385))
        #expect(throws: SecretTraces.Refusal.tooLong(name: "BIG")) { try SecretTraces([long]) }
        #expect("\(SecretTraces.Refusal.tooShort(name: "PIN"))" == "the secret 'PIN' has fewer than 8 bytes")
    }

    @Test func `the longest value is found, in small memory`() throws {
        var random = Seeded(1)
        let value = random.bytes(16384...16384, of: Array("abcdefgh".utf8))
        let traces = try SecretTraces([.init(name: "BIG", value: value)])
        var redactor = SecretRedactor(traces)
        let covered = redactor.feed([0x20] + value) + redactor.finish()
        #expect(covered.dropFirst().allSatisfy { $0 == UInt8(ascii: "*") })
        #expect(traces.automaton.count < 500_000)
    }

    // MARK: Hostile bytes

    /// Texts that begin a value over and over again take no longer than others: steps are counted by the clock, very roughly.
    @Test func `time grows with the bytes and not with what they are`() throws {
        let value = String(repeating: "a", count: 2000) + "b"
        let traces = try Self.traces(value)
        let clock = ContinuousClock()
        let hostile = [UInt8](repeating: UInt8(ascii: "a"), count: 200_000)
        let escapes = Array(String(repeating: "%61\\u0061&#97;", count: 14_000).utf8)
        for text in [hostile, escapes] {
            let time = clock.measure {
                var redactor = SecretRedactor(traces)
                for start in stride(from: 0, to: text.count, by: 100) {
                    _ = redactor.feed(Array(text[start..<min(text.count, start + 100)]))
                }
                _ = redactor.finish()
            }
            // Two thousand times as much would be hours.
            #expect(time < .seconds(60))
        }
    }
}
