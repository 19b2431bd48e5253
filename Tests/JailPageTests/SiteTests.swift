import JailApprovals
import JailPage
import PageControl
import Testing

struct `The page` {
    private static let decision = "jail=j&id=1&decision=approve&how=once"

    @Test func `is shown to who has logged in, and to nobody else`() async throws {
        let fixture = try Fixture()
        #expect(await fixture.get("/").status == 303)
        #expect(await fixture.get("/login").status == 200)
        let (cookie, proof) = try await fixture.login()
        let page = await fixture.get("/", cookie: cookie)
        let text = String(decoding: page.body, as: UTF8.self)
        #expect(page.status == 200)
        #expect(text.contains("ann, approver"))
        #expect(!text.contains(FakeDesk.ann), "the token is on the page")
        #expect(!text.contains(cookie), "the cookie is on the page")
        #expect(proof.utf8.count == 64)
        #expect(!text.contains("id=\"lockdown\""), "an approver stops no jails")
    }

    @Test func `gives a cookie that no script reads and no other site sends`() async throws {
        let fixture = try Fixture()
        let reply = await fixture.post("/login", "token=+\(FakeDesk.ann)+")
        let cookie = try #require(reply.headers.first { $0.0 == "Set-Cookie" }?.1)
        #expect(cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Strict"))
        #expect(!cookie.contains(FakeDesk.ann))
    }

    @Test func `hears no token out after five wrong ones, for a while`() async throws {
        let fixture = try Fixture()
        for token in [FakeDesk.wrong, "", "x", FakeDesk.wrong, FakeDesk.wrong] {
            #expect(await fixture.post("/login", "token=\(token)").status == 401)
        }
        #expect(await fixture.post("/login", "token=\(FakeDesk.ann)").status == 429)
        fixture.wait(6)
        #expect(await fixture.post("/login", "token=\(FakeDesk.ann)").status == 303)
    }

    @Test func `carries a decision out that its own form has made`() async throws {
        let fixture = try Fixture()
        let (cookie, proof) = try await fixture.login()
        let reply = await fixture.post("/decide", Self.decision + "&proof=\(proof)", cookie: cookie)
        #expect(reply.status == 200)
        #expect(fixture.desk.orders.last == .approve(jail: "j", id: 1, nil, reason: nil))
    }

    @Test func `decides nothing for other pages, names, cookies and proofs`() async throws {
        let fixture = try Fixture()
        let (cookie, proof) = try await fixture.login()
        let right = Self.decision + "&proof=\(proof)"
        let before = fixture.desk.orders.count
        func status(_ form: String, _ cookie: String?, _ change: (inout PageAsk) -> Void = { _ in }) async -> Int {
            await fixture.post("/decide", form, cookie: cookie, change: change).status
        }
        #expect(await status(Self.decision, cookie) == 403)
        #expect(await status(Self.decision + "&proof=\(cookie)", cookie) == 403)
        #expect(await status(right, nil) == 401)
        #expect(await status(right, String(proof.reversed())) == 401)
        #expect(await status(right, cookie) { $0.host = "evil.example:18770" } == 421)
        #expect(await status(right, cookie) { $0.origin = "http://evil.example" } == 403)
        #expect(await status(right, cookie) { $0.origin = nil } == 403)
        #expect(await status(right, cookie) { $0.fetchSite = "same-site" } == 403)
        #expect(await status(right, cookie) { $0.contentType = "text/plain" } == 400)
        #expect(await status(right, cookie) { $0.contentType = nil } == 400)
        #expect(await status(right, cookie) { $0.method = "GET" } == 405)
        #expect(fixture.desk.orders.count == before)
    }

    @Test func `says what the desk refuses`() async throws {
        let fixture = try Fixture()
        let (cookie, proof) = try await fixture.login(FakeDesk.vic)
        let reply = await fixture.post("/decide", Self.decision + "&proof=\(proof)", cookie: cookie)
        #expect(reply.status == 403)
        #expect(String(decoding: reply.body, as: UTF8.self) == #"{"error":"may look, and not decide"}"#)
    }

    @Test func `ends a session when its time is over, its token is revoked, or it is left`() async throws {
        let fixture = try Fixture()
        var (cookie, proof) = try await fixture.login()
        fixture.wait(PageSessions.lifetime / 1_000_000_000)
        #expect(await fixture.get("/", cookie: cookie).status == 303)
        (cookie, proof) = try await fixture.login()
        #expect(await fixture.post("/logout", "proof=x", cookie: cookie).status == 303)
        #expect(await fixture.get("/", cookie: cookie).status == 200, "no proof, no end")
        #expect(await fixture.post("/logout", "proof=\(proof)", cookie: cookie).status == 303)
        #expect(await fixture.get("/", cookie: cookie).status == 303)
        (cookie, proof) = try await fixture.login()
        fixture.desk.revoke(FakeDesk.ann)
        #expect(await fixture.post("/decide", Self.decision + "&proof=\(proof)", cookie: cookie).status == 401)
        #expect(await fixture.get("/events", cookie: cookie).status == 401)
    }

    @Test func `says that it cannot reach jails any more`() async throws {
        let fixture = try Fixture()
        let (cookie, _) = try await fixture.login()
        fixture.desk.leave()
        #expect(await fixture.get("/", cookie: cookie).status == 503)
    }

    @Test func `tells so many open pages what happens`() async throws {
        let fixture = try Fixture()
        let (cookie, _) = try await fixture.login()
        for _ in 0..<4 { #expect(await fixture.get("/events", cookie: cookie).events == cookie) }
        #expect(await fixture.get("/events", cookie: cookie).status == 503)
        await fixture.site.closeStream(cookie)
        #expect(await fixture.get("/events", cookie: cookie).status == 200)
    }

    @Test(arguments: [
        "/favicon.ico", "/login?x", "//", "/page.js/", "/../etc/passwd", "http://127.0.0.1:18770/login", "",
    ])
    func `has nothing else`(target: String) async throws {
        #expect(await (try Fixture()).get(target).status == 404)
    }

    @Test func `hears what has changed, and now and then something`() async throws {
        let texts = ["a", "a", "b"]
        let calls = Counter()
        var events = PageEvents { order in
            guard order == .queue else { return Array("jails".utf8) }
            let number = calls.next()
            return number < 20 ? Array(texts[min(number, 2)].utf8) : nil
        }
        var heard: [String] = []
        while let bytes = await events.next() { heard.append(String(decoding: bytes, as: UTF8.self)) }
        #expect(heard[0] == "event: queue\ndata: a\n\nevent: jails\ndata: jails\n\n")
        #expect(heard[1].isEmpty)
        #expect(heard[2] == "event: queue\ndata: b\n\n")
        #expect(heard.filter { $0 == ": \n\n" }.count == 1)
        #expect(heard.last == "event: over\ndata: {}\n\n")
        #expect(heard.count == 21)
    }
}
