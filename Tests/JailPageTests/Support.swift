import JailApprovals
import JailPage
import PageControl
import Synchronization
import Testing

/// A desk that knows two tokens, and writes down what it was asked.
final class FakeDesk: PageDesk {
    static let ann = "clawjail_" + String(repeating: "a", count: 64)
    static let vic = "clawjail_" + String(repeating: "b", count: 64)
    static let wrong = "clawjail_" + String(repeating: "0", count: 64)

    private struct State {
        var roles = [ann: ApprovalRole.approver, vic: .viewer]
        var orders: [PageCall.Order] = []
        var isGone = false
    }
    private let state = Mutex(State())

    var orders: [PageCall.Order] { state.withLock { $0.orders } }
    func revoke(_ token: String) { state.withLock { $0.roles[token] = nil } }
    func leave() { state.withLock { $0.isGone = true } }

    func answer(_ call: PageCall) async -> PageAnswer? {
        state.withLock { state in
            guard !state.isGone else { return nil }
            guard let role = state.roles[call.token] else { return .unknown }
            state.orders.append(call.order)
            if call.order == .who { return .content(Array(#"{"name":"ann","role":"\#(role.rawValue)"}"#.utf8)) }
            return role == .viewer && call.order != .queue && call.order != .jails
                ? .refused("may look, and not decide") : .content(Array(#"{"text":"done"}"#.utf8))
        }
    }
}

/// A site at a port, with a clock that somebody sets.
final class Fixture: Sendable {
    static let host = "127.0.0.1:18770"
    let desk = FakeDesk()
    let site: PageSite
    private let clock = Clock()

    private final class Clock: Sendable {
        let now = Mutex<Int64>(1_000_000_000_000)
    }

    init() throws {
        let clock = clock
        site = PageSite(
            hosts: try PageHosts(port: 18770, others: []), desk: desk, now: { clock.now.withLock { $0 } })
    }

    func wait(_ seconds: Int64) { clock.now.withLock { $0 += seconds * 1_000_000_000 } }

    func get(_ target: String, cookie: String? = nil) async -> PageReply {
        var ask = PageAsk("GET", target, address: "127.0.0.1")
        ask.host = Self.host
        ask.cookie = cookie.map { "other=1; clawjail=\($0)" }
        return await site.reply(to: ask)
    }

    /// As a browser sends this page's own forms.
    func post(
        _ target: String, _ form: String, cookie: String? = nil, change: (inout PageAsk) -> Void = { _ in }
    ) async -> PageReply {
        var ask = PageAsk("POST", target, address: "127.0.0.1")
        ask.host = Self.host
        ask.origin = "http://\(Self.host)"
        ask.fetchSite = "same-origin"
        ask.contentType = "application/x-www-form-urlencoded;charset=UTF-8"
        ask.cookie = cookie.map { "clawjail=\($0)" }
        ask.body = Array(form.utf8)
        change(&ask)
        return await site.reply(to: ask)
    }

    /// The cookie, and the proof that stands on the page.
    func login(_ token: String = FakeDesk.ann) async throws -> (cookie: String, proof: String) {
        let reply = await post("/login", "token=\(token)")
        let header = try #require(reply.headers.first { $0.0 == "Set-Cookie" }?.1)
        let cookie = String(header.dropFirst("clawjail=".count).prefix { $0 != ";" })
        let page = String(decoding: await get("/", cookie: cookie).body, as: UTF8.self)
        let start = try #require(page.firstRange(of: "data-proof=\""))
        return (cookie, String(page[start.upperBound...].prefix { $0 != "\"" }))
    }
}

final class Counter: Sendable {
    private let count = Mutex(0)

    /// 0, 1, 2 …
    func next() -> Int {
        count.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}
