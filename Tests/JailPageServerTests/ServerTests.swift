import JailCore
import JailPage
import JailPageServer
import PageControl
import TestSupport
import Testing

/// The real server, on the loopback, and clients that say what they like.
struct `The page's server` {
    private struct Desk: PageDesk {
        static let token = "clawjail_" + String(repeating: "a", count: 64)

        func answer(_ call: PageCall) async -> PageAnswer? {
            guard call.token == Self.token else { return .unknown }
            return .content(Array(call.order == .who ? #"{"name":"ann","role":"admin"}"#.utf8 : #"{"told":1}"#.utf8))
        }
    }

    private let port: UInt16

    init() throws {
        let listener = try System.makeInternetSocket()
        try System.bind(listener.borrowed, address: 0x7F00_0001, port: 0)
        try System.listen(listener.borrowed)
        port = try System.localPort(listener.borrowed)
        let site = PageSite(hosts: try PageHosts(port: port, others: []), desk: Desk())
        // It stays until the tests' process ends.
        PageServer(site).start(listeners: [listener.release()]) { _ in }
    }

    private func connect() throws -> SharedDescriptor {
        let socket = SharedDescriptor(try System.makeInternetSocket(nonBlocking: false))
        _ = try System.connect(socket.borrowed, address: 0x7F00_0001, port: port)
        return socket
    }

    /// What comes until the other end closes, or has said this.
    private func hear(_ socket: SharedDescriptor, until end: String? = nil) throws -> String {
        var text = ""
        while end.map({ !text.contains($0) }) ?? true {
            try #require(System.pollNow(socket.borrowed, System.PollEvents.readable) >= 0)
            var entries = [System.PollEntry(socket.borrowed, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: 20_000)
            try #require(entries[0].returned != 0, "nothing came: \(text)")
            guard let bytes = try? System.read(socket.borrowed, most: 65536), !bytes.isEmpty else { break }
            text += String(decoding: bytes, as: UTF8.self)
        }
        return text
    }

    private func ask(_ head: String, _ body: String = "", host: String? = nil) throws -> String {
        let socket = try connect()
        let length = body.isEmpty ? "" : "Content-Length: \(body.utf8.count)\r\n"
        try? System.writeAll(
            socket.borrowed,
            "\(head)\r\nHost: \(host ?? "127.0.0.1:\(port)")\r\n\(length)Connection: close\r\n\r\n\(body)")
        return try hear(socket)
    }

    private func login() throws -> String {
        let form = "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://127.0.0.1:\(port)"
        let reply = try ask("POST /login HTTP/1.1\r\n\(form)", "token=\(Desk.token)")
        let start = try #require(reply.firstRange(of: "clawjail="))
        return String(reply[start.lowerBound...].prefix { $0 != ";" })
    }

    @Test func `answers with a policy, and keeps nothing`() throws {
        let reply = try ask("GET /login HTTP/1.1")
        #expect(reply.hasPrefix("HTTP/1.1 200 "))
        for part in [
            "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
                + "form-action 'self'; frame-ancestors 'none'; base-uri 'none'", "X-Content-Type-Options: nosniff",
            "Cache-Control: no-store", "Referrer-Policy: same-origin", "X-Frame-Options: DENY",
        ] { #expect(reply.contains(part), "\(part)") }
    }

    @Test func `refuses another name`() throws {
        #expect(try ask("GET /login HTTP/1.1", host: "evil.example").hasPrefix("HTTP/1.1 421 "))
        #expect(try ask("GET /login HTTP/1.1", host: "127.0.0.1").hasPrefix("HTTP/1.1 421 "))
    }

    @Test func `tells an open page what there is`() throws {
        let cookie = try login()
        let socket = try connect()
        try System.writeAll(
            socket.borrowed, "GET /events HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nCookie: \(cookie)\r\n\r\n")
        let text = try hear(socket, until: "event: jails")
        #expect(text.contains("Content-Type: text/event-stream"))
        #expect(text.contains("event: queue\ndata: {\"told\":1}\n\n"))
    }

    @Test func `refuses a body that is too large, before it has come`() throws {
        let form = "Content-Type: application/x-www-form-urlencoded\r\nOrigin: http://127.0.0.1:\(port)"
        let socket = try connect()
        try System.writeAll(
            socket.borrowed,
            "POST /login HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\(form)\r\nContent-Length: 100000\r\n\r\n"
                + String(repeating: "x", count: 20_000))
        #expect(try hear(socket, until: "\r\n").hasPrefix("HTTP/1.1 413 "))
    }

    @Test func `refuses headers that are too large, or too many`() throws {
        for header in [
            "X: " + String(repeating: "x", count: 20_000), (0..<100).map { "X\($0): 1" }.joined(separator: "\r\n"),
        ] {
            let reply = try ask("GET /login HTTP/1.1\r\n\(header)")
            #expect(!reply.hasPrefix("HTTP/1.1 200 "), "\(reply.prefix(40))")
        }
    }

    @Test func `has so many connections, and closes the others`() throws {
        let sockets = try (0..<PageServer.mostConnections).map { _ in try connect() }
        let text = "GET /login HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\n\r\n"
        for socket in sockets {
            try System.writeAll(socket.borrowed, text)
            #expect(try hear(socket, until: "\r\n").hasPrefix("HTTP/1.1 200 "))
        }
        let further = try connect()
        try? System.writeAll(further.borrowed, text)
        #expect(try hear(further).isEmpty)
        withExtendedLifetime(sockets) {}
    }
}
