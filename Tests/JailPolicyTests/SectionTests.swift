import JailPolicy
import SecretTraces
import Testing

struct `Sections` {
    @Test func `every key of every section reaches the model`() throws {
        let profile = try profile(Samples.full)
        var expected = Profile(name: "p")
        expected.summary = "all of it"
        expected.process.programs = [ProgramRule(name: "node"), ProgramRule(name: "x", mayBeMissing: true)]
        expected.process.environment = [
            EnvironmentVariable(name: "B", value: "1"), EnvironmentVariable(name: "A", value: ""),
        ]
        expected.process.passEnvironment = ["LANG"]
        expected.process.user = "ann"
        expected.process.inside.user = "bob"
        expected.process.inside.uid = 1
        expected.process.inside.gid = 65533
        expected.process.inside.home = "/home/bob"
        expected.process.workingDirectory = "/"
        expected.process.hostName = "box"
        expected.process.shell = true
        expected.process.systemCalls = ["bpf"]
        expected.process.appArmor = "clawjail-p.1"
        expected.process.selfTest = true
        expected.process.secretProvider = true
        expected.process.stopGrace = 500
        expected.filesystem.root = .directory("/home/ann/tree")
        expected.filesystem.read = [
            BindRule(source: "/opt/x", target: "/opt/x"), BindRule(source: "/home/ann/y", target: "/y"),
            BindRule(source: "/run/a:b", target: "/b", allowSpecialFiles: true),
        ]
        expected.filesystem.write = [BindRule(source: "/w", target: "/w")]
        expected.filesystem.tmp = 1 << 20
        expected.filesystem.sharedMemory = 2 << 20
        expected.filesystem.home = 3 << 20
        var data = DataRule(size: 1 << 30)
        data.target = "/state"
        data.source = "/srv/state"
        data.mustEnforceSize = true
        expected.filesystem.data = data
        expected.filesystem.workspace = .review
        expected.filesystem.workspaceSource = "/home/ann/w"
        expected.filesystem.reviewSize = 2 << 30
        expected.filesystem.executeWritable = true
        expected.network = try Self.network()
        expected.secrets.bindings = try Self.secrets()
        expected.canaries = [
            CanaryRule(.aws), CanaryRule(.environment, at: .file("/srv/.env")),
            CanaryRule(.github, at: .variable("HUB")),
        ]
        expected.commands.rules = try Self.commands()
        var sessions = SessionRules(profile: "session")
        sessions.workspaces = [SessionRoot(path: "/data/a"), SessionRoot(path: "/data/b", readOnly: true)]
        sessions.most = 3
        sessions.secrets = ["github"]
        expected.sessions = sessions
        var health = HealthRules(.http(port: 18789, path: "/healthz"))
        health.startPeriod = 60_000
        health.interval = 2000
        health.timeout = 500
        health.retries = 5
        expected.restart.on = .unhealthy
        expected.restart.delay = 2000
        expected.restart.longest = 300_000
        expected.restart.most = 3
        expected.restart.within = 3_600_000
        var spend = SpendRules()
        spend.perDay = 5_000_000
        spend.tokensPerDay = 2_000_000
        spend.requestsPerDay = 500
        spend.onLimit = .pause
        spend.unknownModels = .dearest
        spend.providers = [SpendProvider(hosts: [try HostPattern.parse("llm.example")], path: "/api/v1")]
        var price = ModelPrice(
            model: "m",
            rates: .init(
                input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000,
                cacheWriteLong: 6_000_000), context: 200_000, maxOutput: 64_000)
        price.longAbove = 100_000
        price.longRates = .init(
            input: 6_000_000, output: 22_500_000, cacheRead: 600_000, cacheWrite: 7_500_000,
            cacheWriteLong: 12_000_000)
        spend.prices = [price]
        spend.fields = ["logit_scale"]
        expected.spend = spend
        expected.health = health
        var approvals = ApprovalRules()
        approvals.ask = [.network, .command, .session]
        approvals.timeout = 90_000
        approvals.fourEyes = [.network]
        approvals.notify.command = ["/usr/bin/page", "--quiet"]
        approvals.notify.webhook = try WebhookAddress.parse("https://hooks.example.org/in/4f2a")
        approvals.notify.webhookSecret = "hook"
        approvals.notify.desktop = true
        expected.approvals = approvals
        expected.alerts = try Self.alerts()
        expected.limits.memory = 512 << 20
        expected.limits.swap = 4096
        expected.limits.processes = 10
        expected.limits.milliCPUs = 1500
        expected.limits.openFiles = 64
        expected.limits.fileSize = 1 << 40
        expected.audit.keep = 90 * 86_400_000
        expected.audit.checkpoint = 30_000
        expected.audit.sync = .record
        expected.audit.onFull = .pause
        expected.audit.fileSize = 4 << 20
        expected.audit.redact = ["acme_*", "Tango"]
        expected.audit.journal = false
        expected.audit.anchors = [["/usr/bin/keep", "--head"]]
        expected.optional = [.landlock, .groups, .cgroup, .time, .apparmor]
        #expect(profile == expected)
    }

