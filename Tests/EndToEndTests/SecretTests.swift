import Foundation
import Glibc
import Testing

/// Values go into the store, and come out nowhere.
@Suite struct SecretTests {
    private static let value = "Zq8vT3nW5yB1kD7mP9rS2uX4"
    private static let other = "aaH4kL0sVe2qRt6yUi8oPz1x"

    /// A caller whose store is empty, and stays apart from that of the host.
    private struct Place {
        var jail: Jail

        init(_ caller: Caller) throws {
            jail = try Jail(caller)
            // Root's state is the host's own: a directory of the test's stands in its place.
            if caller == .root {
                let state = try Scratch.directory("state", owner: 0, mode: 0o700)
                jail.hostChange = "mkdir -p /var/lib/clawjail && mount --bind '\(state)' /var/lib/clawjail"
                directory = "\(state)/secrets"
            } else {
                directory = "\(jail.stateDirectory)/secrets"
            }
        }

        let directory: String

        func secret(_ words: String..., input: String? = nil) throws -> Finished {
            var jail = jail
            if let input {
                jail.standardInput = Scratch.file("input")
                try Scratch.write(input, to: jail.standardInput)
            }
            return try jail.start(words: ["secret"] + words).wait(30)
        }

        func terminal(_ words: String...) throws -> TerminalSession {
            try TerminalSession(jail, words: ["secret"] + words)
        }

