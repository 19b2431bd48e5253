internal import NIOHTTP1

/// An origin's answer on its way into the jail.
struct ResponseHead {
    var head: HTTPResponseHead
    /// Bytes may follow.
    var hasBody: Bool

    /// Without what belongs to one hop; framing made anew. nil: an answer that cannot be passed on.
    ///
    /// - Parameters:
    ///   - version: what the client speaks. Before HTTP/1.1 a body without a length ends with the connection.
    init?(_ upstream: HTTPResponseHead, toHead isHead: Bool, version: HTTPVersion, closing: Bool) {
        let code = upstream.status.code
        guard (200...599).contains(code) else { return nil }
        var headers = HTTPHeaders()
        headers.reserveCapacity(upstream.headers.count + 1)
        var length: String?
        var nominated: [String] = []
        for (name, value) in upstream.headers {
            // What HTTP/2 carries was no text of HTTP/1 before, so no parser has looked for these (RFC 9113, 8.2.1).
            guard !name.isEmpty, name.utf8.allSatisfy(\.isToken), !value.utf8.contains(where: \.isLineBreakOrNUL) else {
                return nil
            }
            switch ResponseField(name) {
            case .contentLength:
                // Several equal ones, which some servers send, are one.
                guard length == nil || length == value else { return nil }
                length = value
            case .connection:
                nominated += value.utf8.split(separator: UInt8(ascii: ",")).map {
                    String(decoding: $0, as: UTF8.self).trimmed
                }
            case .hopByHop: break
            case .other: headers.add(name: name, value: value)
            }
        }
        for name in nominated where !name.isASCIIEqual(to: "close") && !name.isASCIIEqual(to: "keep-alive") {
            headers.remove(name: name)
        }
        hasBody = !isHead && code != 204 && code != 304
        if let length, upstream.headers.first(name: "transfer-encoding") == nil, code != 204 {
            headers.add(name: "Content-Length", value: length)
        } else if hasBody, version == .http1_1 {
            headers.add(name: "Transfer-Encoding", value: "chunked")
        }
        if closing, version.major == 1 { headers.add(name: "Connection", value: "close") }
        head = HTTPResponseHead(version: version, status: upstream.status, headers: headers)
    }

    /// A body whose end only the end of the connection tells.
    var endsWithConnection: Bool {
        hasBody && head.version == .http1_0 && head.headers.first(name: "content-length") == nil
    }
}

private enum ResponseField {
    case contentLength, connection, hopByHop, other

    init(_ name: String) {
        switch name.utf8.count {
        case 3: self = name.isASCIIEqual(to: "via") ? .hopByHop : .other
        case 7:
            self =
                name.isASCIIEqual(to: "upgrade")
                    // Other ways to the same origin, which there are none from here.
                    || name.isASCIIEqual(to: "alt-svc") ? .hopByHop : .other
        case 10:
            self =
                name.isASCIIEqual(to: "connection")
                ? .connection : name.isASCIIEqual(to: "keep-alive") ? .hopByHop : .other
        case 14: self = name.isASCIIEqual(to: "content-length") ? .contentLength : .other
        case 16: self = name.isASCIIEqual(to: "proxy-connection") ? .hopByHop : .other
        case 17: self = name.isASCIIEqual(to: "transfer-encoding") ? .hopByHop : .other
        case 18: self = name.isASCIIEqual(to: "proxy-authenticate") ? .hopByHop : .other
        default: self = .other
        }
    }
}
