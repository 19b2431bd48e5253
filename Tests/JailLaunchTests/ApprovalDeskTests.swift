import JailApprovals
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

struct `The desk of approvals` {
    private final class Fixture {
        let state: TemporaryDirectory
        let desk: ApprovalDesk
        let access: AccessDesk
        /// What is written down of those who were nobody.
        var refused: [String] = []
        var now: ApprovalMoment {
            get { clock.now }
            set { clock.now = newValue }
        }
        private let clock: Clock

        private final class Clock {
            var now = ApprovalMoment(monotonic: 1_000_000_000_000, realtime: 1_700_000_000_000)
        }

        init(
            ask: Set<ApprovalKind> = [.network], fourEyes: Set<ApprovalKind> = [], commands: CommandRules = .init()
        ) throws {
            state = try TemporaryDirectory()
            let clock = Clock()
            self.clock = clock
            var rules = ApprovalRules()
            rules.ask = ask
            rules.fourEyes = fourEyes
            var network = NetworkRules()
            network.allow = [try NetworkRule(hosts: ["a.example"], methods: ["GET"], ports: [443])]
            network.deny = [NetworkDenyRule(hosts: [try HostPattern.parse("evil.example")])]
            desk = ApprovalDesk(
                ApprovalsPlan(rules: rules, owner: 7, tokens: "\(state.path)/tokens.json"), jail: "j", rules: network,
                commands: commands
            ) { clock.now }
            access = AccessDesk(owner: 7, state: state.path, now: { clock.now })
        }

        func token(_ name: String, _ role: ApprovalRole, owner: UInt32? = 7) throws -> String {
            let text = AccessToken.text(of: try System.randomBytes(AccessToken.randomCount))
            let token = AccessToken(
                name: name, role: role, owner: owner, created: now.realtime, expires: now.realtime + 3_600_000,
                digest: AccessToken.digest(of: text))
            try TokenFile.change(state.path, "tokens.json") { (list) throws(JailError) in
                do throws(ValueError) { try list.add(token) } catch { throw JailError(.usage, reason: error.reason) }
            }
            return text
        }

        func order(_ action: ApprovalOrder.Action, token: String? = nil) throws -> ApprovalDesk.Reply {
            let order = try #require(ApprovalOrder(action, reason: "because", token: token))
            do throws(AccessDesk.Refusal) {
                let decider = try access.admit(token, by: 0, through: .own, to: action.ability)
                return desk.carry(out: order, by: decider)
            } catch {
                if let told = error.told { refused.append(told.by + ": " + told.reason) }
                return .refused(error)
            }
        }
    }

    private static func request(_ url: String, _ method: String = "POST") throws -> AskedRequest {
        let question = try NetworkSubject.parse([method, url]).question
        let path = try #require(question.path)
        let request = AskedRequest(
            scheme: question.scheme ?? .https, host: question.host, port: question.port ?? 443, method: method,
            path: path)
        return try #require(request)
    }

    private static func events(_ notices: [JailNotice]) -> [String] {
        notices.compactMap { if case .event(let event) = $0 { event.text() } else { nil } }
    }

    @Test(arguments: [
        ("https://evil.example/", "POST"), ("https://127.0.0.1/", "GET"), ("https://a.example/", "GET"),
        ("https://a.example:22/", "POST"),
    ])
    func `what an honest way out would not ask is not asked`(_ url: String, _ method: String) throws {
        let fixture = try Fixture()
        #expect(!fixture.desk.ask(try Self.request(url, method), waiter: 1))
        #expect(fixture.desk.takeNotices().isEmpty && fixture.desk.takeAnswers().isEmpty)
    }

    private static func commands() -> CommandRules {
        var rules = CommandRules()
        var push = CommandRule(name: "git", program: "/usr/bin/git")
        push.arguments = [CommandArgument(.literal("push"))]
        push.denied = ["--force"]
        push.asks = true
        rules.rules = [push]
        return rules
    }

