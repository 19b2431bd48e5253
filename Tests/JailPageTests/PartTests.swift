import JailApprovals
import JailPolicy
import PageControl
import Testing

@testable import JailPage

struct `Names of the page` {
    private let hosts: PageHosts

    init() throws { hosts = try PageHosts(port: 18770, others: ["jails.example.net", "box:8443"]) }

    @Test(arguments: [
        "127.0.0.1:18770", "localhost:18770", "LOCALHOST:18770", "[::1]:18770", "clawjail.localhost:18770",
        "jails.example.net", "jails.example.net:18770", "box:8443",
    ])
    func `are those of the loopback, and those that were allowed`(host: String) {
        #expect(hosts.accepts(host: host))
        #expect(hosts.accepts(origin: "http://\(host)", host: host))
    }

    @Test(arguments: [
        nil, "", "127.0.0.1", "127.0.0.1:18791", "localhost", "evil.example:18770", "localhost.evil.example:18770",
        "127.0.0.1:18770.evil.example", "127.0.0.1:18770, evil.example", "jails.example.net:80", "box", "[::1]",
        "0.0.0.0:18770", "x.clawjail.localhost:18770",
    ])
    func `are no others`(host: String?) { #expect(!hosts.accepts(host: host)) }

    @Test(arguments: [
        nil, "null", "http://evil.example", "http://127.0.0.1:18791", "https://127.0.0.1:18770",
        "http://localhost:18770",
        "127.0.0.1:18770", "http://127.0.0.1:18770/",
    ])
    func `are no origins of other pages`(origin: String?) {
        #expect(!hosts.accepts(origin: origin, host: "127.0.0.1:18770"))
    }

    @Test func `may have TLS in front of them where they were allowed`() {
        #expect(hosts.accepts(origin: "https://jails.example.net", host: "jails.example.net"))
    }

    @Test(arguments: [
        "", "a b", "*", "a.example:0", "a.example:http", "a.example:08", "http://a.example", "a/b", "[::1]",
    ])
    func `that are none are refused`(name: String) {
        #expect(throws: ValueError.self) { try PageHosts(port: 18770, others: [name]) }
    }
}

struct `Sessions of the page` {
    private static func random(_ seed: UInt8) -> [UInt8] { (0..<64).map { $0 ^ seed } }

    @Test func `are found by their cookie, until they end`() {
        var sessions = PageSessions()
        let cookie = sessions.begin(token: "t", name: "ann", role: .viewer, random: Self.random(1), now: 0)
        #expect(cookie.utf8.count == 64)
        let session = sessions.find(cookie, now: PageSessions.lifetime - 1)
        #expect(session?.name == "ann")
        #expect(session?.proof != cookie)
        #expect(sessions.find(cookie, now: PageSessions.lifetime) == nil)
        #expect(sessions.find(nil, now: 0) == nil)
        #expect(sessions.find(AccessToken.digest(of: cookie), now: 0) == nil, "what is kept is no cookie")
        sessions.end(cookie)
        #expect(sessions.find(cookie, now: 0) == nil)
    }

    @Test func `end with their token, and not with another`() {
        var sessions = PageSessions()
        let one = sessions.begin(token: "t", name: "ann", role: .viewer, random: Self.random(1), now: 0)
        let other = sessions.begin(token: "u", name: "bob", role: .viewer, random: Self.random(2), now: 0)
        sessions.endAll(of: "t")
        #expect(sessions.find(one, now: 1) == nil)
        #expect(sessions.find(other, now: 1) != nil)
    }

    @Test func `are so many, of which the oldest ends`() {
        var sessions = PageSessions()
        let cookies = (0...PageSessions.most).map { number in
            sessions.begin(
                token: "t", name: "ann", role: .viewer, random: Self.random(UInt8(number)), now: Int64(number))
        }
        #expect(sessions.find(cookies[0], now: 100) == nil)
        #expect(cookies.dropFirst().allSatisfy { sessions.find($0, now: 100) != nil })
    }

    @Test func `have one cookie of the right shape`() {
        let value = String(repeating: "a", count: 64)
        #expect(PageCookie.value(in: "x=1; clawjail=\(value)") == value)
        for header in [
            nil, "", "clawjail=", "clawjail=\(value)b", "xclawjail=\(value)", "clawjail=\(value); clawjail=\(value)",
        ] {
            #expect(PageCookie.value(in: header) == nil, "\(header ?? "-")")
        }
    }
}

struct `Logins` {
    /// For what is changed while it is looked at.
    private final class Door {
        private var logins = LoginGuard(now: 0)
        func mayTry(_ address: String, now: Int64) -> Bool { logins.mayTry(address, now: now) }
        func wasRight(_ address: String) { logins.wasRight(address) }
    }

