import Glibc
import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Loading` {
    @Test func `a profile is found in the first directory that has it`() throws {
        let mine = try Directory()
        let shipped = try Directory()
        try mine.add("a", "{ description: 'mine' }")
        try shipped.add("a", "{ description: 'shipped' }")
        try shipped.add("b", "{ extends: 'a' }")
        let loader = mine.loader(then: ["/nonexistent", "/dev/null", shipped.path])
        #expect(try loader.load("a").summary == "mine")
        let b = try loader.load("b")
        #expect(b.name == "b")
        #expect(b.summary == "mine")
        #expect(b.files == ["\(mine.path)/a.json5", "\(shipped.path)/b.json5"])
        #expect(loader.available().map(\.name) == ["a", "b"])
        #expect(loader.available().map(\.path) == ["\(mine.path)/a.json5", "\(shipped.path)/b.json5"])
    }

    @Test func `a path is a file, and its parents are found by name`() throws {
        let shipped = try Directory()
        let other = try Directory()
        try shipped.add("base", "{ process: { programs: ['node'] } }")
        let path = try other.add("mine", "{ extends: 'base', process: { programs: ['sh'] } }")
        #expect(try shipped.loader.load(path).process.programs.map(\.name) == ["node", "sh"])
        #expect(try shipped.loader.load(path).name == "mine")
        #expect(
            message { try shipped.loader.load(other.path + "/no.json5") }
                == "profile: '\(other.path)/no.json5': no such file")
        #expect(message { try shipped.loader.load("no.json5") } == "profile: 'no.json5': no such file")
        try other.add("bad", "{ x: 1 }")
        #expect(
            message { try shipped.loader.load("\(other.path)/bad.json5") }.hasPrefix(
                "profile: \(other.path)/bad.json5:1:3: unknown key 'x'"))
    }

    @Test(arguments: [
        "/tmp/", "/tmp/x", "./..", "/tmp/A.json5", "/tmp/.json5", ".json5", "/tmp/a.json", "/tmp/a b.json5",
    ])
    func `a file that is not called like a profile is refused`(path: String) throws {
        #expect(
            message { try Directory().loader.load(path) }.hasPrefix(
                "profile: '\(path)': a profile's file is called NAME.json5"))
    }

    @Test(arguments: ["", "A", "a.b", "-a", "é", "a\u{1B}", "a b", ".."])
    func `a name that is none is refused`(name: String) throws {
        #expect(
            message { try Directory().loader.load(name) }.hasPrefix("profile: a profile's name must be a name of a-z"))
    }

    @Test func `an unknown profile names the nearest`() throws {
        let directory = try Directory()
        let none = message { try directory.loader.load("research") }
        #expect(none == "profile: no profile is called 'research'; there are none in \(directory.path)")
        try directory.add("research", "{}")
        try directory.add("child", "{\n extends: 'resaerch' }")
        #expect(
            message { try directory.loader.load("resarch") }
                == "profile: no profile is called 'resarch'; did you mean 'research'?")
        #expect(message { try directory.loader.load("zzzzzzzzz") }.hasSuffix("; known profiles: child, research"))
        #expect(
            message { try directory.loader.load("child") }
                == "profile: child.json5:2:11: no profile is called 'resaerch'; did you mean 'research'?")
    }

    @Test func `every refusal has the status of a wrong configuration`() throws {
        let directory = try Directory()
        try directory.add("a", "{ x: 1 }")
        for name in ["a", "none", "A", "/x"] {
            do {
                _ = try directory.loader.load(name)
                Issue.record("no error")
            } catch {
                #expect(error.stage == .profile)
                #expect(error.status == 78)
            }
        }
    }

    @Test func `circles are refused with the chain`() throws {
        let directory = try Directory()
        try directory.add("a", "{ extends: 'b' }")
        try directory.add("b", "{ extends: 'c' }")
        try directory.add("c", "{ extends: 'a' }")
        try directory.add("self", "{ extends: 'self' }")
        #expect(
            message { try directory.loader.load("a") }
                == "profile: c.json5:1:12: 'extends' goes in a circle: a → b → c → a")
        #expect(
            message { try directory.loader.load("self") }
                == "profile: self.json5:1:12: 'extends' goes in a circle: self → self")
        // By its path it is the same file.
        #expect(message { try directory.loader.load("\(directory.path)/a.json5") }.contains("circle: a → b → c → a"))
    }

    @Test func `a chain of eight profiles is read and one of nine is not`() throws {
        let directory = try Directory()
        try directory.add("p1", "{ process: { programs: ['p1'] } }")
        for number in 2...9 {
            try directory.add("p\(number)", "{ extends: 'p\(number - 1)', process: { programs: ['p\(number)'] } }")
        }
        #expect(try directory.loader.load("p8").process.programs.map(\.name) == (1...8).map { "p\($0)" })
        #expect(
            message { try directory.loader.load("p9") }
                == "profile: p2.json5:1:12: 'extends' goes through more than 8 profiles: p9 → p8 → p7 → p6 → p5 → p4 → p3 → p2 → p1"
        )
    }

    @Test(arguments: [
        ("1", "'extends' must be a string, not a number"), ("['a', 'b']", "'extends' must be a string, not a list"),
        ("'../a'", "'extends' must be a name of a-z"), ("'/etc/x.json5'", "'extends' must be a name of a-z"),
        ("'a.json5'", "'extends' must be a name of a-z"),
    ])
    func `only a name can be extended`(value: String, expected: String) throws {
        let directory = try Directory()
        try directory.add("a", "{ extends: \(value) }")
        #expect(message { try directory.loader.load("a") }.hasPrefix("profile: a.json5:1:12: \(expected)"))
    }
}

struct `Profile files` {
    @Test(arguments: [0o664, 0o646, 0o666, 0o622, 0o602] as [UInt32])
    func `a file that others may write is refused with the command that mends it`(mode: UInt32) throws {
        let directory = try Directory()
        let path = try directory.add("a", "{}", mode: mode)
        let octal = String(mode, radix: 8)
        #expect(
            message { try directory.loader.load("a") }
                == "profile: '\(path)': may be written by others than its owner (mode 0\(octal)); chmod go-w \(path)")
    }

    @Test func `a file that others may only read is taken`() throws {
        let directory = try Directory()
        try directory.add("a", "{}", mode: 0o755)
        try directory.add("b", "{}", mode: 0o400)
        _ = try directory.loader.load("a")
        _ = try directory.loader.load("b")
    }

    @Test func `a file of another user is refused`() throws {
        let directory = try Directory()
        let path = try directory.add("a", "{}")
        var loader = directory.loader
        loader.owners = [4_000_000_000]
        #expect(
            message { try loader.load("a") }
                == "profile: '\(path)': belongs to user \(System.userID), who could change what it allows; "
                + "make it yours or root's: sudo chown root \(path)")
    }

    @Test func `a parent is checked like a child`() throws {
        let directory = try Directory()
        try directory.add("a", "{}", mode: 0o666)
        try directory.add("b", "{ extends: 'a' }")
        #expect(message { try directory.loader.load("b") }.contains("a.json5': may be written by others"))
    }

    @Test func `an unsafe file does not give way to another directory`() throws {
        let mine = try Directory()
        let shipped = try Directory()
        try mine.add("a", "{}", mode: 0o666)
        try shipped.add("a", "{}")
        #expect(message { try mine.loader(then: [shipped.path]).load("a") }.contains("may be written by others"))
    }

    @Test func `what is no regular file is refused without waiting for it`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/dir.json5"
        try System.makeDirectory(path, mode: 0o700)
        #expect(message { try directory.loader.load("dir") } == "profile: '\(path)': is no regular file")
        try System.makeSymlink("\(directory.path)/null.json5", to: "/dev/null")
        #expect(message { try directory.loader.load("null") }.hasSuffix("is no regular file"))
    }

    @Test func `a FIFO is refused without waiting for a writer`() throws {
        let directory = try Directory()
        let path = "\(directory.path)/fifo.json5"
        try #require(unsafe mkfifo(path, 0o600) == 0)
        // If the loader does wait, this lets it go on, late.
        let writer = Task.detached {
            try await Task.sleep(for: .seconds(5))
            _ = try System.open(path, [.writeOnly, .nonBlocking])
        }
        let time = ContinuousClock().measure {
            #expect(message { try directory.loader.load("fifo") } == "profile: '\(path)': is no regular file")
        }
        writer.cancel()
        #expect(time < .seconds(4))
    }

    @Test func `a symlink counts as what it leads to`() throws {
        let directory = try Directory()
        let other = try Directory()
        try other.add("real", "{ description: 'real' }", mode: 0o644)
        try System.makeSymlink("\(directory.path)/link.json5", to: "\(other.path)/real.json5")
        #expect(try directory.loader.load("link").summary == "real")
        try other.add("real", "{}", mode: 0o666)
        #expect(message { try directory.loader.load("link") }.contains("may be written by others"))
        try System.makeSymlink("\(directory.path)/loop.json5", to: "loop.json5")
        #expect(message { try directory.loader.load("loop") }.contains("openat2"))
    }

    @Test func `a file of more than 1 MiB is refused`() throws {
        let directory = try Directory()
        let path = try directory.add("big", [UInt8](repeating: 0x20, count: (1 << 20) + 1))
        #expect(message { try directory.loader.load("big") } == "profile: '\(path)': is longer than 1 MiB")
    }

    @Test func `a command in a hint is quoted for the shell`() throws {
        let directory = try Directory()
        let inner = "\(directory.path)/it's here"
        try System.makeDirectory(inner, mode: 0o700)
        let file = try System.open("\(inner)/a.json5", [.writeOnly, .create], mode: 0o600)
        try System.writeAll(file.borrowed, "{}")
        try System.changeMode("\(inner)/a.json5", 0o666)
        let text = message { try directory.loader.load("\(inner)/a.json5") }
        try System.unlink("\(inner)/a.json5")
        #expect(text.hasSuffix("chmod go-w '\(directory.path)/it'\\''s here/a.json5'"))
    }

    @Test func `a truncated profile is an error at every length`() throws {
        let text = Array(Samples.full.utf8)
        for end in text.indices where !text[end...].allSatisfy({ $0 == 0x0A || $0 == 0x20 }) {
            #expect(throws: JSON5Error.self) { try JSON5Reader.read(Array(text[..<end]), file: "f") }
        }
    }

    @Test func `a profile with one changed byte never crashes the decoder`() throws {
        let text = Array(Samples.full.utf8)
        var generator = Seeded(3)
        for index in text.indices {
            var changed = text
            changed[index] = UInt8.random(in: 0...255, using: &generator)
            guard let tree = try? JSON5Reader.read(changed, file: "f") else { continue }
            let text = message { try ProfileLoader.decode(tree, name: "p", home: nil) }
            #expect(!text.contains("\n"))
        }
    }
}
