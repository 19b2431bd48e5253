import Foundation
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

struct `A plan on paper` {
    static func object(_ plan: LaunchPlan) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(plan.json.text().utf8)) as? [String: Any])
    }

    @Test func `its JSON has a version and these keys, in this order`() throws {
        let made = try plan(try Shipped.load("stateful"))
        guard case .object(let members) = made.json else {
            Issue.record("no object")
            return
        }
        #expect(
            members.map(\.0) == [
                "version", "name", "gateway", "profile", "command", "identity", "namespaces", "limits", "mounts",
                "landlock", "appArmor", "seccomp", "selfTest", "network", "data", "review", "sessions", "health",
                "restart", "audit",
                "alerts", "canaries", "approvals", "commands",
                "leftOut",
                "notes", "stopGraceMilliseconds",
            ])
        #expect(made.json.text().hasPrefix(#"{"version":1,"name":"jail","#))
    }

    @Test func `each mount is in its JSON, in order, with what it may do`() throws {
        let made = try plan(try Shipped.load("stateful"))
        let steps = try #require(try Self.object(made)["mounts"] as? [[String: Any]])
        #expect(steps.compactMap { $0["path"] as? String } == made.mounts.map(\.path))
        let known: Set = ["directory", "file", "symlink", "bind", "tmpfs", "proc", "devpts", "cover", "trust"]
        for step in steps { #expect(known.contains(step["step"] as? String ?? "")) }
        let node = try #require(steps.first { $0["path"] as? String == "/usr/bin/node" })
        #expect(node["attributes"] as? String == "ro,nosuid,nodev" && node["purpose"] as? String == "program")
        let data = try #require(steps.first { $0["purpose"] as? String == "data" })
        #expect(data["attributes"] as? String == "rw,nosuid,nodev,noexec")
    }

    @Test func `what was left out is null, not absent`() throws {
        var profile = bare()
        profile.optional = [.landlock]
        let object = try Self.object(try plan(profile, on: PaperHost.facts { $0.landlockABI = 0 }))
        #expect(object["landlock"] is NSNull && object["data"] is NSNull)
        let left = try #require((object["leftOut"] as? [[String: String]])?.first)
        #expect(left == ["protection": "landlock", "reason": "the kernel has no Landlock"])
    }

    @Test(arguments: Shipped.names)
    func `its text mentions everything that is made, mounted, published and limited`(name: String) throws {
        let made = try plan(try Shipped.load(name))
        let words = Set(made.text.split(whereSeparator: { $0.isWhitespace || $0 == "," }).map(String.init))
        for step in made.mounts { #expect(words.contains(step.path), "\(step.path)") }
        for port in made.network.publish { #expect(words.contains(port.hostText)) }
        for rule in made.limits.resources { #expect(words.contains("\(rule.value)")) }
        for note in made.notes { #expect(made.text.contains(note)) }
        #expect(words.contains("seccomp") && words.contains("landlock") && words.contains("capabilities"))
    }

    @Test func `nothing in it can write to a reader's terminal`() throws {
        let profile = bare {
            $0.process.environment = [EnvironmentVariable(name: "A", value: "x\u{1B}[2J\nforged")]
            $0.filesystem.read = [BindRule(source: "/srv/\u{1B}x", target: "/srv/\u{1B}x")]
        }
        let made = try plan(profile, on: PaperHost.facts { $0.add("/srv/\u{1B}x", isDirectory: true) }) {
            $0.arguments = ["node\u{9B}", "\u{202E}"]
        }
        #expect(!made.text.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x9B || $0.value == 0x202E })
        #expect(!made.text.contains("\nforged"))
        #expect(!made.json.text().unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x9B })
    }

    @Test(arguments: [
        ("plain-1.2_x=/a:b,c@d+e", "plain-1.2_x=/a:b,c@d+e"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"),
        ("$x", "'$x'"), ("a\nb", "'a\nb'"), ("é", "'é'"),
    ])
    func `arguments are quoted where a shell would need it`(text: String, quoted: String) {
        #expect(text.quotedForShell == quoted)
    }

    @Test func `published ports are addresses that can be typed`() {
        var port = PublishedPort(hostPort: 18789, jailPort: 1)
        #expect(port.hostText == "127.0.0.1:18789")
        port.hostAddress = 0xC0A8_0102
        #expect(port.hostText == "192.168.1.2:18789")
    }
}
