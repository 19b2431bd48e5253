import JailCommands
import JailCore
import JailPolicy
import TestSupport
import Testing

func words(_ line: String) throws(ShellRefusal) -> [String] { try ShellReader.read(Array(line.utf8)) }

struct `Lines for a shell` {
    @Test func `the corpus has at least 300 lines, each once`() {
        let lines = ShellCorpus.accepted.map(\.line) + ShellCorpus.refused.map(\.line)
        #expect(lines.count >= 300)
        #expect(Set(lines.map { Array($0.utf8) }).count == lines.count)
        #expect(Set(ShellCorpus.refused.map(\.kind)).union([.tooLong, .notText]) == Set(ShellRefusal.Kind.allCases))
        print("lines for a shell: \(ShellCorpus.accepted.count) read, \(ShellCorpus.refused.count) refused")
    }

    @Test func `one command of words and quotes is read`() throws {
        for (line, expected) in ShellCorpus.accepted {
            do {
                let found = try words(line)
                #expect(found.map { Array($0.utf8) } == expected.map { Array($0.utf8) }, "\(line)")
            } catch { Issue.record("\(line): \(error.reason)") }
        }
    }

    @Test func `everything else is refused, and why`() {
        for (line, kind) in ShellCorpus.refused {
            do {
                Issue.record("\(line.debugDescription) was read as \(try words(line))")
            } catch {
                #expect(error.kind == kind, "\(line.debugDescription)")
                #expect(error.offset <= line.utf8.count)
                #expect(error.reason == error.reason.printable, "\(line.debugDescription)")
            }
        }
    }

    @Test func `bytes that are no text are refused`() {
        for bytes: [UInt8] in [
            [0x78, 0x20, 0x27, 0xFF, 0x27], [0x78, 0x20, 0xC0, 0xAF], [0x78, 0x20, 0x27, 0xED, 0xA0, 0x80, 0x27],
        ] {
            #expect(throws: ShellRefusal.self) { try ShellReader.read(bytes) }
        }
    }

    @Test func `a line of two megabytes is refused for its length`() {
        let line = Array(repeating: UInt8(ascii: "a"), count: 2 << 20)
        do {
            _ = try ShellReader.read(line)
            Issue.record("it was read")
        } catch { #expect(error.kind == .tooLong) }
    }

    @Test func `what is quoted for a shell is read as it was`() throws {
        var generator = Seeded(7)
        let characters = Array(" !\"#$%&'()*+,-./09:;<=>?@AZ[\\]^_`az{|}~é漢")
        for _ in 0..<2000 {
            let word = String(
                (0..<Int(generator.next() % 12)).map { _ in characters[Int(generator.next() % UInt64(characters.count))]
                })
            let quoted = word.isEmpty ? "''" : word.shellQuoted
            #expect(try words("x \(quoted)") == ["x", word])
        }
    }

    @Test func `only -c and -lc are options of the shell`() throws {
        func read(_ arguments: String...) throws(ShellCallRefusal) -> [String] {
            try ShellCall.read(arguments.map { Array($0.utf8) })
        }
        #expect(try read("-c", "npm test") == ["npm", "test"])
        #expect(try read("-lc", "npm test") == ["npm", "test"])
        for refused in [
            [], ["-c"], ["-lc"], ["x"], ["-i"], ["-s"], ["-cl", "x"], ["-l", "-c", "x"], ["-ec", "x"],
            ["-c", "x", "y"],
            ["-c", "--", "x"], ["--", "-c", "x"], ["-c", "x; y"], ["+c", "x"], ["-C", "x"], ["-c ", "x"],
            ["-lc", "x", ""],
        ] {
            #expect(throws: ShellCallRefusal.self) { try ShellCall.read(refused.map { Array($0.utf8) }) }
        }
    }
}
