import JailCore
import JailPolicy
import TestSupport
import Testing

struct `Differences in words` {
    private func words(_ old: String, _ new: String) throws -> [String] {
        PermissionDiff.lines(from: try profile("{ \(old) }"), to: try profile("{ \(new) }")).map(\.description)
    }

    @Test func `name what may be done more, and what no longer`() throws {
        let read = "network: { allow: [{ hosts: ['hooks.example.org'], methods: ['GET'], paths: ['/build'] }] }"
        let post = "network: { allow: [{ hosts: ['hooks.example.org'], methods: ['GET', 'POST'], paths: ['/build'] }] }"
        #expect(try words(read, post) == ["+ may also POST to hooks.example.org/build"])
        #expect(try words(post, read) == ["- may no longer POST to hooks.example.org/build"])
        #expect(
            try words("limits: { memory: '512M' }", "limits: { memory: '1G' }")
                == ["+ may use 1G of memory instead of 512M"])
        #expect(
            try words("limits: { processes: 9 }", "") == ["+ may use processes without limit instead of 9"])
        #expect(
            try words("", "limits: { processes: 9 }") == ["- may use 9 processes instead of any amount"])
        #expect(
            try words("", "filesystem: { write: ['/srv/data'], tmp: '4M' }")
                == ["+ may also write /srv/data", "+ may also write 4M to /tmp"])
        #expect(
            try words("filesystem: { read: ['/srv/data'] }", "filesystem: { write: ['/srv/data'] }")
                == ["+ may also write /srv/data"])
        #expect(
            try words("filesystem: { write: ['/srv/data'] }", "filesystem: { read: ['/srv/data'] }")
                == ["- may no longer write /srv/data"])
        #expect(
            try words("", "network: { deny: [{ hosts: ['a'] }] }").first?.hasPrefix("- may not reach") == true)
        #expect(
            try words("filesystem: { workspace: 'readWrite' }", "filesystem: { workspace: 'readOnly' }")
                == ["- may only read the workspace"])
    }

    @Test func `name commands, without the values of their variables`() throws {
        let npm = "commands: [{ program: '/usr/bin/npm', arguments: ['test'], environment: { A: 'hush' } }]"
        let text = "have run: /usr/bin/npm test, with A, for 10m, 10M of output"
        #expect(try words("", npm) == ["+ may also \(text)"])
        #expect(try words(npm, "") == ["- may no longer \(text)"])
        let other = "commands: [{ program: '/usr/bin/npm', arguments: ['test'], environment: { A: 'hash' } }]"
        #expect(try words(npm, other) == ["- may no longer \(text)", "+ may also \(text)"])
    }

    @Test func `never hold the value of a variable`() throws {
        let lines = try words(
            "process: { environment: { A: 'old-secret' } }", "process: { environment: { A: 'new-secret', B: 'x' } }")
        #expect(lines == ["~ sees another A in its environment", "+ may also see B in its environment"])
    }

    @Test func `two ways to say the same network are said to be so`() throws {
        let one = "network: { allow: [{ hosts: ['a', 'b'], methods: ['GET'] }] }"
        let two = "network: { allow: [{ hosts: ['a'], methods: ['GET'] }, { hosts: ['b'], methods: ['GET'] }] }"
        #expect(try words(one, two) == ["~ says network.allow otherwise, to the same effect"])
    }

    @Test func `are there exactly where keys differ, and turn around with the profiles`() {
        var generator = Seeded(0xD1FF)
        for _ in 0..<300 {
            let (one, other) = (RandomProfile.make(&generator), RandomProfile.make(&generator))
            let keys = Set(ProfileDiff.lines(from: one, to: other).map(\.key))
            let words = PermissionDiff.lines(from: one, to: other)
            #expect(Set(words.map(\.key)) == keys)
            let back = PermissionDiff.lines(from: other, to: one)
            for key in keys {
                let gained = words.contains { $0.key == key && $0.direction == .more }
                let lost = back.contains { $0.key == key && $0.direction == .less }
                #expect(gained == lost || key.hasPrefix("filesystem."), "\(key): \(words) \(back)")
            }
        }
    }
}

struct `Origins of values` {
    private func load(_ files: [String: String], _ name: String) throws -> (Profile, ProfileOrigins) {
        let directory = try TemporaryDirectory()
        for (name, text) in files { try directory.file("\(name).json5", text) }
        let loader = ProfileLoader(directories: [directory.path], owners: [0, System.userID], home: "/home/x")
        let (profile, origins) = try loader.loadWithOrigins(name)
        return (profile, origins)
    }

    private static let parent = """
        {
          process: { programs: ["node"], environment: { A: "1" } },
          filesystem: { read: ["/srv/a", "~/b"], tmp: "1M" },
          network: { allow: [{ hosts: ["a"] }] },
        }
        """
    private static let child = """
        { extends: "parent",
          process: {
            programs: ["jq?"],
            environment: { A: "2", B: "3" } },
          filesystem: { read: ["/srv/c:/c"],
            tmp: "2M" },
          network: { allow: [
            { preset: "npm" }] } }
        """

    @Test func `are the file and line that had the last word`() throws {
        let (_, origins) = try load(["parent": Self.parent, "child": Self.child], "child")
        let expected: [(String, String?, String?)] = [
            ("process.programs", "node", "parent.json5:2"), ("process.programs", "jq?", "child.json5:3"),
            ("process.environment", "A=2", "child.json5:4"), ("process.environment", "B=3", "child.json5:4"),
            ("filesystem.read", "/srv/a", "parent.json5:3"), ("filesystem.read", "/home/x/b", "parent.json5:3"),
            ("filesystem.read", "/srv/c → /c", "child.json5:5"), ("filesystem.tmp", nil, "child.json5:6"),
            ("filesystem.home", nil, nil), ("limits.memory", nil, nil),
        ]
        for (key, value, place) in expected {
            let position = origins.position(of: ProfileSource(key, value))
            #expect(position.map { "\($0.file):\($0.line)" } == place, "\(key) \(value ?? "")")
        }
    }

    @Test func `are known of every element of every list`() throws {
        let (profile, origins) = try load(["parent": Self.parent, "child": Self.child], "child")
        let values = origins.all(of: profile)
        #expect(
            values.contains {
                $0.source.key == "network.allow" && $0.position.file == "child.json5" && $0.position.line == 8
            })
        #expect(
            values.contains {
                $0.source.key == "network.allow" && $0.position.file == "parent.json5" && $0.position.line == 4
            })
        let lines = ProfileText.lines(profile, origins: origins)
        #expect(lines.contains { $0.hasSuffix("  node  [parent.json5:2]") })
        #expect(lines.contains { $0.hasPrefix("filesystem.home ") && !$0.contains("[") })
    }
}
