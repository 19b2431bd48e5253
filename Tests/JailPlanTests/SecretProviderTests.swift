import JailCore
import JailPolicy
import Testing

@testable import JailPlan

struct `Plans with a provider of placeholders` {
    private static func make(_ change: (inout Profile) -> Void = { _ in }) throws(JailError) -> LaunchPlan {
        var profile = bare { $0.process.secretProvider = true }
        change(&profile)
        return try plan(profile, on: `Plans with sessions`.facts(), name: "gw") {
            $0.sessionProfile = Profile(name: "session")
        }
    }

    private static let list =
        #"{"anthropic":"sk-ant-0123456789abcdefghijkl","b":"ghp_0123456789abcdefghijklmn"}"# + "\n"

    @Test func `the jail gets clawjail, a program of its own that names it, and a list for itself alone`() throws {
        let plan = try Self.make()
        #expect(plan.bind(at: "/usr/bin/clawjail")?.source == "/opt/clawjail/bin/clawjail")
        #expect(plan.access(to: "/usr/bin/clawjail") == [.execute])
        #expect(plan.access(to: PlaceholderFile.program) == [.execute])
        let content = "#!/usr/bin/clawjail secret provider\n"
        #expect(plan.mounts.contains(.script(path: PlaceholderFile.program, content: content)))
        #expect(plan.mounts.contains(.file(path: PlaceholderFile.path, content: "{}\n", mode: 0o400)))
        #expect(plan.text.contains("/run/clawjail/bin/clawjail-secrets, runs /usr/bin/clawjail secret provider"))
        expectInvariants(plan, bare { $0.process.secretProvider = true })
    }

    @Test func `without the key there is none of it`() throws {
        let plan = try Self.make { $0.process.secretProvider = false }
        #expect(plan.bind(at: "/usr/bin/clawjail") == nil)
        #expect(!plan.mounts.contains { $0.path.isBelow("/run/clawjail") })
    }

    @Test func `with sessions clawjail is shown once`() throws {
        let plan = try Self.make { $0.sessions = SessionRules(profile: "session") }
        #expect(plan.mounts.count { $0.path == "/usr/bin/clawjail" } == 1)
        #expect(plan.sessions?.program == "/usr/bin/clawjail")
    }

    @Test func `placeholders are filled in, and stand nowhere else`() throws {
        var plan = try Self.make()
        plan.show(placeholders: [("anthropic", "sk-ant-0123456789abcdefghijkl"), ("b", "ghp_0123456789abcdefghijklmn")])
        #expect(plan.mounts.contains(.file(path: PlaceholderFile.path, content: Self.list, mode: 0o400)))
        plan.show(placeholders: [])
        #expect(plan == (try Self.make()))
    }

    @Test func `what is written is read again, and nothing else`() throws {
        let read = try #require(PlaceholderFile.read(Array(Self.list.utf8)))
        #expect(
            read.mapValues(\.text) == [
                "anthropic": "sk-ant-0123456789abcdefghijkl", "b": "ghp_0123456789abcdefghijklmn",
            ])
        let long = "{\"a\":\"" + String(repeating: "x", count: PlaceholderFile.sizeLimit) + "\"}"
        for text in ["", "[]", "{\"a\":1}", "{\"a\":\"short\"}", "{\"a\":\"with a blank 0123456789\"}", long] {
            #expect(PlaceholderFile.read(Array(text.utf8)) == nil, "\(text.prefix(80))")
        }
    }
}
