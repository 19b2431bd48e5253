internal import JailApprovals
internal import JailCore
internal import JailPolicy
package import PageControl

/// Who answers for the jails.
package protocol PageDesk: Sendable {
    /// nil: it is gone.
    func answer(_ call: PageCall) async -> PageAnswer?
}

/// What is answered to whom: the pages, who is logged in, and what they may say. Everything about jails is the desk's.
package actor PageSite {
    private let hosts: PageHosts
    private let desk: any PageDesk
    /// Monotonic nanoseconds.
    private let now: @Sendable () -> Int64
    private let random: @Sendable (Int) throws -> [UInt8]
    private var sessions = PageSessions()
    private var logins: LoginGuard
    private var streams = PageStreams()

    package init(
        hosts: PageHosts, desk: any PageDesk, now: @escaping @Sendable () -> Int64 = { System.monotonicNanoseconds() },
        random: @escaping @Sendable (Int) throws -> [UInt8] = { try System.randomBytes($0) }
    ) {
        self.hosts = hosts
        self.desk = desk
        self.now = now
        self.random = random
        logins = LoginGuard(now: now())
    }

    package func reply(to ask: PageAsk) async -> PageReply {
        guard hosts.accepts(host: ask.host) else {
            return .text(421, "this page has another name; 'clawjail approvals serve --allowed-host' allows one more")
        }
        switch (ask.method, ask.target) {
        case ("GET", "/"): return await front(ask)
        case ("GET", "/login"): return session(ask) == nil ? .html(200, PageFiles.login()) : .redirect("/")
        case ("GET", "/page.css") where ask.isOwn: return PageReply(200, "text/css; charset=utf-8", PageFiles.style)
        case ("GET", "/page.js") where ask.isOwn:
            return PageReply(200, "text/javascript; charset=utf-8", PageFiles.script)
        case ("GET", "/events") where ask.isOwn: return openStream(ask)
        case ("POST", "/login"): return await checked(ask) { await self.login(ask, $0) }
        case ("POST", "/logout"): return await checked(ask) { self.logout(ask, $0) }
        case ("POST", "/decide"):
            return await checked(ask) { form in
                await self.carry(ask, form) { (form) throws(PageForm.Refusal) in try form.decision() }
            }
        case ("POST", "/lockdown"):
            return await checked(ask) { form in
                await self.carry(ask, form) { (form) throws(PageForm.Refusal) in try form.lockdown() }
            }
        case ("GET", "/page.css"), ("GET", "/page.js"), ("GET", "/events"):
            return .text(403, "another page has asked for this")
        case (_, "/"), (_, "/login"), (_, "/page.css"), (_, "/page.js"), (_, "/events"), (_, "/logout"), (_, "/decide"),
            (_, "/lockdown"):
            return .text(405, "not by this method")
        default: return .text(404, "there is nothing here")
        }
    }

    /// A form of this page's own.
    private func checked(_ ask: PageAsk, _ body: (PageForm) async -> PageReply) async -> PageReply {
        guard ask.isOwn, hosts.accepts(origin: ask.origin, host: ask.host) else {
            return .text(403, "another page has asked for this")
        }
        let type = ask.contentType?.split(separator: ";").first.map { $0.lowercased() }
        guard type == PageForm.type, let form = PageForm(ask.body) else { return .text(400, "this is no form") }
        return await body(form)
    }

    private func session(_ ask: PageAsk) -> PageSessions.Session? {
        sessions.find(PageCookie.value(in: ask.cookie), now: now())
    }

    // MARK: Pages

    private func front(_ ask: PageAsk) async -> PageReply {
        guard let session = session(ask) else { return .redirect("/login") }
        switch await desk.answer(PageCall(token: session.token, .who)) {
        case .content: return .html(200, PageFiles.front(session))
        case .unknown, .refused:
            sessions.endAll(of: session.token)
            return .redirect("/login", [("Set-Cookie", PageCookie.removing)])
        case nil: return Self.alone
        }
    }

    private static let alone = PageReply.text(503, "the process that reaches the jails has ended")

    // MARK: Logging in and out

    private func login(_ ask: PageAsk, _ form: PageForm) async -> PageReply {
        guard logins.mayTry(ask.address, now: now()) else {
            return .html(
                429, PageFiles.login("Too many wrong tokens; try again in a minute."), [("Retry-After", "60")])
        }
        let text = String((form["token"] ?? "").filter { $0 != " " })
        guard AccessToken.isToken(text) else { return Self.wrong }
        switch await desk.answer(PageCall(token: text, .who)) {
        case .content(let answer):
            guard let value = try? JSON5Reader.read(answer, file: ""), let name = value["name"]?.text,
                let role = value["role"]?.text.flatMap(ApprovalRole.init(rawValue:)),
                let bytes = try? random(PageSessions.randomCount)
            else { return Self.alone }
            logins.wasRight(ask.address)
            // Whoever sat here before is somebody else.
            if let old = PageCookie.value(in: ask.cookie) { sessions.end(old) }
            let cookie = sessions.begin(token: text, name: name, role: role, random: bytes, now: now())
            let isSecure = ask.origin?.lowercased().hasPrefix("https://") == true
            return .redirect("/", [("Set-Cookie", PageCookie.setting(cookie, isSecure: isSecure))])
        case .unknown, .refused: return Self.wrong
        case nil: return Self.alone
        }
    }

    private static let wrong = PageReply.html(
        401, PageFiles.login("This token is not known, has been revoked, or has expired."))

    private func logout(_ ask: PageAsk, _ form: PageForm) -> PageReply {
        guard let cookie = PageCookie.value(in: ask.cookie), let session = session(ask), session.proves(form["proof"])
        else { return .redirect("/login") }
        sessions.end(cookie)
        return .redirect("/login", [("Set-Cookie", PageCookie.removing)])
    }

    // MARK: Orders

    private func carry(
        _ ask: PageAsk, _ form: PageForm, _ order: (PageForm) throws(PageForm.Refusal) -> PageCall.Order
    ) async -> PageReply {
        guard let session = session(ask) else { return Self.told(401, "log in again") }
        guard session.proves(form["proof"]) else { return Self.told(403, "another page has asked for this") }
        let call: PageCall
        do throws(PageForm.Refusal) { call = PageCall(token: session.token, try order(form)) } catch {
            return Self.told(400, error.reason)
        }
        switch await desk.answer(call) {
        case .content(let answer): return .json(200, answer)
        case .refused(let reason): return Self.told(403, reason)
        case .unknown:
            sessions.endAll(of: session.token)
            return Self.told(401, "log in again")
        case nil: return Self.alone
        }
    }

    private static func told(_ status: Int, _ text: String) -> PageReply {
        .json(status, JSON.object([("error", .string(text))]).bytes())
    }

    // MARK: Events

    private func openStream(_ ask: PageAsk) -> PageReply {
        guard let cookie = PageCookie.value(in: ask.cookie), session(ask) != nil else {
            return .text(401, "log in again")
        }
        guard streams.open(cookie) else { return .text(503, "too many pages are open") }
        var reply = PageReply(200, "text/event-stream", [])
        reply.events = cookie
        return reply
    }

    /// One that was opened is closed once.
    package func closeStream(_ cookie: String) { streams.close(cookie) }

    /// What an open page hears next; nil: its session is over.
    package func look(_ cookie: String, _ order: PageCall.Order) async -> [UInt8]? {
        guard let session = sessions.find(cookie, now: now()) else { return nil }
        switch await desk.answer(PageCall(token: session.token, order)) {
        case .content(let answer): return answer
        case .refused(let reason): return JSON.object([("error", .string(reason))]).bytes()
        case .unknown:
            sessions.endAll(of: session.token)
            return nil
        case nil: return nil
        }
    }
}

/// Pages that are open and hear events: so many, and of one session so many.
struct PageStreams {
    static let most = 16
    static let mostOfOne = 4

    private var counts: [String: Int] = [:]

    mutating func open(_ cookie: String) -> Bool {
        guard counts.values.reduce(0, +) < Self.most, counts[cookie, default: 0] < Self.mostOfOne else { return false }
        counts[cookie, default: 0] += 1
        return true
    }

    mutating func close(_ cookie: String) {
        guard let count = counts[cookie] else { return }
        counts[cookie] = count > 1 ? count - 1 : nil
    }
}
