/// What a browser, or somebody who says to be one, asks for: nothing of it is trusted.
package struct PageAsk: Sendable {
    package var method: String
    /// As it was asked for, with the query if there is one.
    package var target: String
    /// Whose end of the connection it is.
    package var address: String
    /// The headers that matter; nil: it has none, or several.
    package var host: String?
    package var origin: String?
    package var fetchSite: String?
    package var cookie: String?
    package var contentType: String?
    package var body: [UInt8] = []

    package init(_ method: String, _ target: String, address: String) {
        self.method = method
        self.target = target
        self.address = address
    }

    /// What browsers say of who has made a request, see Fetch Metadata: this page itself, or the person. Old ones say nothing.
    var isOwn: Bool { fetchSite.map { $0 == "same-origin" || $0 == "none" } ?? true }
}

/// What it gets.
package struct PageReply: Equatable, Sendable {
    package var status: Int
    package var type: String
    package var body: [UInt8]
    package var headers: [(String, String)]
    /// The cookie of a session whose events follow, for as long as it lasts.
    package var events: String?

    package init(_ status: Int, _ type: String, _ body: [UInt8], _ headers: [(String, String)] = []) {
        self.status = status
        self.type = type
        self.body = body
        self.headers = headers
    }

    static func text(_ status: Int, _ text: String) -> PageReply {
        PageReply(status, "text/plain; charset=utf-8", Array("\(text)\n".utf8))
    }

    static func html(_ status: Int, _ text: String, _ headers: [(String, String)] = []) -> PageReply {
        PageReply(status, "text/html; charset=utf-8", Array(text.utf8), headers)
    }

    static func json(_ status: Int, _ body: [UInt8]) -> PageReply { PageReply(status, "application/json", body) }

    /// See other, by GET.
    static func redirect(_ place: String, _ headers: [(String, String)] = []) -> PageReply {
        var reply = text(303, place)
        reply.headers = [("Location", place)] + headers
        return reply
    }

    /// Of every reply: nothing from elsewhere is loaded or run, nothing is kept, nobody shows this inside of a page of theirs.
    package static let everywhere: [(String, String)] = [
        (
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'self'; "
                + "frame-ancestors 'none'; base-uri 'none'"
        ),
        ("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"),
        // Not "no-referrer": browsers send no Origin with it, and that is what forms are told by.
        ("Referrer-Policy", "same-origin"),
        ("X-Frame-Options", "DENY"), ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
        ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    ]

    package static func == (left: PageReply, right: PageReply) -> Bool {
        left.status == right.status && left.type == right.type && left.body == right.body && left.events == right.events
            && left.headers.map(\.0) == right.headers.map(\.0) && left.headers.map(\.1) == right.headers.map(\.1)
    }
}
