internal import JailPolicy
internal import NIOHTTP1

/// The header fields of a request, looked at once: those with a meaning for the way, and those that go on.
struct RequestFields {
    /// nil: none, or more than one.
    private(set) var host: String?
    private(set) var contentLength: Int?
    private(set) var isChunked = false
    private(set) var expect: String?
    private(set) var upgrade: String?
    /// Connection names `upgrade`.
    private(set) var namesUpgrade = false
    private(set) var webSocketKey: String?
    private(set) var webSocketVersion: String?
    /// Methods that are to be taken in the place of the request's own.
    private(set) var overrides: [String] = []
    /// Without what belongs to one hop, and without Host and framing.
    private(set) var endToEnd = HTTPHeaders()

    private var hosts = 0
    private var cookies: [String] = []
    private var nominated: [String] = []

    init(_ headers: HTTPHeaders, most: Int) throws(RequestRefusal) {
        endToEnd.reserveCapacity(headers.count)
        var size = 0
        for (name, value) in headers {
            size += name.utf8.count + value.utf8.count + 4
            guard size <= most else { throw RequestRefusal(.requestHeaderFieldsTooLarge, "header fields of this size") }
            guard !name.isEmpty, name.utf8.allSatisfy(\.isToken) else {
                throw RequestRefusal(.badRequest, "a header field whose name is no token")
            }
            guard !FieldName.isDisguised(name) else {
                throw RequestRefusal(.badRequest, "'\(name.excerpt)', which some servers read as another field")
            }
            guard FieldValue.isClean(value) else {
                throw RequestRefusal(.badRequest, "control characters or broken text in '\(name.excerpt)'")
            }
            try take(name, value)
        }
        if hosts != 1 { host = nil }
        // What Connection names belongs to this hop, whatever it is (RFC 9110, 7.6.1).
        for name in nominated { endToEnd.remove(name: name) }
        // Crumbs of HTTP/2 are one field in HTTP/1 (RFC 9113, 8.2.3).
        if !cookies.isEmpty { endToEnd.add(name: "Cookie", value: cookies.joined(separator: "; ")) }
    }

    private mutating func take(_ name: String, _ value: String) throws(RequestRefusal) {
        switch FieldName(name) {
        case .host:
            hosts += 1
            host = value
        case .contentLength: try takeLength(value)
        case .transferEncoding:
            guard !isChunked, value.isASCIIEqual(to: "chunked") else {
                throw RequestRefusal(.notImplemented, "a Transfer-Encoding other than chunked")
            }
            isChunked = true
        case .connection: try takeConnection(value)
        case .upgrade:
            guard upgrade == nil else { throw RequestRefusal(.badRequest, "two upgrades") }
            upgrade = value
        case .expect: expect = expect == nil ? value : ""
        case .cookie: cookies.append(value)
        case .webSocketKey: webSocketKey = webSocketKey == nil ? value : ""
        case .webSocketVersion: webSocketVersion = webSocketVersion == nil ? value : ""
        case .methodOverride:
            // Also passed on: the origin may need it, and it has been judged.
            overrides.append(value.asciiUppercased)
            endToEnd.add(name: name, value: value)
        // Some servers take it in the place of the path that was judged.
        case .pathOverride: throw RequestRefusal(.badRequest, "'\(name.excerpt)', which some servers take for the path")
        case .hopByHop: break
        case .other: endToEnd.add(name: name, value: value)
        }
    }

    private mutating func takeLength(_ value: String) throws(RequestRefusal) {
        let digits = value.utf8
        guard contentLength == nil, (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(value)
        else { throw RequestRefusal(.badRequest, "a Content-Length that is not one number") }
        contentLength = length
    }

    private static let mostNominated = 16

    private mutating func takeConnection(_ value: String) throws(RequestRefusal) {
        for part in value.utf8.split(separator: UInt8(ascii: ",")) {
            let name = String(decoding: part, as: UTF8.self).trimmed
            if name.isEmpty { continue }
            if name.isASCIIEqual(to: "upgrade") { namesUpgrade = true }
            if name.isASCIIEqual(to: "keep-alive") || name.isASCIIEqual(to: "close") { continue }
            guard nominated.count < Self.mostNominated else { throw RequestRefusal(.badRequest, "a long Connection") }
            nominated.append(name)
        }
    }
}

/// The header fields that mean something to the gateway.
enum FieldName {
    case host, contentLength, transferEncoding, connection, upgrade, expect, cookie
    case webSocketKey, webSocketVersion, methodOverride, pathOverride, hopByHop, other

