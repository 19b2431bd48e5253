package import JailCore

/// What a person asks about: a request, or a host with or without a port.
package struct NetworkSubject: Equatable, Sendable {
    package var question: NetworkQuestion
    /// As it was typed.
    package var typed: String

    /// From `METHOD URL` or `HOST[:PORT]`. Names may be in Unicode. Errors are of the stage `usage`.
    package static func parse(_ words: [String]) throws(JailError) -> NetworkSubject {
        do throws(ValueError) {
            switch words.count {
            case 1: return try host(words[0])
            case 2: return try request(words[0], words[1])
            default: throw ValueError("must be METHOD URL or HOST[:PORT]")
            }
        } catch {
            throw JailError(.usage, reason: "what is asked \(error.reason)", hint: error.hint)
        }
    }

    private static func host(_ text: String) throws(ValueError) -> NetworkSubject {
        guard !text.contains("://") else {
            throw ValueError("must name a method with a URL", hint: "clawjail explain GET \(text.printable)")
        }
        let authority = try authority(text)
        var question = NetworkQuestion(host: authority.host)
        question.port = authority.port
        return NetworkSubject(question: question, typed: text)
    }

    private static func request(_ method: String, _ url: String) throws(ValueError) -> NetworkSubject {
        guard let end = url.utf8.indices.first(where: { url.utf8[$0...].starts(with: "://".utf8) }) else {
            throw ValueError(expected: "a URL such as \"https://example.org/path\"", found: url)
        }
        let name = url[..<end].lowercased()
        let schemes: [String: NetworkScheme] = ["https": .https, "http": .http, "wss": .https, "ws": .http]
        guard let scheme = schemes[name] else {
            throw ValueError(expected: "a URL of https, http, wss or ws", found: url)
        }
        let rest = url.utf8[url.utf8.index(end, offsetBy: 3)...]
        let slash = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        let authority = try authority(String(Substring(rest[..<slash])))
        var question = NetworkQuestion(host: authority.host)
        question.scheme = scheme
        question.port = authority.port ?? scheme.standardPort
        question.method = method
        question.isWebSocket = name.hasPrefix("ws")
        question.path = try path(String(Substring(rest[slash...])))
        return NetworkSubject(question: question, typed: "\(method) \(url)")
    }

    private static func path(_ text: String) throws(ValueError) -> CanonicalPath {
        let target = text.utf8.first == UInt8(ascii: "/") ? text : "/" + text
        if let path = CanonicalPath(target: target) { return path }
        throw ValueError(
            "must have a path with one meaning, not \"\(text.excerpt)\"",
            hint:
                "';', '\\', '#', %2F, %5C, %3B, '..' above the root and encodings within encodings are refused everywhere"
        )
    }

    private static func authority(_ text: String) throws(ValueError) -> Authority {
        if let authority = Authority(wire: Array(text.utf8)) { return authority }
        // Names in Unicode: everything before the last colon, if digits follow it.
        let colon = text.utf8.lastIndex(of: UInt8(ascii: ":"))
        let host = colon.map { String(text[..<$0]) } ?? text
        let port = try colon.map { (colon) throws(ValueError) in
            try Port.parse(text[text.utf8.index(after: colon)...])
        }
        if let name = HostName(user: host) { return Authority(host: .name(name), port: port) }
        throw ValueError("must name a host as it is sent: \(Host.reason(refusing: host))")
    }
}
