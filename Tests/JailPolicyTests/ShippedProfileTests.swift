import JailCore
import JailPolicy
import Testing

struct `Shipped profiles` {
    @Test(arguments: Shipped.names)
    func `each loads and says what it is for`(name: String) throws {
        let profile = try Shipped.load(name)
        #expect(profile.name == name)
        #expect(!profile.summary.isEmpty)
        #expect(profile.process.user == nil)
        #expect(profile.optional.isEmpty)
        #expect(profile.limits.memory != nil && profile.limits.processes != nil && profile.limits.milliCPUs != nil)
    }

    @Test func `every file beside the schema is one of them`() throws {
        let directory = try System.open(Shipped.directory, [.readOnly, .directory])
        let names = try System.names(in: directory.borrowed).map(\.name).sorted()
        #expect(names == (Shipped.names.map { $0 + ".json5" } + ["schema.json"]).sorted())
    }

    @Test func `offline has one program that must be there, and no network`() throws {
        let profile = try Shipped.load("offline")
        #expect(profile.process.programs.map(\.formatted) == ["node", "openclaw?"])
        #expect(!profile.process.shell)
        #expect(profile.process.inside == InsideIdentity())
        #expect(profile.process.stopGrace == 30_000)
        #expect(profile.process.passEnvironment == ["LANG", "TZ", "OPENCLAW_GATEWAY_TOKEN"])
        #expect(profile.network == NetworkRules())
        #expect(profile.filesystem.root == .minimal)
        #expect(profile.filesystem.read.isEmpty && profile.filesystem.write.isEmpty)
        #expect(
            [profile.filesystem.tmp, profile.filesystem.sharedMemory, profile.filesystem.home] == [
                64 << 20, 16 << 20, 16 << 20,
            ])
        #expect(!profile.filesystem.executeWritable)
        #expect(profile.limits.memory == 512 << 20)
        #expect(profile.limits.processes == 256)
        #expect(profile.limits.milliCPUs == 2000)
        #expect(profile.limits.openFiles == 4096)
    }

    @Test func `each rung of the ladder adds exactly this`() throws {
        func steps(_ old: String, _ new: String) throws -> [String] {
            ProfileDiff.lines(from: try Shipped.load(old), to: try Shipped.load(new)).map(\.description)
        }
        #expect(
            try steps("offline", "research") == [
                "+ network.publish 127.0.0.1:18789 → 18789", "+ network.allow GET, HEAD of * on ports 443, 80",
                "- health none", "+ health GET 127.0.0.1:18789/healthz", "+ health every 10s, within 5s",
                "+ health unhealthy after 3 failures, and not before 1m of starting",
                "- alerts none",
            ] + AlertRules.defaultRules.map { "+ alerts \($0.shown)" })
        #expect(
            try steps("research", "stateful") == [
                "~ process.environment OPENCLAW_STATE_DIR=/tmp/state → /data/openclaw",
                "~ filesystem.data none → 10G at /data",
                "~ limits.memory 512M → 1G",
            ])
        #expect(
            try steps("stateful", "webhooks") == ["~ network.budgets.uploadPerHour 1G → 16M"])
        #expect(
            try steps("stateful", "messaging") == [
                "+ network.allow preset telegram", "+ network.allow preset discord", "+ network.allow preset slack",
                "+ network.allow preset whatsapp",
            ])
        #expect(
            try steps("stateful", "shell") == [
                "+ process.programs /usr/bin/", "~ process.shell false → true",
                "~ filesystem.executeWritable false → true",
                "~ limits.memory 1G → 4G", "~ limits.processes 256 → 512",
            ])
        #expect(
            try steps("webhooks", "automation") == [
                "+ network.allow preset anthropic", "+ network.allow preset openai",
                "+ network.allow preset github-read", "~ network.budgets.requestsPerMinute 600 → 240",
                "- spend none", "+ spend at most 10 USD a day (UTC)", "+ spend then requests are denied",
                "- approvals none",
                "+ approvals network: what no rule allows waits for somebody to say yes",
                "+ approvals 5m without an answer is a no",
            ])
    }

    @Test func `commands run in jails of their own, without network, and nothing like a shell is added`() throws {
        let (profile, below) = (try Shipped.load("commands"), try Shipped.load("stateful"))
        #expect(profile.process == below.process && profile.network == below.network)
        #expect(profile.filesystem.workspace == .readWrite)
        #expect(profile.approvals?.ask == [.command])
        for rule in profile.commands.rules {
            #expect(rule.place == .profile("session") && rule.workingDirectory == "/workspace", "\(rule.shown)")
            #expect(rule.environment.allSatisfy { $0.name.hasPrefix("GIT_") })
        }
        let inner = try Shipped.load("session")
        #expect(!inner.hasWayOut && inner.commands.isEmpty && inner.sessions == nil && inner.network.publish.isEmpty)
    }

    @Test func `a service's token goes into requests about issues, and only reading needs nobody`() throws {
        let profile = try Shipped.load("services")
        let binding = try #require(profile.secrets.bindings.first)
        #expect(profile.secrets.bindings.count == 1 && binding.paths?.count == 2 && binding.methods == nil)
        let policy = NetworkPolicy(profile.network)
        #expect(profile.asksForNetwork)
        for (words, isAllowed) in [
            (["GET", "https://api.github.com/repos/a/b/issues"], true),
            (["GET", "https://api.github.com/repos/a/b/issues/7/comments"], true),
            (["POST", "https://api.github.com/repos/a/b/issues/7/comments"], false),
            (["DELETE", "https://api.github.com/repos/a/b"], false),
        ] {
            let verdict = policy.decide(try NetworkSubject.parse(words).question)
            if case .allow = verdict { #expect(isAllowed, "\(words)") } else { #expect(!isAllowed, "\(words)") }
        }
        var asking = policy
        asking.asks = true
        func mayBeAsked(_ words: [String]) throws -> Bool {
            asking.approvable(try NetworkSubject.parse(words).question) != nil
        }
        #expect(try mayBeAsked(["POST", "https://api.github.com/repos/a/b/issues/7/comments"]))
        #expect(try !mayBeAsked(["DELETE", "https://api.github.com/repos/a/b/issues/comments/7"]))
    }

    @Test func `an operator's every request but reading is asked about`() throws {
        let (profile, below) = (try Shipped.load("operator"), try Shipped.load("shell"))
        #expect(profile.asksForNetwork && profile.network.allow == below.network.allow)
        #expect(profile.summary.contains("staging only"))
        #expect(profile.filesystem.workspace == .readWrite && profile.commands.isEmpty)
    }

    @Test func `who only talks reads nothing of the web`() throws {
        let profile = try Shipped.load("chat")
        #expect(profile.network.allow.allSatisfy { rule in !rule.hosts.contains { $0.text == "*" } })
        #expect(profile.process.programs.map(\.formatted) == ["node", "openclaw?"])
        #expect(profile.spend != nil)
        #expect(!profile.filesystem.executeWritable && !profile.process.shell)
    }

    @Test func `a session has a shell and a workspace, and neither network nor state nor secrets`() throws {
        let profile = try Shipped.load("session")
        #expect(profile.files.count == 1)
        #expect(profile.process.shell)
        #expect(profile.process.programs.map(\.formatted) == ["/usr/bin/"])
        #expect(profile.process.passEnvironment == ["LANG", "TZ"])
        #expect(profile.process.environment.isEmpty)
        #expect(profile.filesystem.workspace == .readWrite)
        #expect(profile.filesystem.data == nil)
        #expect(profile.network == NetworkRules())
        #expect(profile.limits.milliCPUs == 1000)
        #expect(profile.limits.openFiles == 1024)
    }

    @Test func `how long loading takes`() throws {
        let copy = try Directory()
        for name in Shipped.names { try copy.add(name, try System.readFile("\(Shipped.directory)/\(name).json5")) }
        let loader = copy.loader
        var times: [Duration] = []
        for _ in 0..<200 {
            times.append(try ContinuousClock().measure { _ = try loader.load("stateful") })
        }
        // Printed to be looked at: a machine that is busy with other tests proves nothing.
        print("loading 'stateful' and its two parents: first \(times[0]), median \(times.sorted()[100])")
    }
}
