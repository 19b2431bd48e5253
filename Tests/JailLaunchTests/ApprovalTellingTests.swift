import AuditLog
import JailApprovals
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

struct `Telling people that something waits` {
    /// A desk that tells, and the time.
    private final class Fixture {
        let desk: ApprovalDesk
        private let clock: Clock
        private var last: UInt64 = 0

        private final class Clock {
            var now = ApprovalMoment(monotonic: 1_000_000_000_000, realtime: 1_700_000_000_000)
        }

        init(_ notify: ApprovalsPlan.Notify) throws {
            let clock = Clock()
            self.clock = clock
            var rules = ApprovalRules()
            rules.ask = [.network, .command]
            var plan = ApprovalsPlan(rules: rules, owner: 7, tokens: "/nowhere")
            plan.notify = notify
            var commands = CommandRules()
            commands.rules = [CommandRule(name: "tool", program: "/usr/bin/tool")]
            desk = ApprovalDesk(
                plan, jail: "chat", redactor: Redactor(patterns: []), rules: NetworkRules(), commands: commands
            ) { clock.now }
        }

        func wait(_ seconds: Int64) {
            clock.now.monotonic += seconds * 1_000_000_000
            clock.now.realtime += seconds * 1000
            desk.work()
        }

        func ask(_ url: String) throws {
            last += 1
            let question = try NetworkSubject.parse(["POST", url]).question
            let path = try #require(question.path)
            let request = AskedRequest(
                scheme: question.scheme ?? .https, host: question.host, port: question.port ?? 443, method: "POST",
                path: path)
            #expect(desk.ask(try #require(request), waiter: last))
        }

        /// What was started since the last time.
        func told() -> [(command: HostCommandPlan, input: String)] {
            _ = desk.takeNotices()
            return desk.takeOutside().map { ($0.command, String(decoding: $0.input, as: UTF8.self)) }
        }
    }

    private static let hook = HostCommandPlan(
        purpose: "approvals.notify.command", path: "/bin/tell", arguments: ["tell"])

    @Test func `a program reads what waits as JSON, without query, headers and body`() throws {
        let fixture = try Fixture(.init(command: Self.hook))
        try fixture.ask("https://a.example/x?key=verysecret")
        let told = fixture.told()
        #expect(told.map(\.command) == [Self.hook])
        let text = try #require(told.first?.input)
        for part in [#""jail":"chat""#, #""id":1"#, #""host":"a.example""#, #""path":"/x""#, #""why":"#] {
            #expect(text.contains(part), "\(part): \(text)")
        }
        #expect(!text.contains("verysecret") && text.hasSuffix("}\n"))
        #expect(fixture.told().isEmpty, "once")
    }

    @Test func `words of a command that look like a secret are not told`() throws {
        let fixture = try Fixture(.init(command: Self.hook))
        let secret = "ghp_" + String(repeating: "a1B2", count: 9)
        #expect(fixture.desk.ask(command: ["tool", "--token", secret], place: "in the jail", why: "", waiter: 1))
        let text = try #require(fixture.told().first?.input)
        #expect(!text.contains(secret) && text.contains("/usr/bin/tool"), "\(text)")
    }

    @Test func `what comes together is told together, and a flood is told now and then`() throws {
        let fixture = try Fixture(.init(command: Self.hook))
        for number in 0..<3 { try fixture.ask("https://a.example/\(number)") }
        #expect(fixture.told().count == 1)
        for number in 3..<8 {
            try fixture.ask("https://a.example/\(number)")
            #expect(fixture.told().count == (number < 7 ? 1 : 0))
        }
        #expect(fixture.desk.due != nil)
        try fixture.ask("https://a.example/8")
        #expect(fixture.told().isEmpty)
        fixture.wait(10)
        let told = fixture.told()
        #expect(told.count == 1)
        #expect(
            told.first?.input.contains(#""path":"/7""#) == true && told.first?.input.contains(#""path":"/8""#) == true)
    }

    @Test func `what has its answer meanwhile is told to nobody`() throws {
        let fixture = try Fixture(.init(command: Self.hook))
        try fixture.ask("https://a.example/1")
        fixture.desk.withdraw(1, .wayOut)
        #expect(fixture.told().isEmpty)
    }

    @Test func `a webhook's message is signed over its time and its body`() throws {
        let address = try WebhookAddress.parse("https://hooks.example.org/in/4f2a")
        let webhook = ApprovalsPlan.Notify.Webhook(
            command: .webhook("/usr/bin/curl", encrypted: true, key: "approvals.notify.webhook"), address: address,
            secret: "hook")
        let fixture = try Fixture(.init(webhook: webhook))
        try fixture.ask("https://a.example/1")
        #expect(fixture.told().isEmpty, "without its secret there is none")
        let signed = try Fixture(.init(webhook: webhook))
        signed.desk.sign(with: try Self.secret("key"))
        try signed.ask("https://a.example/1")
        let text = try #require(signed.told().first?.input)
        let lines = text.split(separator: "\n").map(String.init)
        #expect(lines[0] == #"url = "https://hooks.example.org/in/4f2a""#)
        #expect(lines.contains(#"header = "X-Clawjail-Timestamp: 1700000000""#))
        let body = try #require(lines.last?.dropFirst(#"data-raw = ""#.utf8.count).dropLast())
        let plain = body.split(separator: "\\\"", omittingEmptySubsequences: false).joined(separator: "\"")
        let expected = ApprovalTelling.signature(of: plain, at: 1_700_000_000, with: try Self.secret("key"))
        #expect(lines.contains("header = \"X-Clawjail-Signature: \(expected[1].value)\""), "\(text)")
        #expect(!text.contains("\"key\""))
    }

    /// `printf 1700000000.hello | openssl dgst -sha256 -hmac key`
    @Test func `the signature is what others compute`() throws {
        let headers = ApprovalTelling.signature(of: "hello", at: 1_700_000_000, with: try Self.secret("key"))
        #expect(headers.map(\.name) == ["X-Clawjail-Timestamp", "X-Clawjail-Signature"])
        #expect(headers[1].value == "sha256=4d583a269f4f276a3fa80ff31b5a01879a848096983222a17893d198418939aa")
    }

    @Test func `nothing that the jail has chosen is among a desktop's arguments`() throws {
        let fixture = try Fixture(
            .init(desktop: HostCommandPlan(purpose: "d", path: "/usr/bin/notify-send", arguments: ["notify-send"])))
        try fixture.ask("https://evil.example/<b>")
        let told = fixture.told()
        #expect(told.first?.command.arguments.last == "it asks for approval of something: clawjail approvals")
        #expect(told.first?.input == "")
    }

    private static func secret(_ text: String) throws -> KeptSecret {
        var bytes = try SecretBytes(count: text.utf8.count)
        unsafe bytes.withMutableBytes { unsafe $0.copyBytes(from: Array(text.utf8)) }
        return KeptSecret(bytes)
    }
}
