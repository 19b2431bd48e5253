import JailPolicy
import TestSupport

/// Rules and questions that often meet: few names, ports, methods and paths, in every combination.
enum RandomNetwork {
    static let names = [
        "a", "b.a", "c.b.a", "x.c.b.a", "org", "example.org", "api.example.org", "bad.example.org", "api.openai.com",
        "github.com",
    ]
    static let addresses = [
        "8.8.8.8", "10.0.0.5", "127.0.0.1", "2606:4700::1", "::1", "::ffff:8.8.8.8", "169.254.169.254",
    ]
    static let ports: [UInt16] = [443, 80, 8443, 25]
    static let paths = [
        "/", "/a", "/a/b", "/a//b", "/A/b", "/a/*", "/a/b/c", "//a", "/%40x", "/@x", "/v1/x", "/o/r/info/refs",
        "/o/r/git-upload-pack",
    ]
    static let patterns = ["/**", "/a", "/a/*", "/a/**", "/**/b", "/@x", "/a/\\*", "/*"]

    /// Rules that are refused as a whole (contradictions) are drawn again.
    static func rules(_ generator: inout Seeded) -> (text: String, rules: NetworkRules) {
        while true {
            let text = "{ network: { \(members(&generator)) } }"
            if let tree = try? JSON5Reader.read(Array(text.utf8), file: "random"),
                let profile = try? ProfileLoader.decode(tree, name: "p", home: nil)
            {
                return (text, profile.network)
            }
        }
    }

    private static func members(_ generator: inout Seeded) -> String {
        var allow: [String] = []
        for _ in 0..<generator.next() % 8 { allow.append(allowRule(&generator)) }
        var deny: [String] = []
        for _ in 0..<generator.next() % 3 { deny.append(denyRule(&generator)) }
        var members = ["allow: [\(allow.joined(separator: ", "))]", "deny: [\(deny.joined(separator: ", "))]"]
        if generator.next() % 3 == 0 { members.append("allowPrivate: ['10.0.0.0/8', '::1/128']") }
        if generator.next() % 4 == 0 {
            members.append(
                "budgets: { connections: \(1 + generator.next() % 99), idle: '\(1 + generator.next() % 99)s', urlSize: '2K' }"
            )
            members.append(
                "upstream: { resolvers: ['[2001:db8::1]:54', '192.0.2.1'], trust: '/x' }, onGatewayExit: 'stop'")
        }
        return members.joined(separator: ", ")
    }

    private static func allowRule(_ generator: inout Seeded) -> String {
        switch generator.next() % 12 {
        case 0: return "{ preset: '\(pick(NetworkPreset.allCases, &generator).rawValue)' }"
        case 1:
            return
                "{ hosts: ['\(pick(names + addresses, &generator))'], ports: [\(pick(ports, &generator))], protocol: 'tcp' }"
        case 2: return "{ hosts: ['\(hostPattern(&generator))'], inspect: false }"
        default: break
        }
        var members = ["hosts: ['\(hostPattern(&generator))', '\(hostPattern(&generator))']"]
        let methods = some(HTTPMethod.known, &generator)
        if !methods.isEmpty { members.append("methods: [\(quoted(methods))]") }
        if Bool.random(using: &generator) {
            members.append("paths: [\(quoted([pick(patterns, &generator), pick(patterns, &generator)]))]")
        }
        if generator.next() % 3 == 0 {
            members.append("ports: [\(pick(ports, &generator)), \(pick(ports, &generator))]")
        }
        if generator.next() % 3 == 0 {
            members.append("schemes: ['\(Bool.random(using: &generator) ? "https" : "http")']")
        }
        if methods.isEmpty || methods.contains("GET"), generator.next() % 3 == 0 { members.append("websocket: true") }
        if methods.contains("POST"), generator.next() % 3 == 0 { members.append("requestSize: '1K'") }
        return "{ \(members.joined(separator: ", ")) }"
    }

    private static func denyRule(_ generator: inout Seeded) -> String {
        var members = ["hosts: ['\(hostPattern(&generator))']"]
        let methods = some(HTTPMethod.known, &generator)
        if !methods.isEmpty, Bool.random(using: &generator) { members.append("methods: [\(quoted(methods))]") }
        if Bool.random(using: &generator) { members.append("paths: [\(quoted([pick(patterns, &generator)]))]") }
        if generator.next() % 3 == 0 { members.append("ports: [\(pick(ports, &generator))]") }
        return "{ \(members.joined(separator: ", ")) }"
    }

    private static func hostPattern(_ generator: inout Seeded) -> String {
        switch generator.next() % 8 {
        case 0, 1: "*"
        case 2, 3: "*." + pick(names, &generator)
        case 4: pick(addresses, &generator)
        default: pick(names, &generator)
        }
    }

    /// A whole request in most cases, else something of which parts are not known yet.
    static func question(_ generator: inout Seeded) -> NetworkQuestion? {
        let text = pick(generator.next() % 6 == 0 ? addresses : names, &generator)
        let host = IPAddress(text).map(Host.address) ?? HostName(user: text).map(Host.name)
        guard let host else { return nil }
        var question = NetworkQuestion(host: host)
        let isWhole = generator.next() % 4 != 0
        func known(_ generator: inout Seeded) -> Bool { isWhole || Bool.random(using: &generator) }
        if known(&generator) { question.scheme = pick([.https, .https, .http, .tcp], &generator) }
        if known(&generator) {
            question.port =
                Bool.random(using: &generator) ? question.scheme?.standardPort ?? 25 : pick(ports, &generator)
        }
        guard question.scheme != .tcp else { return question }
        if known(&generator) {
            question.method = pick(HTTPMethod.known + ["CONNECT", "GET", "GET", "GET", "POST"], &generator)
        }
        if known(&generator) { question.path = CanonicalPath(target: pick(paths, &generator)) }
        if generator.next() % 6 == 0 { question.isWebSocket = true }
        if generator.next() % 6 == 0 { question.bodySize = pick([0, 1, 1024, 1025, 10 << 20, 11 << 20], &generator) }
        if generator.next() % 8 == 0 { question.overrides = [pick(["delete", "PATCH", "GET", "TRACE"], &generator)] }
        return question
    }

    static func pick<Element>(_ choices: [Element], _ generator: inout Seeded) -> Element {
        choices[Int(generator.next() % UInt64(choices.count))]
    }

    private static func some(_ choices: [String], _ generator: inout Seeded) -> [String] {
        var chosen: [String] = []
        for choice in choices where generator.next() % 3 == 0 { chosen.append(choice) }
        return chosen
    }

    private static func quoted(_ texts: [String]) -> String {
        Array(Set(texts)).sorted().map { "'\($0.replacing("\\", with: "\\\\"))'" }.joined(separator: ", ")
    }
}