    @Test func `are heard five times, and then now and then`() {
        let logins = Door()
        for _ in 0..<5 { #expect(logins.mayTry("a", now: 0)) }
        #expect(!logins.mayTry("a", now: 0))
        #expect(logins.mayTry("b", now: 0), "another address has tries of its own")
        #expect(!logins.mayTry("a", now: LoginGuard.interval - 1))
        #expect(logins.mayTry("a", now: LoginGuard.interval))
        #expect(!logins.mayTry("a", now: LoginGuard.interval))
    }

    @Test func `that were right do not count`() {
        let logins = Door()
        for _ in 0..<50 {
            #expect(logins.mayTry("a", now: 0))
            logins.wasRight("a")
        }
    }

    @Test func `of all addresses together have a limit as well`() {
        let logins = Door()
        let heard = (0..<100).count { logins.mayTry("\($0)", now: 0) }
        #expect(heard == 20)
        #expect(logins.mayTry("x", now: LoginGuard.intervalOfAll))
    }
}

struct `Forms` {
    @Test func `are read as browsers write them`() throws {
        let form = try #require(PageForm(Array("a=b+c&d=%C3%A9%26&e=".utf8)))
        #expect(form["a"] == "b c")
        #expect(form["d"] == "é&")
        #expect(form["e"] == "")
        #expect(form["f"] == nil)
    }

    @Test(arguments: ["a", "a=1&a=2", "a=%", "a=%0", "a=%zz", "a=%FF", "a=%00", "a=x%0Ay", "a=%7F"])
    func `that are none are refused`(body: String) { #expect(PageForm(Array(body.utf8)) == nil) }

    @Test func `have a size and a number of fields`() {
        #expect(PageForm(Array(repeating: 0x61, count: PageForm.sizeLimit + 1)) == nil)
        #expect(PageForm(Array((0...16).map { "a\($0)=1" }.joined(separator: "&").utf8)) == nil)
    }

    @Test(arguments: [
        ("decision=approve&how=once", PageCall.Order.approve(jail: "j", id: 3, nil, reason: nil)),
        (
            "decision=approve&how=time&time=5m&uses=3",
            .approve(jail: "j", id: 3, ApprovalTerms(time: 300_000), reason: nil)
        ),
        ("decision=approve&how=uses&uses=3&time=5m", .approve(jail: "j", id: 3, ApprovalTerms(uses: 3), reason: nil)),
        ("decision=approve&how=end&reason=r", .approve(jail: "j", id: 3, ApprovalTerms(), reason: "r")),
        ("decision=deny&reason=", .deny(jail: "j", id: 3, reason: nil)),
        ("decision=revoke", .revoke(jail: "j", grant: 3)),
    ])
    func `say what one button says`(body: String, order: PageCall.Order) throws {
        #expect(try #require(PageForm(Array("jail=j&id=3&\(body)".utf8))).decision() == order)
    }

    @Test(arguments: [
        "jail=j&id=3", "jail=j&id=x&decision=deny", "id=3&decision=deny", "jail=j&id=3&decision=approve",
        "jail=j&id=3&decision=approve&how=time", "jail=j&id=3&decision=approve&how=time&time=soon",
        "jail=j&id=3&decision=approve&how=uses&uses=many", "jail=j&id=-1&decision=deny",
    ])
    func `that leave open what is meant decide nothing`(body: String) throws {
        let form = try #require(PageForm(Array(body.utf8)))
        #expect(throws: PageForm.Refusal.self) { try form.decision() }
    }

    @Test func `lock down one jail, or all that were named so`() throws {
        #expect(
            try #require(PageForm(Array("jail=j&reason=r".utf8))).lockdown() == .lockdown(jail: "j", reason: "r"))
        #expect(
            try #require(PageForm(Array("jail=*&reason=r".utf8))).lockdown() == .lockdown(jail: nil, reason: "r"))
        for body in ["jail=j", "jail=&reason=r", "reason=r", "jail=j&reason="] {
            let form = try #require(PageForm(Array(body.utf8)))
            #expect(throws: PageForm.Refusal.self) { try form.lockdown() }
        }
    }
}

struct `What is on the page` {
    @Test func `is escaped where it is put into a text`() {
        #expect(PageFiles.escaped("<b a=\"&\">") == "&lt;b a=&quot;&amp;&quot;&gt;")
        #expect(PageFiles.login("<script>").contains("&lt;script&gt;"))
    }

    @Test func `loads nothing from elsewhere, and puts nothing in as markup`() {
        let all = PageFiles.scriptText + PageFiles.styleText + PageFiles.login()
        for word in [
            "innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "http://", "https://", "@import",
            "url(",
        ] {
            #expect(!all.contains(word), "\(word)")
        }
        #expect(!PageFiles.login().contains("style="))
        #expect(!PageFiles.login().contains("onclick"))
    }
}