    @Test func `a command is asked about by its rule, and answered to who has asked`() throws {
        let fixture = try Fixture(commands: Self.commands())
        let desk = fixture.desk
        #expect(desk.ask(command: ["/usr/bin/git", "push"], place: "in the jail", why: "its rule asks", waiter: 5))
        #expect(desk.ask(try Self.request("https://a.example/x"), waiter: 5))
        #expect(
            !desk.ask(command: ["git", "pull"], place: "in the jail", why: "", waiter: 6), "nobody wants to be asked")
        #expect(!desk.ask(command: ["git", "push"], place: "", why: "", waiter: .max), "no such number")
        guard case .done = try fixture.order(.approve(1, nil)) else {
            Issue.record("it is refused")
            return
        }
        let answers = desk.takeAnswers()
        #expect(answers.count == 1 && answers[0].asker == .commands && answers[0].number == 5)
        let events = Self.events(desk.takeNotices())
        #expect(
            events[0].contains(#""subject":"[\"git\",\"push\"] in the jail","program":"/usr/bin/git""#), "\(events[0])")
        desk.withdraw(5, .commands)
        guard case .done = try fixture.order(.approve(2, nil)) else {
            Issue.record("the other one waits no more")
            return
        }
        #expect(desk.takeAnswers().map(\.asker) == [.wayOut])
    }

    @Test func `what no rule of commands allows is asked about where the profile says so, unless it is denied`() throws
    {
        let fixture = try Fixture(ask: [.command], commands: Self.commands())
        let desk = fixture.desk
        #expect(desk.ask(command: ["git", "pull"], place: "in the jail", why: "", waiter: 1))
        for (number, words) in [["git", "push", "--force"], ["id"], ["git", String(repeating: "a", count: 4000)]]
            .enumerated()
        {
            #expect(!desk.ask(command: words, place: "in the jail", why: "", waiter: UInt64(number + 2)))
        }
    }

    @Test func `a session is asked about where the profile says so, and a yes is for its directories and secrets`()
        throws
    {
        let session = AskedSession(profile: "s", directories: ["'/data/a' as '/workspace'"], secrets: ["k"])
        #expect(!(try Fixture()).desk.ask(session: session, why: "", waiter: 1))
        let fixture = try Fixture(ask: [.session])
        let desk = fixture.desk
        #expect(desk.ask(session: session, why: "the jail asks for session 'a'", waiter: 1))
        guard case .done = try fixture.order(.approve(1, ApprovalTerms(uses: 9))) else {
            Issue.record("it is refused")
            return
        }
        #expect(desk.takeAnswers().map(\.asker) == [.sessions])
        for other in [
            AskedSession(profile: "s", directories: ["'/data/b' as '/workspace'"], secrets: ["k"]),
            AskedSession(profile: "s", directories: session.directories, secrets: ["k", "l"]),
            AskedSession(profile: "t", directories: session.directories, secrets: ["k"]),
        ] {
            #expect(desk.ask(session: other, why: "", waiter: 2) && desk.takeAnswers().isEmpty)
            desk.withdraw(2, .sessions)
        }
        #expect(desk.ask(session: session, why: "", waiter: 3))
        #expect(desk.takeAnswers().map(\.number) == [3])
    }

    @Test func `a decision is recorded with who, why and how far before its answer is given`() throws {
        let fixture = try Fixture()
        #expect(fixture.desk.ask(try Self.request("https://a.example/x"), waiter: 5))
        guard case .done(let text) = try fixture.order(.approve(1, ApprovalTerms(uses: 2))) else {
            Issue.record("it is refused")
            return
        }
        #expect(text == "approved 2 times, as grant 1")
        let events = Self.events(fixture.desk.takeNotices())
        #expect(events.count == 3)
        #expect(events[0].contains(#""what":"asked""#) && events[2].contains(#""what":"used""#))
        #expect(events[1].contains(#""by":["uid 0"],"reason":"because","terms":"2 times""#))
        #expect(fixture.desk.takeAnswers().map(\.answer) == [.granted(grant: 1)])
    }

