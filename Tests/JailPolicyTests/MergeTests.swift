import JailPolicy
import Testing

struct `Merging` {
    private func load(_ parent: String, _ child: String) throws -> Profile {
        let directory = try Directory()
        try directory.add("parent", parent)
        try directory.add("child", child.replacing("{", with: "{ extends: 'parent',", maxReplacements: 1))
        return try directory.loader.load("child")
    }

    @Test func `objects merge key by key and the child has the last word`() throws {
        let profile = try load(
            "{ description: 'p', limits: { memory: '1G', processes: 5 }, process: { environment: { A: '1', B: '2' } } }",
            "{ description: 'c', limits: { memory: '2G' }, process: { environment: { B: '3', C: '4' } } }")
        #expect(profile.summary == "c")
        #expect(profile.limits.memory == 2 << 30)
        #expect(profile.limits.processes == 5)
        #expect(profile.process.environment.map { "\($0.name)=\($0.value)" } == ["A=1", "B=3", "C=4"])
    }

    @Test func `a child adds to lists and takes nothing away`() throws {
        let profile = try load(
            "{ process: { programs: ['a', 'b?'] }, network: { allow: [{ hosts: ['x'] }] }, filesystem: { read: ['/r'] } }",
            "{ process: { programs: ['b', 'a', 'c'] }, network: { allow: [{ hosts: ['x'] }, { hosts: ['y'] }] }, filesystem: { read: [] } }"
        )
        #expect(profile.process.programs.map(\.formatted) == ["a", "b", "c"])
        #expect(profile.network.allow.map { $0.hosts.map(\.text) } == [["x"], ["y"]])
        #expect(profile.filesystem.read.map(\.source) == ["/r"])
    }

