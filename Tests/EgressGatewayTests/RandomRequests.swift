import JailPolicy
import TestSupport

/// Rules and requests that often meet.
enum RandomRequests {
    static let names = ["a.test", "b.a.test", "example.org", "api.example.org", "xn--bcher-kva.example", "single"]
    static let addresses = ["8.8.8.8", "127.0.0.1", "10.0.0.5", "2606:4700::1", "::1"]
    static let ports: [UInt16] = [443, 80, 8443, 25]
    static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    static let patterns = ["/**", "/", "/a", "/a/*", "/a/**", "/**/b", "/@x", "/*"]
    /// As they are typed and sent: some are one and the same path, some are none.
    static let paths = [
        "/", "/a", "/a/b", "/a/./b", "/a/../a", "/%61", "/a//b", "/A", "/%41", "/@x", "/%40x", "/a/b/c?q=%2f", "/a?",
        "/a;b",
        "/a%2fb", "/..", "/a/../..", "/%2561", "/a%00", "/a%", "/a/%2e%2e/b", "/a\\b", "/x?/a", "/a/..;/b", "/a%ff",
        "//a",
        "/.", "/a/", "/~a", "/%7ea", "/a#b", "/*",
    ]

    struct Request {
        var scheme: NetworkScheme
        /// As it is written, with a port or without.
        var authority: String
        var method: String
        var path: String
        var override: String?
        var isWebSocket = false

        var url: String {
            let kind = isWebSocket ? (scheme == .https ? "wss" : "ws") : scheme.rawValue
            return "\(kind)://\(authority)\(path)"
        }
    }

    static func pick<Element>(_ choices: [Element], _ generator: inout Seeded) -> Element {
        choices[Int(generator.next() % UInt64(choices.count))]
    }

    // MARK: Rules

    /// The inside of `network`. Rules that contradict each other are drawn again.
    static func rules(_ generator: inout Seeded) -> NetworkRules {
        while true {
            var allow: [String] = []
            for _ in 0..<generator.next() % 7 { allow.append(allowRule(&generator)) }
            var deny: [String] = []
            for _ in 0..<generator.next() % 3 { deny.append(denyRule(&generator)) }
            var text = "allow: [\(allow.joined(separator: ", "))], deny: [\(deny.joined(separator: ", "))]"
            if generator.chance() { text += ", allowPrivate: ['127.0.0.0/8', '::1/128']" }
            if let rules = try? NetworkRules(text: Array("{ \(text) }".utf8)) { return rules }
        }
    }

    private static func allowRule(_ generator: inout Seeded) -> String {
        switch generator.next() % 10 {
        case 0:
            return
                "{ hosts: ['\(pick(names + addresses, &generator))'], ports: [\(pick(ports, &generator))], protocol: 'tcp' }"
        case 1: return "{ hosts: ['\(pattern(&generator))'], inspect: false }"
        default: break
        }
        var members = ["hosts: ['\(pattern(&generator))', '\(pattern(&generator))']"]
        let some = methods.filter { _ in generator.chance() }
        if !some.isEmpty { members.append("methods: [\(quoted(some))]") }
        if generator.chance() {
            members.append("paths: [\(quoted([pick(patterns, &generator), pick(patterns, &generator)]))]")
        }
        if generator.chance() { members.append("ports: [\(pick(ports, &generator)), \(pick(ports, &generator))]") }
        if generator.chance(3) { members.append("schemes: ['\(generator.chance() ? "https" : "http")']") }
        if some.isEmpty || some.contains("GET"), generator.chance() { members.append("websocket: true") }
        return "{ \(members.joined(separator: ", ")) }"
    }

    private static func denyRule(_ generator: inout Seeded) -> String {
        var members = ["hosts: ['\(pattern(&generator))']"]
        let some = methods.filter { _ in generator.chance(3) }
        if !some.isEmpty, generator.chance() { members.append("methods: [\(quoted(some))]") }
        if generator.chance() { members.append("paths: [\(quoted([pick(patterns, &generator)]))]") }
        if generator.chance(3) { members.append("ports: [\(pick(ports, &generator))]") }
        return "{ \(members.joined(separator: ", ")) }"
    }

    private static func pattern(_ generator: inout Seeded) -> String {
        switch generator.next() % 8 {
        case 0, 1, 2: "*"
        case 3: "*." + pick(names, &generator)
        case 4: pick(addresses, &generator)
        default: pick(names, &generator)
        }
    }

    private static func quoted(_ texts: [String]) -> String {
        Array(Set(texts)).sorted().map { "'\($0)'" }.joined(separator: ", ")
    }

    // MARK: Requests

    static func request(_ generator: inout Seeded) -> Request {
        let scheme = generator.chance() ? NetworkScheme.https : .http
        var request = Request(
            scheme: scheme, authority: host(&generator),
            method: pick(methods + ["GET", "GET", "GET", "POST"], &generator),
            path: path(&generator))
        switch generator.next() % 4 {
        case 0: request.authority += ":\(pick(ports, &generator))"
        case 1: request.authority += scheme == .https ? ":443" : ":80"
        default: break
        }
        if generator.chance(20) {
            request.method = pick(["TRACE", "CONNECT", "get", "BREW", "PROPFIND", ""], &generator)
        }
        if generator.chance(8) { request.override = pick(methods + ["delete", "Trace", ""], &generator) }
        if generator.chance(8) { (request.method, request.isWebSocket, request.override) = ("GET", true, nil) }
        return request
    }

    private static func host(_ generator: inout Seeded) -> String {
        if generator.chance(20) {
            return pick(
                [
                    "127.1", "0x7f.1", "2130706433", "a..test", "-a.test", "a_b.test", "u@a.test", "[::1%25lo]", "::1",
                    "", "a.test..",
                    "xn--a.test", "[fe80::1", "a.test:", "a.test:0", "a.test:080", "[::ffff:8.8.8.8]",
                ], &generator)
        }
        if generator.chance(5) {
            let address = pick(addresses, &generator)
            return address.contains(":") ? "[\(address)]" : address
        }
        let name = pick(names, &generator)
        switch generator.next() % 6 {
        case 0: return name + "."
        case 1: return String(decoding: name.utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self)
        default: return name
        }
    }

    private static func path(_ generator: inout Seeded) -> String {
        guard generator.chance(4) else { return pick(paths, &generator) }
        let parts = ["/", "/", "a", "b", ".", "..", "%2e", "%61", "%2f", ";", "?", "x", "%", "@"]
        return "/" + (0..<generator.next() % 8).map { _ in pick(parts, &generator) }.joined()
    }
}
