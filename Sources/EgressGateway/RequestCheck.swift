package import JailPolicy
package import NIOHTTP1

/// A request after it has been understood: everything that is judged, and the head that goes upstream.
package struct CheckedRequest: Sendable {
    package enum Body: Equatable, Sendable { case none, length(Int), chunked }

    package var destination: Destination
    package var scheme: NetworkScheme
    package var method: String
    package var path: CanonicalPath
    package var overrides: [String] = []
    /// The client's Sec-WebSocket-Key, if this asks for a WebSocket.
    package var webSocketKey: String?
    package var body = Body.none
    package var keepsAlive: Bool
    package var awaitsContinue = false
    /// What goes upstream: end-to-end headers only, Host and framing made here.
    package var headers: HTTPHeaders

    package var question: NetworkQuestion {
        var question = destination.question(scheme)
        question.method = method
        question.overrides = overrides
        question.path = path
        question.isWebSocket = webSocketKey != nil
        if case .length(let length) = body { question.bodySize = UInt64(length) }
        question.hasBody = body != .none
        return question
    }
}

/// Why a request is refused before any rule is asked.
package struct RequestRefusal: Error, Equatable, Sendable {
    package var status: HTTPResponseStatus
    package var reason: String

    init(_ status: HTTPResponseStatus = .badRequest, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}

/// Where the request came in, and so what it may be for.
package enum RequestEntry: Equatable, Sendable {
    /// A connection to one destination: every request on it is for that.
    case connection(Destination, NetworkScheme)
    /// The proxy: each request names its own in absolute form.
    case proxy
}

/// Understands one request head, strictly: what could be read in two ways is refused, not repaired (RFC 9110, 9112, 9113).
///
/// The parsers below refuse most malformed messages by themselves; this refuses what they let through. Pure.
package struct RequestCheck {
    package var entry: RequestEntry
    package var isHTTP2: Bool
    /// Bytes of the target, and of all header fields together.
    package var mostTarget: Int
    package var mostHeaders: Int

    package init(_ entry: RequestEntry, isHTTP2: Bool, mostTarget: Int, mostHeaders: Int) {
        self.entry = entry
        self.isHTTP2 = isHTTP2
        self.mostTarget = mostTarget
        self.mostHeaders = mostHeaders
    }

    package func check(_ head: HTTPRequestHead) throws(RequestRefusal) -> CheckedRequest {
        guard isHTTP2 || head.version == .http1_1 || head.version == .http1_0 else {
            throw RequestRefusal(.httpVersionNotSupported, "HTTP/\(head.version.major).\(head.version.minor)")
        }
        guard head.uri.utf8.count <= mostTarget else { throw RequestRefusal(.uriTooLong, "a target of this length") }
        let method = head.method.rawValue
        guard method.utf8.allSatisfy(\.isToken) else { throw RequestRefusal(.badRequest, "a method that is no token") }
        let fields = try RequestFields(head.headers, most: mostHeaders)
        let (destination, scheme, target) = try place(head, fields)
        guard let path = CanonicalPath(target: target) else {
            throw RequestRefusal(.badRequest, "a path that has more than one reading")
        }
        var request = CheckedRequest(
            destination: destination, scheme: scheme, method: method, path: path,
            // After an offer to upgrade nothing more is read: the parser does not know what it would be.
            keepsAlive: isHTTP2 || (head.version == .http1_1 && head.isKeepAlive && fields.upgrade == nil),
            headers: fields.endToEnd)
        request.overrides = fields.overrides
        request.body = try body(head, fields)
        request.webSocketKey = try webSocketKey(head, fields)
        if let expectation = fields.expect {
            guard expectation.isASCIIEqual(to: "100-continue") else {
                throw RequestRefusal(.expectationFailed, "an expectation other than 100-continue")
            }
            request.awaitsContinue = head.version == .http1_1 && request.body != .none
        }
        request.complete()
        return request
    }

    // MARK: What for

    /// Destination, authority and Host must be one and the same: whoever reads only one of them reads the right one.
    private func place(
        _ head: HTTPRequestHead, _ fields: RequestFields
    ) throws(RequestRefusal) -> (Destination, NetworkScheme, target: String) {
        guard let hostText = fields.host else { throw RequestRefusal(.badRequest, "no Host, or more than one") }
        guard let authority = Authority(wire: hostText.utf8) else {
            throw RequestRefusal(.badRequest, "a Host that is no host name")
        }
        switch entry {
        case .connection(let destination, let scheme):
            guard authority.host == destination.host, (authority.port ?? scheme.defaultPort) == destination.port else {
                throw RequestRefusal(
                    .misdirectedRequest,
                    "Host '\(hostText.excerpt)' on a connection to \(destination.authority(scheme))")
            }
            return (destination, scheme, head.uri)
        case .proxy:
            let (named, target) = try absolute(head.uri)
            let port = named.port ?? NetworkScheme.http.defaultPort
            guard authority.host == named.host, (authority.port ?? NetworkScheme.http.defaultPort) == port else {
                throw RequestRefusal(.badRequest, "a Host that differs from the target")
            }
            return (Destination(host: named.host, port: port), .http, target)
        }
    }

    /// Absolute form, as proxies are asked (RFC 9112, 3.2.2). TLS comes through CONNECT.
    private func absolute(_ uri: String) throws(RequestRefusal) -> (Authority, target: String) {
        let bytes = uri.utf8
        let prefix: StaticString = "http://"
        let length = prefix.utf8CodeUnitCount
        guard bytes.count > length, String(bytes.prefix(length))?.isASCIIEqual(to: prefix) == true
        else {
            throw RequestRefusal(.badRequest, "a target that is neither CONNECT nor http:// in absolute form")
        }
        let rest = bytes.dropFirst(length)
        let end = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") || $0 == UInt8(ascii: "#") }
        guard let authority = Authority(wire: rest[..<(end ?? rest.endIndex)]) else {
            throw RequestRefusal(.badRequest, "a target without a host name")
        }
        guard let end else { return (authority, "/") }
        guard rest[end] == UInt8(ascii: "/") else {
            throw RequestRefusal(.badRequest, "a target without a path")
        }
        return (authority, String(rest[end...]) ?? "")
    }

    // MARK: Body

    private func body(_ head: HTTPRequestHead, _ fields: RequestFields) throws(RequestRefusal) -> CheckedRequest.Body {
        if fields.isChunked {
            guard fields.contentLength == nil else {
                throw RequestRefusal(.badRequest, "both Content-Length and Transfer-Encoding")
            }
            // Over HTTP/2 it is what the codec says of a body without a length: the protocol itself has no such field.
            guard isHTTP2 || head.version == .http1_1 else {
                throw RequestRefusal(
                    .badRequest, "Transfer-Encoding in HTTP/\(head.version.major).\(head.version.minor)")
            }
            return .chunked
        }
        guard let length = fields.contentLength else { return .none }
        return length == 0 ? .none : .length(length)
    }

    // MARK: WebSocket

    /// RFC 6455, 4.2.1. Any other upgrade is an offer that is not taken (RFC 9110, 7.8).
    private func webSocketKey(_ head: HTTPRequestHead, _ fields: RequestFields) throws(RequestRefusal) -> String? {
        guard let upgrade = fields.upgrade else { return nil }
        guard upgrade.isASCIIEqual(to: "websocket") else {
            guard !upgrade.asciiUppercased.contains("WEBSOCKET") else {
                throw RequestRefusal(.badRequest, "an upgrade to WebSocket or something else")
            }
            return nil
        }
        guard head.method == .GET, head.version == .http1_1, !isHTTP2, fields.namesUpgrade,
            fields.webSocketVersion == "13", let key = fields.webSocketKey, WebSocketAccept.isKey(key)
        else { throw RequestRefusal(.badRequest, "a malformed WebSocket handshake") }
        return key
    }
}

extension CheckedRequest {
    /// Bytes of the head as HTTP/1.1 writes it: `METHOD TARGET HTTP/1.1`, a line for each field, and an empty one.
    var headSize: Int {
        let line = method.utf8.count + path.target.utf8.count + 12
        return headers.reduce(line + 2) { $0 + $1.name.utf8.count + $1.value.utf8.count + 4 }
    }

    /// Host first, and framing that says what the body is.
    fileprivate mutating func complete() {
        var all = HTTPHeaders()
        all.reserveCapacity(headers.count + 4)
        all.add(name: "Host", value: destination.authority(scheme))
        all.add(contentsOf: headers)
        switch body {
        case .none:
            // A body of nothing is said where a body would be expected (RFC 9110, 8.6).
            if ["POST", "PUT", "PATCH"].contains(method) { all.add(name: "Content-Length", value: "0") }
        case .length(let length): all.add(name: "Content-Length", value: String(length))
        case .chunked: all.add(name: "Transfer-Encoding", value: "chunked")
        }
        if let webSocketKey {
            all.add(name: "Connection", value: "Upgrade")
            all.add(name: "Upgrade", value: "websocket")
            all.add(name: "Sec-WebSocket-Version", value: "13")
            all.add(name: "Sec-WebSocket-Key", value: webSocketKey)
        }
        headers = all
    }
}