    private static func secrets() throws -> [SecretBinding] {
        func binding(_ name: String, _ host: String, _ place: SecretPlace) throws -> SecretBinding {
            SecretBinding(name: name, hosts: [try #require(HostName(user: host))], place: place)
        }
        var api = try binding("api", "a.example", .header("X-Api-Key"))
        (api.environment, api.ports, api.methods) = ("API_KEY", [8443], ["POST"])
        api.source = .store
        api.paths = [try PathPattern.parse("/b/**")]
        var hub = try binding("hub.b", "a.example", .bearer)
        (hub.ports, hub.source) = ([8443], .file("/home/ann/hub"))
        var web = try binding("web", "b.example", .basic(user: "bob"))
        web.source = .credential("web.key")
        var map = try binding("map", "b.example", .query("key"))
        map.source = .environment("MAPS_KEY")
        var vault = SecretProgram(command: "/usr/bin/vault")
        (vault.arguments, vault.passEnvironment) = (["read", ""], ["VAULT_ADDR"])
        vault.environment = [EnvironmentVariable(name: "LANG", value: "C")]
        (vault.timeout, vault.noOutputTimeout, vault.mostOutput) = (2000, 1000, 4096)
        (vault.isJSONOnly, vault.provider, vault.id) = (false, "vault", "kv/bot")
        var bot = try binding("bot", "b.example", .path(before: "/bot", after: "/"))
        (bot.environment, bot.source) = ("BOT", .program(vault))
        let chat = try binding("chat", "b.example", .header("X-Auth", prefix: "Bot "))
        var aws = try binding("aws", "c.example", .sigV4(SigningScope(service: "s3", region: "eu-1")))
        aws.environment = "AWS"
        var drive = try binding("drive", "b.example", .header("X-Token"))
        var oauth = SecretExchange(
            host: try #require(HostName(user: "login.example")), path: "/oauth/token", clientID: "jail 1")
        (oauth.port, oauth.scope, oauth.clientSecret) = (8443, "read write", "app")
        drive.exchange = oauth
        return [api, hub, web, map, bot, chat, aws, drive]
    }

    private static func commands() throws -> [CommandRule] {
        var logs = CommandRule(name: "logs", program: "/usr/bin/journalctl")
        logs.digest = String(repeating: "0123456789abcdef", count: 4)
        logs.arguments = [
            CommandArgument(.literal("show")), CommandArgument(.oneOf(["-r", "all"]), least: 0),
            CommandArgument(.below("/srv/x"), least: 2, most: 3),
        ]
        var lines = CommandFlag(["-n", "--lines"])
        (lines.value, lines.form, lines.isRequired) = (.number(1...500), .either, true)
        var unit = CommandFlag(["-u"])
        (unit.value, unit.mayRepeat) = (.pattern(try CommandPattern.parse("[a-z]+")), true)
        logs.flags = [CommandFlag(["--quiet"]), lines, unit]
        (logs.denied, logs.order, logs.combined) = (["-f", "--file"], .fixed, true)
        (logs.workingDirectory, logs.environment) = ("/srv", [EnvironmentVariable(name: "PAGER", value: "")])
        (logs.timeout, logs.outputSize, logs.place, logs.asks) = (5000, 1 << 20, .host("logs"), true)
        var git = CommandRule(name: "git", program: "/usr/bin/git")
        (git.arguments, git.place) = ([CommandArgument(.literal("status"))], .profile("session"))
        var npm = CommandRule(name: "npm", program: "/usr/bin/npm")
        npm.arguments = [CommandArgument(.literal("test"))]
        return [logs, git, npm]
    }

    private static func alerts() throws -> AlertRules {
        func rule(_ name: String, _ watch: AlertSubject, _ change: (inout AlertRule) -> Void) -> AlertRule {
            var rule = AlertRule(name: name, watch: watch)
            change(&rule)
            return rule
        }
        let onion = AlertPattern.host(try HostPattern.parse("*.onion"))
        let admin = AlertPattern.path(try PathPattern.parse("/admin/**"))
        let keys = AlertPattern.text(try TextPattern.parse("*/.ssh/*"))
        var alerts = AlertRules()
        alerts.defaults = true
        alerts.rules = [
            rule("busy", .connections) { ($0.above, $0.severity, $0.actions) = (30, .critical, [.pause]) },
            rule("big", .memory) { ($0.above, $0.actions, $0.every) = (350 << 20, [.journal, .desktop], 3_600_000) },
            rule("dear", .spend) {
                ($0.above, $0.within, $0.actions) = (5_000_000, 86_400_000, [.webhook, .command, .stop])
            },
            rule("onion", .hosts) { ($0.matching, $0.severity) = ([onion], .info) },
            rule("admin", .paths) { $0.matching = [admin] }, rule("keys", .files) { $0.matching = [keys] },
            rule("new", .newHost) { $0.learn = 7 * 86_400_000 },
            rule("bird", .canary) { $0.actions = [.lockdown] },
        ]
        alerts.webhook = try WebhookAddress.parse("https://hooks.example.org/in/4f2a?b=c")
        alerts.command = ["/usr/bin/page", "--urgent"]
        return alerts
    }

    /// What ``Samples/full`` says of the network.
    private static func network() throws -> NetworkRules {
        var rules = NetworkRules()
        rules.publish = [PublishedPort(hostPort: 8080, jailPort: 80), PublishedPort(hostPort: 81, jailPort: 81)]
        rules.publish[1].token = "gateway"
        rules.listen = [80, 443]
        var inspected = try NetworkRule(hosts: ["a.example"], methods: ["GET", "POST"], ports: [8443])
        inspected.schemes = [.https]
        inspected.paths = ["/a/*", "/b/**"].compactMap { PathPattern($0) }
        inspected.requestSize = 1 << 20
        inspected.websocket = true
        var passed = try NetworkRule(hosts: ["pinned.example"], methods: [], ports: [443])
        passed.schemes = [.https]
        passed.handling = .passThrough
        var mail = try NetworkRule(hosts: ["smtp.example", "192.0.2.7"], methods: [], ports: [587])
        mail.schemes = []
        mail.handling = .tcp
        let web = NetworkRule(
            hosts: [.any, try HostPattern.parse("b.example")], methods: ["GET", "HEAD"], ports: [443, 80])
        rules.allow = [web, inspected, NetworkRule(preset: .githubRead), passed, mail]
        rules.deny = [
            NetworkDenyRule(hosts: [try HostPattern.parse("*.evil.example")]),
            NetworkDenyRule(hosts: [.any], ports: [80], methods: ["POST"], paths: [try PathPattern.parse("/x")]),
        ]
        rules.allowPrivate = ["192.0.2.0/24", "fd12::/64"].compactMap { AddressRange($0) }
        rules.budgets.requestsPerMinute = 1
        rules.budgets.connectionsPerMinute = 2
        rules.budgets.connections = 3
        rules.budgets.uploadPerHour = 4 << 20
        rules.budgets.headerSize = 5 << 10
        rules.budgets.urlSize = 6 << 10
        rules.budgets.idle = 7000
        rules.budgets.total = 480_000
        rules.budgets.response = 9000
        rules.upstream.resolvers = [
            Endpoint(address: .v4(0xC000_0201), port: 53),
            Endpoint(address: .v6(high: 0x2001_0DB8_0000_0000, low: 1), port: 5353),
        ]
        rules.upstream.trust = "/etc/ssl/own.pem"
        rules.onGatewayExit = .block
        return rules
    }

    @Test func `the sample names every key there is`() throws {
        for section in Profile.sections {
            for name in section.names where name != "extends" {
                // One probe is all that there may be.
                if section.path == "health", ["tcp", "exec"].contains(name) { continue }
                #expect(Samples.full.contains("\(name):"), "\(section.path).\(name)")
            }
        }
    }

    @Test func `an empty profile grants nothing`() throws {
        #expect(try profile("{}") == Profile(name: "p"))
        #expect(Profile(name: "p").network == NetworkRules())
        #expect(Profile(name: "p").filesystem.tmp == 0)
    }

    @Test(arguments: Samples.refusals)
    func `a wrong value is refused at its place, with its key and what is right`(text: String, expected: String) {
        #expect(refusal(text) == "profile: p.json5:" + expected)
    }

    @Test(arguments: Samples.wrongKinds)
    func `a value of the wrong kind is refused for every key`(path: String, wrong: String) {
        let keys = path.split(separator: ".")
        let text = keys.map { "{ \($0): " }.joined() + wrong + String(repeating: " }", count: keys.count)
        let column = keys.map { $0.count + 4 }.reduce(1, +)
        #expect(refusal(text).hasPrefix("profile: p.json5:1:\(column): '\(path)' must be "))
    }

    @Test func `an error is one line with the exit status of a wrong configuration`() {
        let error = #expect(throws: (any Error).self) { try profile("{\"a\\nb\\u001b\": 1}") }
        #expect("\(error.map { "\($0)" } ?? "")".contains("unknown key 'a\\nb\\u{1b}' in the profile"))
    }

    @Test func `a rule that is said twice counts once`() throws {
        let text = """
            { process: { programs: ["a?", "a", "b", "b?"], passEnvironment: ["X", "X"], systemCalls: ["bpf", "bpf"] },
              network: { publish: ["80", "127.0.0.1:80:80"], listen: [1, 1], allow: [{hosts: ["a"]}, {hosts: ["a"]}] },
              filesystem: { read: ["/a", "/a:/a", "/w", { source: "/a", specialFiles: true }], write: ["/w", "/w"] } }
            """
        let profile = try profile(text)
        #expect(profile.process.programs == [ProgramRule(name: "a"), ProgramRule(name: "b")])
        #expect(profile.process.passEnvironment == ["X"])
        #expect(profile.process.systemCalls == ["bpf"])
        #expect(profile.network.publish.count == 1)
        #expect(profile.network.listen == [1])
        #expect(profile.network.allow.count == 1)
        #expect(profile.filesystem.read == [BindRule(source: "/a", target: "/a", allowSpecialFiles: true)])
        #expect(profile.filesystem.write == [BindRule(source: "/w", target: "/w")])
    }

    @Test func `what may be written need not be read as well`() throws {
        for text in [
            "{ filesystem: { read: ['/a'], write: ['/a'] } }", "{ filesystem: { write: ['/a'], read: ['/a'] } }",
        ] {
            let rules = try profile(text).filesystem
            #expect(rules.read.isEmpty)
            #expect(rules.write == [BindRule(source: "/a", target: "/a")])
        }
    }

    @Test func `lists and objects end at their limit`() {
        let many = (0...1000).map { "\"x\($0)\"" }.joined(separator: ",")
        #expect(refusal("{ process: { programs: [\(many)] } }").contains("must have at most 1000 elements, not 1001"))
        let pairs = (0...1000).map { "X\($0): ''" }.joined(separator: ",")
        #expect(refusal("{ process: { environment: {\(pairs)} } }").contains("must have at most 1000 keys, not 1001"))
    }

    @Test func `a name with two spellings in Unicode is two names`() throws {
        let composed = try read("'/caf\\u00e9'")
        let decomposed = try read("'/cafe\\u0301'")
        #expect(!composed.says(sameAs: decomposed))
        #expect(composed.says(sameAs: try read("  \"/caf\u{E9}\"")))
    }
}

struct `Nearest names` {
    @Test func `the nearest name is the one with the fewest changes`() {
        let names = ["programs", "environment", "passEnvironment", "user", "shell"]
        #expect(NearestName.find("program", among: names) == "programs")
        #expect(NearestName.find("porgrams", among: names) == "programs")
        #expect(NearestName.find("SHELL", among: names) == "shell")
        #expect(NearestName.find("env", among: names) == "environment")
        #expect(NearestName.find("usr", among: names) == "user")
        #expect(NearestName.find("xyz", among: names) == nil)
        #expect(NearestName.find("", among: names) == nil)
        #expect(NearestName.find(String(repeating: "shell", count: 100_000), among: names) == nil)
    }
}
