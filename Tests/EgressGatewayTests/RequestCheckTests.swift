import EgressGateway
import JailPolicy
import NIOHTTP1
import Testing

@Suite struct RequestCheckTests {
    let checker = Checker()

    @Test func `a plain request goes on with a Host of our own`() throws {
        let request = try checker.check("/a?b=c", [("host", "EXAMPLE.org:443"), ("Accept", "*/*")]).get()
        #expect(request.path.target == "/a?b=c")
        #expect(request.headers.map(\.name) == ["Host", "Accept"])
        #expect(request.headers["host"] == ["example.org"])
        #expect(request.body == .none && request.keepsAlive)
    }

    @Test(arguments: [
        [], [("Host", "example.org"), ("Host", "example.org")], [("Host", "other.org")], [("Host", "example.org:80")],
        [("Host", "user@example.org")], [("Host", "example.org:")], [("Host", "")],
        [("Host", "example.org, other.org")],
        [("Host", "exa mple.org")], [("Host", "example.org\u{0}")],
    ])
    func `Host must be there once and be the destination`(headers: [(String, String)]) {
        #expect(!checker.check("/", headers).isSuccess)
    }

    @Test(arguments: [
        "http://example.org/", "//example.org", "*", "", "a", "/a#b", "/a\\b", "/%2f", "/..", "/a/../../b", "/a\u{1}",
        "/%", "/%zz", "/a;b", "/ü", "/a b",
    ])
    func `a target has one reading or none`(target: String) {
        if target == "//example.org" { return }
        #expect(!checker.check(target).isSuccess, "\(target)")
    }

    @Test func `the path that is judged is the path that is sent`() throws {
        let request = try checker.check("/a/./b/../c%41%7e?x=%2f").get()
        #expect(request.path.path == "/a/cA~")
        #expect(request.path.target == "/a/cA~?x=%2f")
    }

    // MARK: Framing

    @Test(arguments: [
        [("Content-Length", "1"), ("Transfer-Encoding", "chunked")],
        [("Content-Length", "1"), ("Content-Length", "1")],
        [("Content-Length", "+1")], [("Content-Length", "-1")], [("Content-Length", "1, 1")], [("Content-Length", "")],
        [("Content-Length", "0x1")], [("Content-Length", "9999999999999999999")],
        [("Transfer-Encoding", "gzip, chunked")],
        [("Transfer-Encoding", "identity")], [("Transfer-Encoding", "xchunked")], [("Transfer-Encoding", "gzip")],
        [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")], [("Transfer-Encoding", "chunked ")],
    ])
    func `framing that could be read in two ways is refused`(headers: [(String, String)]) {
        #expect(!checker.check("/", method: .POST, [("Host", "example.org")] + headers).isSuccess)
    }

    @Test func `chunks are for HTTP 1 point 1 alone`() {
        let headers = [("Host", "example.org"), ("Transfer-Encoding", "chunked")]
        #expect(checker.check("/", method: .POST, headers).value?.body == .chunked)
        #expect(!checker.check("/", method: .POST, version: .http1_0, headers).isSuccess)
    }

    @Test func `framing is made anew`() throws {
        let headers = [("Host", "example.org"), ("content-length", "5")]
        let request = try checker.check("/", method: .POST, headers).get()
        #expect(request.headers["Content-Length"] == ["5"])
        #expect(try checker.check("/", method: .POST).get().headers["Content-Length"] == ["0"])
        #expect(try checker.check("/").get().headers["Content-Length"].isEmpty)
    }

    // MARK: Fields

    @Test func `what belongs to one hop stays on it`() throws {
        let request = try checker.check(
            "/",
            [
                ("Host", "example.org"), ("Connection", "keep-alive, X-Secret"), ("X-Secret", "1"), ("Keep-Alive", "1"),
                ("Proxy-Authorization", "Basic eA=="), ("Proxy-Connection", "close"), ("TE", "trailers"),
                ("Via", "1.1 x"),
                ("Trailer", "a"), ("X-Kept", "2"),
            ]
        ).get()
        #expect(request.headers.map(\.name) == ["Host", "X-Kept"])
    }

    @Test(arguments: ["X-HTTP-Method-Override", "x-http-method", "X-Method-Override"])
    func `an overriding method is a method`(name: String) throws {
        let request = try checker.check("/", [("Host", "example.org"), (name, "delete")]).get()
        #expect(request.overrides == ["DELETE"])
        #expect(request.question.overrides == ["DELETE"])
    }

    @Test(arguments: [
        ("", "x"), ("a b", "x"), ("a:", "x"), ("a\r\nb", "x"), ("a", "x\r\ny"), ("a", "x\u{0}"), ("a", "\u{7F}"),
        ("a", "\u{FFFD}"), ("ä", "x"),
    ])
    func `fields with other than text are refused`(name: String, value: String) {
        #expect(!checker.check("/", [("Host", "example.org"), (name, value)]).isSuccess)
    }

    @Test func `crumbs of cookies become one`() throws {
        let request = try checker.check("/", [("Host", "example.org"), ("cookie", "a=1"), ("cookie", "b=2")]).get()
        #expect(request.headers["Cookie"] == ["a=1; b=2"])
    }

    @Test func `sizes are bounded`() {
        var small = Checker()
        small.mostTarget = 5
        small.mostHeaders = 40
        #expect(small.check("/1234").isSuccess)
        #expect(small.check("/12345").failure?.status == .uriTooLong)
        let headers = [("Host", "example.org"), ("a", String(repeating: "x", count: 40))]
        #expect(small.check("/", headers).failure?.status == .requestHeaderFieldsTooLarge)
    }

    @Test func `an expectation is met here or refused`() throws {
        let headers = [("Host", "example.org"), ("Content-Length", "1")]
        #expect(try checker.check("/", method: .POST, headers + [("Expect", "100-Continue")]).get().awaitsContinue)
        #expect(!checker.check("/", method: .POST, headers + [("Expect", "200-maybe")]).isSuccess)
    }

    @Test(arguments: [(0, 9), (1, 2), (2, 0)])
    func `other versions are not spoken`(major: Int, minor: Int) {
        #expect(
            checker.check(version: HTTPVersion(major: major, minor: minor)).failure?.status == .httpVersionNotSupported)
    }

