import Foundation
import JailCommands
import JailCore
import TestSupport
import Testing

/// Holds the reader against real shells: what it reads, they read alike.
struct `Lines for a shell, and shells` {
    private static let runs = Int(System.environmentValue("CLAWJAIL_FUZZ_RUNS") ?? "") ?? 20_000

    /// Every way in which a shell is called by those who have `sh` for its name.
    private static let shells = [["dash"], ["bash"], ["bash", "--posix"]]

    @Test(.needs("dash", "bash"), arguments: shells)
    func `what is read of the corpus a real shell reads alike`(shell: [String]) throws {
        let lines = ShellCorpus.accepted.map { Array($0.line.utf8) }
        #expect(try disagreements(shell, lines).isEmpty)
    }

    @Test(.needs("dash", "bash"), arguments: shells)
    func `no line of nasty characters is read that a real shell reads otherwise`(shell: [String]) throws {
        var generator = Seeded(11)
        var read: [[UInt8]] = []
        for _ in 0..<Self.runs {
            let line = Self.nasty(&generator)
            if (try? ShellReader.read(line)) != nil { read.append(line) }
        }
        print("lines for \(shell.joined(separator: " ")): \(Self.runs) made, \(read.count) read")
        #expect(read.count > Self.runs / 100)
        #expect(try disagreements(shell, read).isEmpty)
    }

    @Test(.needs("dash"))
    func `a disagreement is seen where there is one`() throws {
        // What the reader would say if it took a variable, or a pattern, for plain characters.
        let answers = try Self.ask(["dash"], [Array("x \"$HOME\"".utf8), Array("x ?".utf8)])
        #expect(answers.count == 2)
        #expect(answers[0] != [Array("x".utf8), Array("$HOME".utf8)])
        #expect(answers[1] != [Array("x".utf8), Array("?".utf8)])
    }

    // MARK: Lines

    private static let pieces = [
        " ", " ", " ", "\t", "'", "'", "\"", "\"", "\\", "\\", "a", "b", "c", "x", "-", "--", "=", "~", ":", "/", ".",
        "..", ",",
        "%", "^", "@", "+", "#", "é", "漢", "\u{81}", "\u{88}", "0", "1", "_", "n", "if", "a=", "in", "\\\\", "''",
        "\"\"",
    ]
    private static let nastier = [
        "$", "`", "$(", ")", "(", "{", "}", "{a,b}", "*", "?", "[a]", "[", "]", "!", ";", "&", "&&", "|", "<", ">",
        "<<", "2>",
        "\n", "\r", "\0", "$'", "${IFS}", "$IFS", "\u{1}", "\u{7F}", "\u{A0}", "；", "‘", "ж", "\u{202E}",
    ]

    private static func nasty(_ generator: inout Seeded) -> [UInt8] {
        var line: [UInt8] = Array("x ".utf8)
        // Most lines with one of those in them are refused, and say nothing.
        let isNastier = generator.chance(4)
        for _ in 0..<(1 + generator.next() % 14) {
            let list = isNastier && generator.chance(4) ? nastier : pieces
            let piece = list[Int(generator.next() % UInt64(list.count))]
            let isInQuotes = generator.chance(6)
            line += Array((isInQuotes ? "'\(piece)'" : piece).utf8)
            if generator.chance(400) { line.append(UInt8(truncatingIfNeeded: generator.next())) }
        }
        return line
    }

    // MARK: Shells

    /// Lines that the reader and a shell take for different words.
    private func disagreements(_ shell: [String], _ lines: [[UInt8]]) throws -> [String] {
        let answers = try Self.ask(shell, lines)
        #expect(answers.count == lines.count)
        return zip(lines, answers).compactMap { line, answer in
            let words = (try? ShellReader.read(line))?.map { Array($0.utf8) }
            if words == answer { return nil }
            let text = String(decoding: line, as: UTF8.self).debugDescription
            return "\(text): read as \(words.map(Self.text) ?? "nothing"), by the shell as \(Self.text(answer))"
        }
    }

    private static func text(_ words: [[UInt8]]) -> String {
        words.map { String(decoding: $0, as: UTF8.self).debugDescription }.joined(separator: " ")
    }

    /// The words that a shell makes of each line, which stands in a script behind the name of a function that prints them.
    private static func ask(_ shell: [String], _ lines: [[UInt8]]) throws -> [[[UInt8]]] {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "clawjail-shell-\(UUID().uuidString)")
        // Names that patterns could match, where the shell works.
        let work = directory.appendingPathComponent("work")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        for name in ["a", "b", "x", "ab", "n", "1"] { try Data().write(to: work.appendingPathComponent(name)) }
        let script = directory.appendingPathComponent("script").path
        let text = Array(function.utf8) + lines.flatMap { Array("show ".utf8) + $0 + [0x0A] }
        try Data(text).write(to: URL(fileURLWithPath: script))
        let output = directory.appendingPathComponent("output").path
        let command = "cd \(work.path) && exec \(shell.joined(separator: " ")) \(script) > \(output)"
        let result = try Program.run(
            "/bin/sh", ["-c", command], environment: ["HOME": "/nowhere", "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"])
        #expect(result.output == "")
        let answers = try System.readFile(output)
        return answers.split(separator: 2, omittingEmptySubsequences: false).dropLast().map { words in
            words.split(separator: 1, omittingEmptySubsequences: false).dropLast().map(Array.init)
        }
    }

    /// No line that is read has a control character in it, so these end its words, and the line.
    private static let function = "show() { for word; do printf '%s\\001' \"$word\"; done; printf '\\002'; }\n"
}