    /// By length first: most names of a request are told apart without comparing them.
    init(_ name: String) {
        switch name.utf8.count {
        case 2: self = name.isASCIIEqual(to: "te") ? .hopByHop : .other
        case 3: self = name.isASCIIEqual(to: "via") ? .hopByHop : .other
        case 4: self = name.isASCIIEqual(to: "host") ? .host : .other
        case 6: self = name.isASCIIEqual(to: "expect") ? .expect : name.isASCIIEqual(to: "cookie") ? .cookie : .other
        case 7:
            self =
                name.isASCIIEqual(to: "upgrade")
                ? .upgrade : name.isASCIIEqual(to: "trailer") ? .hopByHop : .other
        case 10:
            self =
                name.isASCIIEqual(to: "connection")
                ? .connection : name.isASCIIEqual(to: "keep-alive") ? .hopByHop : .other
        case 13:
            self =
                name.isASCIIEqual(to: "x-http-method")
                ? .methodOverride : name.isASCIIEqual(to: "x-rewrite-url") ? .pathOverride : .other
        case 14:
            self =
                name.isASCIIEqual(to: "content-length")
                ? .contentLength
                : name.isASCIIEqual(to: "http2-settings")
                    ? .hopByHop : name.isASCIIEqual(to: "x-original-url") ? .pathOverride : .other
        case 16: self = name.isASCIIEqual(to: "proxy-connection") ? .hopByHop : .other
        case 17:
            self =
                name.isASCIIEqual(to: "transfer-encoding")
                ? .transferEncoding
                : name.isASCIIEqual(to: "sec-websocket-key")
                    ? .webSocketKey : name.isASCIIEqual(to: "x-method-override") ? .methodOverride : .other
        case 18: self = name.isASCIIEqual(to: "proxy-authenticate") ? .hopByHop : .other
        case 19: self = name.isASCIIEqual(to: "proxy-authorization") ? .hopByHop : .other
        case 21: self = name.isASCIIEqual(to: "sec-websocket-version") ? .webSocketVersion : .other
        case 22: self = name.isASCIIEqual(to: "x-http-method-override") ? .methodOverride : .other
        // Without extensions every frame of a WebSocket says by itself what it is.
        case 24: self = name.isASCIIEqual(to: "sec-websocket-extensions") ? .hopByHop : .other
        default: self = .other
        }
    }
}

extension FieldName {
    /// A name with a meaning, written with `_`: to programs behind CGI, WSGI and their like that is a hyphen (RFC 3875,
    /// 4.1.18).
    static func isDisguised(_ name: String) -> Bool {
        guard name.utf8.contains(UInt8(ascii: "_")) else { return false }
        let read = name.utf8.map { $0 == UInt8(ascii: "_") ? UInt8(ascii: "-") : $0 }
        return FieldName(String(decoding: read, as: UTF8.self)) != .other
    }
}

/// Values of header fields.
enum FieldValue {
    /// No control characters but TAB (RFC 9110, 5.5), and nothing that was not text when it was read.
    static func isClean(_ value: String) -> Bool {
        var before: (UInt8, UInt8) = (0, 0)
        for byte in value.utf8 {
            if byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
            // U+FFFD stands for bytes that were not UTF-8.
            if byte == 0xBD, before == (0xEF, 0xBF) { return false }
            before = (before.1, byte)
        }
        return true
    }
}

extension UInt8 {
    var isLineBreakOrNUL: Bool { self == 0x0D || self == 0x0A || self == 0 }

    /// RFC 9110, 5.6.2.
    var isToken: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case 0x21, 0x23...0x27, 0x2A, 0x2B, 0x2D, 0x2E, 0x5E...0x60, 0x7C, 0x7E: true
        default: false
        }
    }
}

extension String {
    /// Equal but for the case of ASCII letters; `other` is in lower case.
    func isASCIIEqual(to other: StaticString) -> Bool {
        guard utf8.count == other.utf8CodeUnitCount else { return false }
        var index = 0
        for byte in utf8 {
            let lower = (0x41...0x5A).contains(byte) ? byte | 0x20 : byte
            guard unsafe lower == other.utf8Start[index] else { return false }
            index += 1
        }
        return true
    }

    var asciiUppercased: String {
        String(decoding: utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self)
    }

    /// Without spaces and TABs at both ends.
    var trimmed: String {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        let start = utf8.drop(while: isSpace)
        guard let last = start.lastIndex(where: { !isSpace($0) }) else { return "" }
        return String(decoding: start[...last], as: UTF8.self)
    }
}