    @Test func `a token may do what its role says, for jails of its owner`() throws {
        let fixture = try Fixture()
        let viewer = try fixture.token("vera", .viewer)
        let approver = try fixture.token("otto", .approver)
        let stranger = try fixture.token("eve", .admin, owner: 8)
        #expect(fixture.desk.ask(try Self.request("https://a.example/x"), waiter: 5))
        guard case .queue = try fixture.order(.list, token: viewer),
            case .refused(let mayNot) = try fixture.order(.approve(1, nil), token: viewer),
            case .refused(let noJail) = try fixture.order(.list, token: stranger),
            case .refused = try fixture.order(.deny(1), token: stranger),
            case .done = try fixture.order(.approve(1, nil), token: approver)
        else {
            Issue.record("roles do not hold")
            return
        }
        #expect(mayNot.reason.contains("viewer") && noJail.reason == "there is no such jail" && noJail.told == nil)
        let events = Self.events(fixture.desk.takeNotices())
        #expect(events.contains { $0.contains(#""by":["'otto' by token"]"#) })
        #expect(fixture.refused == ["'vera' by token: 'vera' by token is viewer, which may not decide"])
        for event in events + fixture.refused { #expect(!event.contains(approver) && !event.contains("clawjail_")) }
    }

    @Test func `a revoked or expired token is none`() throws {
        let fixture = try Fixture()
        let text = try fixture.token("otto", .approver)
        guard case .queue = try fixture.order(.list, token: text) else {
            Issue.record("the token is not known")
            return
        }
        fixture.now.realtime += 3_600_000
        guard case .refused = try fixture.order(.list, token: text) else {
            Issue.record("it has expired")
            return
        }
        fixture.now.realtime -= 3_600_000
        #expect(
            try TokenFile.change(fixture.state.path, "tokens.json") { (list) throws(JailError) in
                list.revoke("otto")
            })
        guard case .refused = try fixture.order(.list, token: text) else {
            Issue.record("it is revoked")
            return
        }
    }

    @Test func `after five wrong tokens the right one is not heard either, for a while`() throws {
        let fixture = try Fixture()
        let right = try fixture.token("otto", .approver)
        let wrong = AccessToken.text(of: [UInt8](repeating: 0, count: AccessToken.randomCount))
        for _ in 0..<5 { _ = try fixture.order(.list, token: wrong) }
        guard case .refused(let text) = try fixture.order(.list, token: right) else {
            Issue.record("it is heard")
            return
        }
        #expect(text.reason.hasPrefix("too many wrong tokens"))
        fixture.now.monotonic += 12_000_000_000
        fixture.now.realtime += 12_000
        guard case .queue = try fixture.order(.list, token: right) else {
            Issue.record("it is not heard any more")
            return
        }
    }

    @Test func `two uids or tokens are two, and one and the same is one`() throws {
        let fixture = try Fixture(fourEyes: [.network])
        let otto = try fixture.token("otto", .approver)
        #expect(fixture.desk.ask(try Self.request("https://a.example/x"), waiter: 5))
        guard case .done(let first) = try fixture.order(.approve(1, nil), token: otto),
            case .refused = try fixture.order(.approve(1, nil), token: otto),
            case .done(let second) = try fixture.order(.approve(1, nil))
        else {
            Issue.record("four eyes do not hold")
            return
        }
        #expect(first.contains("somebody else") && second.hasPrefix("approved once"))
        #expect(fixture.desk.takeAnswers().map(\.answer) == [.granted(grant: 1)])
    }

    @Test func `an order is read as it was written`() throws {
        let token = AccessToken.text(of: [UInt8](repeating: 1, count: 32))
        for action in [
            .list, .pause, .resume, .stop, .approve(7, nil), .approve(7, ApprovalTerms()),
            .approve(.max, ApprovalTerms(uses: 1, time: 2, below: "/a/")),
            .deny(0), .revoke(grant: 3),
        ] as [ApprovalOrder.Action] {
            let order = try #require(ApprovalOrder(action, reason: "a = b", token: token))
            #expect(ApprovalOrder(bytes: order.bytes) == order)
            let request = ControlRequest.approvals(order)
            #expect(!request.isForOtherJails && request.bytes.first == 0x41)
            guard case .approvals(let read)? = ControlRequest(request.bytes, []) else {
                Issue.record("it is not understood")
                continue
            }
            #expect(read == order)
        }
    }

    @Test(arguments: [
        "", "approve\0", "approve\0id=x\0", "list\0id=1\0", "stop\0id=1\0", "pause\0uses=1\0", "approve\0id=1\0uses=\0",
        "approve\0id=1\0uses=-1\0",
        "approve\0id=1\0id=2\0", "approve\0id=1\0terms=usual\0uses=1\0", "approve\0id=1\0more=1\0", "deny\0",
        "deny\0id=1\0reason=a\nb\0", "deny\0id=1\0reason=\0", "deny\0id=1\0uses=1\0", "forget\0id=1\0",
    ])
    func `of any other form is none`(_ text: String) { #expect(ApprovalOrder(bytes: Array(text.utf8)) == nil) }
}