        /// No file of the store has it.
        func expectHidden(_ value: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)"))
                #expect(bytes.range(of: Data(value.utf8)) == nil, "\(name)", sourceLocation: sourceLocation)
            }
        }
    }

    @Test(arguments: Caller.all) func `a secret is set, listed, tested, rotated and removed`(caller: Caller) throws {
        let place = try Place(caller)
        let set = try place.secret("set", "github", input: Self.value + "\n")
        #expect(set.status == 0, "\(set.errors)")
        #expect(set.text == "set: github\n")
        try place.expectHidden(Self.value)

        let list = try place.secret("list")
        #expect(list.text.contains("github"))
        #expect(list.text.contains("up to 32"))
        #expect(list.text.contains("from the file"))
        let json = try place.secret("list", "--json").text
        #expect(json.contains(#""source":"file""#))
        #expect(json.contains(#""previousUntil":null,"lengthUpTo":32"#))

        try place.secret("set", "github", input: Self.other).expectRefusal(122, "rotate github")
        try place.secret("rotate", "github", input: Self.value).expectRefusal(122, "that value already")
        let rotated = try place.secret("rotate", "github", "--grace", "1h", input: Self.other)
        #expect(rotated.status == 0, "\(rotated.errors)")
        #expect(rotated.text.contains("the value before counts until"))
        let tested = try place.secret("test", "github")
        #expect(tested.text.contains("can be opened"))
        #expect(tested.text.contains("the value before counts until"))
        try place.expectHidden(Self.value)
        try place.expectHidden(Self.other)

        #expect(try place.secret("remove", "github").status == 0)
        try place.secret("test", "github").expectRefusal(120, "there is no secret")
        #expect(try place.secret("list").text == "there are no secrets\n")
        let history = try String(contentsOfFile: "\(place.directory)/history.jsonl", encoding: .utf8)
        #expect(history.split(separator: "\n").count == 3)
    }

    @Test(arguments: Caller.all) func `a prompt shows nothing of what is typed`(caller: Caller) throws {
        let place = try Place(caller)
        let session = try place.terminal("set", "typed")
        // From question to question: nothing is between but the ends of the lines.
        try session.expect("value of 'typed'")
        session.type(Self.value + "\n")
        try session.expect(": \r\nonce more")
        session.type(Self.value + "\n")
        try session.expect(": \r\nset: typed")
        #expect(try session.finish().status == 0)
        #expect(session.attributes[2] & UInt32(ECHO) != 0)
        #expect(try place.secret("test", "typed").status == 0)
    }

    @Test(arguments: Caller.all) func `what is not typed the same twice is not kept, and echo comes back`(
        caller: Caller
    ) throws {
        let place = try Place(caller)
        let session = try place.terminal("set", "typed")
        try session.expect("value of 'typed': ")
        #expect(session.attributes[2] & UInt32(ECHO) == 0)
        session.type(Self.value + "\n")
        try session.expect("once more: ")
        session.type(Self.other + "\n")
        try session.expect("not the same")
        #expect(try session.finish().status == 64)
        #expect(session.attributes[2] & UInt32(ECHO) != 0)

        let long = try place.terminal("set", "typed")
        try long.expect("value of 'typed': ")
        long.type(String(repeating: "x", count: 4095) + "\n")
        try long.expect("4094 bytes at most")
        #expect(try long.finish().status == 64)

        for signal in [SIGINT, SIGTERM] {
            let interrupted = try place.terminal("set", "typed")
            try interrupted.expect("value of 'typed': ")
            interrupted.type(Self.value)
            interrupted.running.signal(signal)
            #expect(try interrupted.finish().status == 128 + signal)
            #expect(!interrupted.text.contains(Self.value))
            #expect(interrupted.attributes[2] & UInt32(ECHO) != 0)
        }
        #expect(try place.secret("list").text == "there are no secrets\n")
    }

    @Test(arguments: Caller.all) func `a value is no argument, and is not repeated`(caller: Caller) throws {
        let place = try Place(caller)
        for words in [
            ["set", "a", Self.value], ["set", "a", "--value=\(Self.value)"], ["rotate", "a", "--\(Self.value)"],
        ] {
            let finished = try place.jail.start(words: ["secret"] + words).wait(30)
            finished.expectRefusal(64, "a value is never an argument")
            #expect(!finished.errors.contains(Self.value))
        }
        #expect(!FileManager.default.fileExists(atPath: "\(place.directory)/a.sealed"))
    }

    @Test(arguments: Caller.all) func `empty values, lines and NUL bytes are refused`(caller: Caller) throws {
        let place = try Place(caller)
        for (input, reason) in [
            ("", "empty"), ("\n", "empty"), ("\(Self.value)\nb\n", "more than one line"), ("\(Self.value)\0b", "NUL"),
            (String(repeating: Self.value, count: 3000), "longer than 64 KiB"),
        ] {
            let finished = try place.secret("set", "a", input: input)
            finished.expectRefusal(64, reason)
            #expect(!finished.errors.contains(Self.value))
        }
        try place.secret("set", "A", input: Self.value).expectRefusal(64, "no name of a secret")
        try place.secret("set", "../a", input: Self.value).expectRefusal(64, "no name of a secret")
        #expect(try place.secret("set", "pem", "--multiline", input: "a\nb\n").status == 0)
    }

    @Test(arguments: Caller.all) func `a generated secret is shown to whoever asks, and only then`(
        caller: Caller
    ) throws {
        let place = try Place(caller)
        #expect(try place.secret("generate", "quiet").text == "generated: quiet\n")
        let shown = try place.secret("generate", "shown", "--bits", "512", "--show").text
        #expect(shown.utf8.count == 87)
        try place.expectHidden(String(shown.dropLast()))
        try place.secret("generate", "weak", "--bits", "64").expectRefusal(64, "--bits")
        try place.secret("generate", "shown").expectRefusal(122, "already")
    }

    @Test(arguments: Caller.all) func `another key is an error, and a changed file is found`(caller: Caller) throws {
        let place = try Place(caller)
        #expect(try place.secret("set", "a", input: Self.value).status == 0)
        #expect(try place.secret("set", "b", input: Self.other).status == 0)
        try FileManager.default.removeItem(atPath: "\(place.directory)/b.sealed")
        #expect(unsafe rename("\(place.directory)/a.sealed", "\(place.directory)/b.sealed") == 0)
        let list = try place.secret("list")
        #expect(list.status == 1)
        #expect(list.errors.contains("sealed as 'a'"))
        try place.secret("test", "b").expectRefusal(78, "sealed as 'a'")

        let key = try FileHandle(forWritingTo: URL(fileURLWithPath: "\(place.directory)/key"))
        try key.write(contentsOf: Data(repeating: 7, count: 32))
        try key.close()
        try place.secret("test", "b").expectRefusal(78, "another key")
        try place.secret("set", "c", input: Self.other).expectRefusal(78, "another key")
    }

    @Test(arguments: Caller.all) func `a process that holds a value is no one's to read`(caller: Caller) throws {
        let place = try Place(caller)
        let session = try place.terminal("set", "held")
        try session.expect("value of 'held': ")
        session.type(Self.value + "\n")
        try session.expect("once more: ")
        let holders = try shell("pgrep -x clawjail || true").text.split(separator: "\n").filter { pid in
            let words = try? String(contentsOfFile: "/proc/\(pid)/cmdline", encoding: .utf8)
            return words?.contains("secret\0set\0held") == true
        }
        let pid = try #require(holders.last)
        let limits = try String(contentsOfFile: "/proc/\(pid)/limits", encoding: .utf8)
        let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
        #expect(core.split(separator: " ").filter { $0 == "0" }.count == 2)
        // What is not dumpable belongs to root, whoever started it.
        var status = stat()
        #expect(unsafe stat("/proc/\(pid)/environ", &status) == 0)
        #expect(status.st_uid == 0)
        for file in ["environ", "cmdline"] where Host.isRoot {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(pid)/\(file)"))
            #expect(bytes.range(of: Data(Self.value.utf8)) == nil)
        }
        session.type("\n")
        #expect(try session.finish().status == 64)
    }
}