    @Test func `a child's probe stands in the place of its parent's, and what it leaves out is the parent's`() throws {
        let parent = "{ health: { http: { port: 1, path: '/a' }, interval: '7s' } }"
        func health(_ child: String) throws -> HealthRules? { try load(parent, "{ health: \(child) }").health }
        #expect(try health("{ retries: 1 }")?.probe == .http(port: 1, path: "/a"))
        #expect(try health("{ http: { port: 2 } }")?.probe == .http(port: 2, path: "/a"))
        let tcp = try health("{ tcp: { port: 3 } }")
        #expect(tcp?.probe == .tcp(port: 3) && tcp?.interval == 7000)
        #expect(try health("{ exec: ['x'] }")?.probe == .exec(["x"]))
        #expect(
            try load("{ health: { exec: ['a', 'b'] } }", "{ health: { exec: ['c'] } }").health?.probe == .exec(["c"]))
        #expect(try health("'none'") == nil)
        #expect(try load("{ health: 'none' }", "{ health: { tcp: { port: 3 } } }").health?.probe == .tcp(port: 3))
        #expect(message { try load(parent, "{ health: { tcp: { port: 3 }, exec: ['x'] } }") }.contains("one of 'http'"))
        #expect(try load(parent, "{}").health?.interval == 7000)
    }

    @Test func `a child adds rules of alerts, replaces those of a name and the command, and takes away all`() throws {
        let rule = "{ name: 'a', watch: 'denials', above: 1 }"
        let parent = "{ alerts: { defaults: true, command: ['x', 'y'], rules: [\(rule)] } }"
        func alerts(_ child: String) throws -> AlertRules? { try load(parent, "{ alerts: \(child) }").alerts }
        let more = try alerts("{ rules: [{ name: 'b', watch: 'memory', above: '1M' }] }")
        #expect(more?.rules.map(\.name) == ["a", "b"] && more?.defaults == true && more?.command == ["x", "y"])
        #expect(try alerts("{ rules: [{ name: 'a', watch: 'denials', above: 7 }] }")?.rules.map(\.above) == [7])
        #expect(try alerts("{ command: ['z'] }")?.command == ["z"])
        #expect(try alerts("{ command: ['z'] }")?.rules.count == 1)
        #expect(try alerts("'none'") == nil)
        #expect(try load("{ alerts: 'none' }", "{ alerts: { defaults: true } }").alerts?.defaults == true)
        // A default rule as well is replaced by one of its name.
        let other = try alerts("{ rules: [{ name: 'memory', watch: 'memory', above: '1M' }] }")?.all
        #expect(other?.filter { $0.watch == .memory }.map(\.above) == [1 << 20])
    }

    @Test func `a child can name more for sessions, and widen nothing by accident`() throws {
        let parent = "{ sessions: { profile: 's', workspaces: ['/data/a:ro'], most: 4 } }"
        let sessions = try load(parent, "{ sessions: { workspaces: ['/data/b'] } }").sessions
        #expect(sessions?.profile == "s" && sessions?.most == 4)
        #expect(sessions?.workspaces.map(\.formatted) == ["/data/a:ro", "/data/b"])
        #expect(try load(parent, "{ limits: {} }").sessions?.workspaces.map(\.formatted) == ["/data/a:ro"])
        for wider in ["/data/a", "/data"] {
            let text = message { try load(parent, "{ sessions: { workspaces: ['\(wider)'] } }") }
            #expect(text.contains("child.json5:1:") && text.contains("'sessions.workspaces[1]'"), "\(text)")
        }
    }

    @Test func `a value of another kind replaces the parent's`() throws {
        #expect(
            try load("{ filesystem: { root: 'host' } }", "{ filesystem: { root: { directory: '/x' } } }").filesystem
                .root == .directory("/x"))
        #expect(
            try load("{ filesystem: { root: { directory: '/x' } } }", "{ filesystem: { root: 'minimal' } }").filesystem
                .root == .minimal)
    }

    @Test func `what a parent sets survives a child that is silent`() throws {
        var parent = try profile(Samples.full)
        let child = try load(Samples.full, "{ }")
        parent.name = "child"
        parent.files = child.files
        #expect(child == parent)
    }

    @Test func `an error names the file that the value comes from`() throws {
        func text(_ parent: String, _ child: String) -> String { message { try load(parent, child) } }
        #expect(
            text("{ limits: {\n memory: 1 } }", "{ limits: { swap: '0' } }").hasPrefix(
                "profile: parent.json5:2:10: 'limits.memory'"))
        #expect(
            text("{ limits: { swap: '0' } }", "{\n limits: { memory: 1 } }").hasPrefix(
                "profile: child.json5:2:20: 'limits.memory'"))
        #expect(
            text("{ limits: { swop: 1 } }", "{ limits: { swap: '0' } }").hasPrefix(
                "profile: parent.json5:1:13: unknown key 'swop'"))
        #expect(
            text("{ process: { programs: ['a', './b'] } }", "{ process: { programs: ['./c'] } }").hasPrefix(
                "profile: parent.json5:1:30"))
        #expect(
            text("{ process: { programs: ['a', 'b'] } }", "{ process: { programs: ['./c'] } }").hasPrefix(
                "profile: child.json5:1:44: 'process.programs[2]'"))
        // A parent must be right by itself, even where the child replaces what is wrong in it.
        #expect(
            text("{ limits: 1 }", "{ limits: { swap: '0' } }").hasPrefix(
                "profile: parent.json5:1:11: 'limits' must be an object"))
        #expect(
            text("{ limits: { swap: 1 } }", "{ limits: { swap: '0' } }").hasPrefix(
                "profile: parent.json5:1:19: 'limits.swap'"))
        #expect(text("{ a: 1, a: 2 }", "{ }").hasPrefix("profile: parent.json5:1:9: duplicate key"))
        #expect(text("[]", "{ }").hasPrefix("profile: parent.json5:1:1: the profile must be an object, not a list"))
    }

    @Test func `null is refused wherever it stands, also where a child hides it`() throws {
        let hint = "; a profile cannot take away what its parent gives; leave the key out"
        #expect(
            message { try load("{ limits: { memory: '1G' } }", "{ limits: { memory: null } }") }
                == "profile: child.json5:1:40: 'memory' must not be null\(hint)")
        #expect(
            message { try load("{ limits: { memory: null } }", "{ limits: { memory: '1G' } }") }
                == "profile: parent.json5:1:21: 'memory' must not be null\(hint)")
        #expect(
            message { try load("{ process: null }", "{ }") }
                == "profile: parent.json5:1:12: 'process' must not be null\(hint)")
        #expect(
            message { try load("{ network: { allow: [{ hosts: null }] } }", "{ }") }
                == "profile: parent.json5:1:31: 'hosts' must not be null\(hint)")
    }

    @Test func `a merged list ends at the same limit`() throws {
        let list = (0..<600).map { "'x\($0)'" }.joined(separator: ",")
        let other = (0..<600).map { "'y\($0)'" }.joined(separator: ",")
        let text = message { try load("{ process: { programs: [\(list)] } }", "{ process: { programs: [\(other)] } }") }
        #expect(text.contains("1200 elements with those of the parent, more than 1000"))
    }
}
