import NIOHTTP1
import Testing

@testable import EgressGateway

struct ResponseHeadTests {
    private func head(
        _ status: Int = 200, _ fields: [(String, String)], toHead isHead: Bool = false, version: HTTPVersion = .http1_1,
        closing: Bool = false
    ) -> ResponseHead? {
        let upstream = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: status), headers: HTTPHeaders(fields))
        return ResponseHead(upstream, toHead: isHead, version: version, closing: closing)
    }

    @Test func `what belongs to one hop stays on it, and framing is made anew`() {
        let fields = [
            ("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"), ("Keep-Alive", "1"), ("Via", "1.1 x"),
            ("Upgrade", "h2c"),
            ("Alt-Svc", "h3=\":443\""), ("Proxy-Authenticate", "Basic"), ("Proxy-Connection", "close"),
            ("Transfer-Encoding", "gzip, chunked"), ("X-Kept", "2"),
        ]
        #expect(
            head(fields)?.head.headers.map { "\($0.name): \($0.value)" } == ["X-Kept: 2", "Transfer-Encoding: chunked"])
    }

    @Test func `a length beside chunks does not go on`() {
        let made = head([("Content-Length", "5"), ("Transfer-Encoding", "chunked")])
        #expect(made?.head.headers["content-length"].isEmpty == true)
        #expect(made?.head.headers["transfer-encoding"] == ["chunked"])
    }

    @Test func `several lengths are one or none`() {
        #expect(head([("Content-Length", "5"), ("Content-Length", "5")])?.head.headers["content-length"] == ["5"])
        #expect(head([("Content-Length", "5"), ("Content-Length", "6")]) == nil)
    }

    @Test(arguments: [100, 101, 103, 199, 600, 999])
    func `only final answers are answers`(status: Int) { #expect(head(status, []) == nil) }

    @Test(arguments: [("a b", "x"), ("", "x"), ("a", "x\r\ny: z"), ("a", "x\ny"), ("a", "x\u{0}")])
    func `fields that would be others on the way are none`(name: String, value: String) {
        #expect(head([(name, value)]) == nil)
    }

    @Test(arguments: [(200, true), (204, false), (304, false)])
    func `a body is not announced where there is none`(status: Int, toHead: Bool) {
        let made = head(status, [], toHead: toHead)
        #expect(made?.hasBody == false && made?.head.headers.isEmpty == true)
        // The length of what would be there is told, but never of 204 (RFC 9110, 8.6).
        let length = head(status, [("Content-Length", "9")], toHead: toHead)?.head.headers["content-length"]
        #expect(length == (status == 204 ? [] : ["9"]))
    }

    @Test func `before HTTP 1 point 1 a body without a length ends with the connection`() {
        #expect(head([("Transfer-Encoding", "chunked")], version: .http1_0)?.endsWithConnection == true)
        #expect(head([("Content-Length", "1")], version: .http1_0)?.endsWithConnection == false)
        #expect(head([("Transfer-Encoding", "chunked")])?.endsWithConnection == false)
        #expect(head([], closing: true)?.head.headers["connection"] == ["close"])
        #expect(head([], version: .http2, closing: true)?.head.headers["connection"] == [])
    }

    private func head(_ fields: [(String, String)], version: HTTPVersion = .http1_1, closing: Bool = false)
        -> ResponseHead?
    {
        head(200, fields, version: version, closing: closing)
    }
}
