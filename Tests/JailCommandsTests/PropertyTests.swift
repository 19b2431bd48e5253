import JailCommands
import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Commands in general` {
    private static let rules = """
        { program: "/usr/bin/git", arguments: ["push", { pattern: "[a-z]+", most: 2 }], flags: ["-q", "--tags"], deny: ["-f"] },
        { program: "/usr/bin/git", arguments: ["add", "--", { below: "/srv", least: 0, most: 3 }], combined: true, flags: ["-v", "-n"] },
        { program: "/usr/bin/npm", arguments: ["run", { oneOf: ["build", "-x"] }], sha256: "DIGEST" },
        { name: "logs", program: "/usr/bin/journalctl", flags: [{ names: ["-n"], value: { from: 1, upTo: 9 }, form: "either" }] },
        """.replacing("DIGEST", with: String(repeating: "ab", count: 32))

    private static let words = [
        "push", "add", "run", "build", "-q", "--tags", "-f", "--force", "--", "-", "a", "main", "/srv/x", "/etc", "-n",
        "-n5", "5",
        "-vn", "-x", "é", "", "a b", "-C", "--tags=1", "$x", "\"", "\\", "'",
    ]

    private static func vector(_ generator: inout Seeded) -> [String] {
        let names = ["git", "git", "npm", "logs", "id", "/usr/bin/git", "/opt/x"]
        return [names[Int(generator.next() % 7)]]
            + (0..<Int(generator.next() % 5)).map { _ in words[Int(generator.next() % UInt64(words.count))] }
    }

    @Test func `the rule that is suggested allows what was asked, and only what is denied for want of one gets one`()
        throws
    {
        let policy = try policy("[\(Self.rules)]")
        var generator = Seeded(1)
        var suggested = 0
        for _ in 0..<3000 {
            let vector = Self.vector(&generator)
            let change = policy.remedy(for: vector) { $0 == "id" ? "/usr/bin/id" : nil }
            switch policy.decide(vector) {
            case .allow: #expect(change == nil)
            case .deny(let denial) where denial.kind != .unlisted: #expect(change == nil)
            case .deny:
                let change = try #require(change, "\(vector)")
                let wider = try JailCommandsTests.policy("[\(Self.rules) \(change.value)]")
                #expect(wider.allows(vector), "\(vector): \(change.value)")
                // And nothing beside it.
                #expect(!wider.allows(vector + ["z"]) || policy.allows(vector + ["z"]), "\(vector)")
                suggested += 1
            }
        }
        #expect(suggested > 1000)
    }

    @Test func `a rule more never takes away but what it denies, and a denial never allows`() throws {
        let one = try policy("[\(Self.rules)]")
        let more = try policy("[\(Self.rules) { program: '/usr/bin/git', arguments: ['x'] }]")
        let denying = try policy("[\(Self.rules) { program: '/usr/bin/git', arguments: ['push'], deny: ['a'] }]")
        var generator = Seeded(2)
        for _ in 0..<3000 {
            let vector = Self.vector(&generator)
            if one.allows(vector) { #expect(more.allows(vector)) }
            if denying.allows(vector), vector[1...] != ["push"] { #expect(one.allows(vector), "\(vector)") }
            if denying.allows(vector) { #expect(!(vector.contains("push") && vector.contains("a")), "\(vector)") }
        }
    }

    @Test func `nothing is allowed that is in no rule's words, whatever it is`() throws {
        let policy = try policy("[\(Self.rules)]")
        var generator = Seeded(4)
        var allowed = 0
        for _ in 0..<20_000 {
            let vector = Self.vector(&generator)
            guard policy.allows(vector) else { continue }
            allowed += 1
            #expect(!vector.contains("-f") && !vector.contains("--force") && !vector.contains("/etc"))
            #expect(!vector.contains("-C") && !vector.contains("--tags=1") && vector[0] != "id")
        }
        #expect(allowed > 100)
    }

    @Test func `a line of quoted words is decided as the words are`() throws {
        let policy = try policy("[\(Self.rules)]")
        var generator = Seeded(9)
        for _ in 0..<2000 {
            let vector = Self.vector(&generator)
            let line = vector.map { $0.isEmpty ? "''" : $0.shellQuoted }.joined(separator: " ")
            let byLine = policy.decide(bytes: [Array("sh".utf8), Array("-c".utf8), Array(line.utf8)])
            #expect(byLine == policy.decide(vector), "\(line)")
        }
    }
}
