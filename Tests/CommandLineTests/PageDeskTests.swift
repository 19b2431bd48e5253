import JailApprovals
import JailCore
import JailPolicy
import PageControl
import TestSupport
import Testing

@testable import clawjail

/// What the process that reaches jails does for the page, and for whom.
struct PageDeskTests {
    private let directory: TemporaryDirectory
    private let desk: PageDesk
    /// No jail of the machine that runs this is to be locked down, should it fail.
    private static let nobody = "no-jail-of-this-name"
    private static let now: Int64 = 1_700_000_000_000

    init() throws {
        directory = try TemporaryDirectory()
        desk = PageDesk(tokens: "\(directory.path)/tokens.json") { Self.now }
    }

    private func token(_ name: String, _ role: ApprovalRole, owner: UInt32? = nil, time: Int64 = 1000) throws -> String
    {
        let text = AccessToken.text(of: try System.randomBytes(AccessToken.randomCount))
        let token = AccessToken(
            name: name, role: role, owner: owner, created: Self.now, expires: Self.now + time,
            digest: AccessToken.digest(of: text))
        try TokenFile.change(directory.path, "tokens.json") { (list) throws(JailError) in
            do throws(ValueError) { try list.add(token) } catch { throw JailError(.usage, reason: error.reason) }
        }
        return text
    }

    private func ask(_ token: String, _ order: PageCall.Order) -> PageAnswer {
        desk.answer(PageCall(token: token, order).bytes)
    }

    @Test func `a token is looked up each time`() throws {
        let ann = try token("ann", .approver)
        #expect(ask(ann, .who) == .content(Array(#"{"name":"ann","role":"approver"}"#.utf8)))
        #expect(ask("clawjail_" + String(repeating: "0", count: 64), .who) == .unknown)
        try TokenFile.change(directory.path, "tokens.json") { (list) throws(JailError) in _ = list.revoke("ann") }
        #expect(ask(ann, .who) == .unknown)
        #expect(ask(ann, .lockdown(jail: Self.nobody, reason: "r")) == .unknown)
    }

    @Test func `one that has expired is none`() throws {
        #expect(ask(try token("ann", .admin, time: 0), .who) == .unknown)
    }

    @Test(arguments: [ApprovalRole.viewer, .approver]) func `who may not stop jails locks none down`(
        role: ApprovalRole
    ) throws {
        guard case .refused(let reason) = ask(try token("ann", role), .lockdown(jail: Self.nobody, reason: "r")) else {
            Issue.record("it was done")
            return
        }
        #expect(reason.contains("may not stop jails"))
    }

    @Test func `all jails are for who may stop jails, and whose token is for all of them`() {
        func may(_ role: ApprovalRole, _ owner: UInt32?) -> Bool {
            PageDesk.mayHandleAll(
                AccessToken(name: "a", role: role, owner: owner, created: 0, expires: 1, digest: ""))
        }
        #expect(may(.admin, nil))
        #expect(may(.operator, System.effectiveUserID))
        #expect(!may(.admin, System.effectiveUserID + 1))
        #expect(!may(.approver, nil))
        #expect(!may(.viewer, System.effectiveUserID))
    }

    @Test func `nothing else is answered`() {
        for text in ["", "{}", "{\"order\":\"who\"}"] {
            guard case .refused = desk.answer(Array(text.utf8)) else {
                Issue.record("\(text) was answered")
                continue
            }
        }
    }

    @Test func `jails of another owner are invisible to a token, and so are those of nobody`() throws {
        func jail(_ name: String, _ owner: String) throws -> RunningJail {
            try #require(RunningJail(name: name, state: Array("{\"profile\":\"p\"\(owner)}".utf8)))
        }
        let (own, session) = (try jail("own", ",\"owner\":7"), try jail("own/s", ""))
        let (other, nobodys) = (try jail("other", ",\"owner\":8"), try jail("old", ""))
        let all = [own, session, other, nobodys]
        func seen(_ owner: UInt32?) -> [String] {
            let token = AccessToken(name: "a", role: .viewer, owner: owner, created: 0, expires: 1, digest: "")
            return all.filter { PageDesk.maySee(token, $0, among: all) }.map(\.name)
        }
        #expect(seen(7) == ["own", "own/s"])
        #expect(seen(8) == ["other"])
        #expect(seen(nil) == ["own", "own/s", "other", "old"])
    }
}