    @Test(arguments: ["G T", "GET\r\nX:", "GÉT"])
    func `a method is a token`(method: String) {
        #expect(checker.check(method: .RAW(value: method)).failure?.reason == "a method that is no token")
    }

    @Test(arguments: [
        ("Expect", "100-continue"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ])
    func `what may be said once is not said twice`(name: String, value: String) {
        let rest = Self.handshake.filter { $0.0 != name } + [("Content-Length", "0")]
        #expect(checker.check("/", rest + [(name, value)]).isSuccess)
        #expect(!checker.check("/", rest + [(name, value), (name, value)]).isSuccess)
    }

    @Test func `Connection names a few fields at most`() {
        func names(_ count: Int) -> (String, String) {
            ("Connection", [String](repeating: "a", count: count).joined(separator: ","))
        }
        #expect(checker.check("/", [("Host", "example.org"), names(16)]).isSuccess)
        #expect(!checker.check("/", [("Host", "example.org"), names(17)]).isSuccess)
    }

    // MARK: Upgrades

    @Test func `a WebSocket handshake is understood as such`() throws {
        let request = try checker.check("/", Self.handshake).get()
        #expect(request.webSocketKey == "dGhlIHNhbXBsZSBub25jZQ==")
        #expect(request.question.isWebSocket)
        #expect(request.headers["sec-websocket-extensions"].isEmpty)
        #expect(request.headers["upgrade"] == ["websocket"])
    }

    @Test(arguments: [
        ("Upgrade", "websocket, h2c"), ("Sec-WebSocket-Version", "12"), ("Sec-WebSocket-Key", "short"),
        ("Connection", "close"),
    ])
    func `a handshake that is not one is refused`(name: String, value: String) {
        let headers = Self.handshake.map { $0.0 == name ? (name, value) : $0 }
        #expect(!checker.check("/", headers).isSuccess)
        #expect(!checker.check("/", method: .POST, Self.handshake).isSuccess)
        #expect(!checker.check("/", version: .http1_0, Self.handshake).isSuccess)
    }

    @Test(arguments: ["h2c", "TLS/1.0"])
    func `any other upgrade is an offer that is not taken, and the last request`(name: String) throws {
        let request = try checker.check(
            "/",
            [
                ("Host", "example.org"), ("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", name),
                ("HTTP2-Settings", "AAMA"),
            ]
        ).get()
        #expect(request.headers.map(\.name) == ["Host"])
        #expect(!request.keepsAlive && request.webSocketKey == nil)
    }

    static let handshake = [
        ("Host", "example.org"), ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="), ("Sec-WebSocket-Extensions", "permessage-deflate"),
    ]

    // MARK: The proxy

    @Test(arguments: ["http://example.org?a", "http://example.org#a"])
    func `the proxy says what is missing`(target: String) {
        var proxy = Checker()
        proxy.entry = .proxy
        #expect(proxy.check(target).failure?.reason == "a target without a path")
    }

    @Test func `the proxy reads absolute form`() throws {
        var proxy = Checker()
        proxy.entry = .proxy
        let request = try proxy.check("HTTP://Example.org:8080/a", [("Host", "example.org:8080")]).get()
        #expect(request.destination == Destination(host: .name("example.org"), port: 8080))
        #expect(request.scheme == .http && request.path.path == "/a")
        #expect(try proxy.check("http://example.org").get().path.path == "/")
    }

    @Test(arguments: [
        "/", "https://example.org/", "http://", "http:///a", "http://other.org/", "http://u@example.org/",
        "http://example.org?a", "http://example.org#a", "ftp://example.org/", "http://example.org:80:80/",
    ])
    func `the proxy refuses every other target`(target: String) {
        var proxy = Checker()
        proxy.entry = .proxy
        #expect(!proxy.check(target).isSuccess)
    }
}
