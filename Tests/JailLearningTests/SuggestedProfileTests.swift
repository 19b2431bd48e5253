import JailPolicy
import TestSupport
import Testing

@testable import JailLearning

@Suite("Profiles that suggest writes")
struct SuggestedProfileTests {
    static func suggestion(_ key: String, _ value: String, _ isElement: Bool, seen: [Observation] = []) -> Suggestion {
        Suggestion(
            change: ProfileChange(key: key, value: value, isElement: isElement), evidence: Evidence(seen), risk: "")
    }

    static func sample() -> SuggestedProfile {
        var made = SuggestedProfile(extending: "research")
        let seen = [Observation(.program("git\n\u{2028}],é"), .denied, program: "node", count: 2)]
        made.add(suggestion("limits.memory", "\"1G\"", false), on: "2026-11-30")
        made.add(suggestion("process.programs", "\"git\"", true, seen: seen), on: "2026-11-30")
        made.add(suggestion("limits.cpus", "1.5", false), on: "2026-11-30")
        made.add(suggestion("filesystem.data", "{ size: \"256M\" }", false), on: "2026-11-30")
        made.add(suggestion("network.listen", "80", true), on: "2026-11-30")
        made.add(
            suggestion(
                "network.allow", "{ hosts: [\"a.org\"], methods: [\"GET\"], paths: [\"/a\\\\*\"], websocket: true }",
                true), on: "2026-11-30")
        return made
    }

    @Test func `have every permission below its evidence`() throws {
        var made = SuggestedProfile(extending: "research")
        let seen = [Observation(.program("git"), .denied, program: "node", count: 2)]
        made.add(Self.suggestion("process.programs", "\"git\"", true, seen: seen), on: "2026-11-30")
        #expect(
            made.text == """
                \(SuggestedProfile.mark)
                {
                  description: "research, and what was seen to be missing",
                  extends: "research",

                  process: {
                    programs: [
                      // 2026-11-30: asked for 2 times by node: the program git
                      "git",
                    ],
                  },
                }

                """)
    }

    @Test func `are read as they were written`() throws {
        let made = Self.sample()
        let again = try #require(SuggestedProfile(Array(made.text.utf8)))
        #expect(again.text == made.text && again.parent == "research" && again.grants.count == 6)
    }

    @Test func `say what was suggested`() throws {
        let text = Self.sample().text
        let profile = try ProfileLoader.decode(JSON5Reader.read(Array(text.utf8), file: "p"), name: "p", home: nil)
        #expect(profile.process.programs == [ProgramRule(name: "git")])
        #expect(profile.limits.memory == 1 << 30 && profile.limits.milliCPUs == 1500)
        #expect(profile.network.allow.count == 1 && profile.network.listen == [80])
    }

    @Test func `replace what is one value, and add to lists once`() throws {
        var made = Self.sample()
        made.add(Self.suggestion("limits.memory", "\"2G\"", false), on: "2026-12-01")
        made.add(Self.suggestion("process.programs", "\"git\"", true), on: "2026-12-01")
        #expect(made.grants.count == 6)
        #expect(made.text.contains("memory: \"2G\"") && !made.text.contains("memory: \"1G\""))
    }

    @Test(arguments: [
        ("memory: \"1G\"", "memory: \"8G\" "), ("  limits: {", "  limits: {\n    swap: \"1G\","),
        ("\"git\"", "\"sh\", \"git\""),
        ("// 2026", "/* 2026"), ("extends: \"research\"", "extends: \"../x\""), ("// Made", "// made"),
        ("\n}\n", "\n}\n// mine\n"), ("    // 2026-11-30: asked for 2", "    // mine\n    // 2026-11-30: asked for 2"),
    ])
    func `that were edited are none any more`(from: String, to: String) throws {
        let text = Self.sample().text
        let edited = text.replacing(from, with: to, maxReplacements: 1)
        #expect(edited != text && SuggestedProfile(Array(edited.utf8)) == nil)
    }

    @Test func `are read back, whatever bytes are changed`() throws {
        let text = Array(Self.sample().text.utf8)
        var generator = Seeded(7)
        for _ in 0..<2000 {
            var bytes = text
            bytes[Int(generator.next() % UInt64(bytes.count))] = UInt8(generator.next() % 256)
            if let read = SuggestedProfile(bytes) { #expect(Array(read.text.utf8) == bytes) }
        }
    }
}
