import EgressControl
import FoundationEssentials
import NIOCore
import NIOSSL
import Testing

@testable import EgressGateway

private let token = SecretWorld.token
private let bearer = SecretWorld.bearer
private let half = String(token.prefix(12))
private let rest = String(token.dropFirst(12))

/// The right request to the wrong place, and ways out that carry no requests.
enum PlaceCases {
    static let all: [SecretCase] = hosts + proxies + streams + names + tunnels

    private static let redirect = Origin.Kind.http { request in
        request.isComplete
            ? [.send("HTTP/1.1 302 Found\r\nLocation: https://b.test/\r\nContent-Length: 0\r\n\r\n")] : []
    }

    private static let hosts: [SecretCase] = [
        SecretCase("host: another one that is allowed", .misuse) { world in
            let port = world.otherHost.port
            return try await world.ask(world.client("b.test", port), "b.test:\(port)", "GET", "/", bearer)
        },
        SecretCase("host: after a redirect, as clients follow them", .misuse, host: .http1(redirect), isUsed: true) {
            world in
            let port = world.otherHost.port
            #expect(try await world.ask("GET", "/", bearer).contains("Location: https://b.test/"))
            return try await world.ask(world.client("b.test", port), "b.test:\(port)", "GET", "/", bearer)
        },
        SecretCase("host: another port", .misuse) { world in
            let port = world.otherPort.port
            return try await world.ask(world.client("a.test", port), "a.test:\(port)", "GET", "/", bearer)
        },
        SecretCase("host: in cleartext", .misuse) { world in
            let port = world.clear.port
            return try await world.ask(world.plain("a.test", port), "a.test:\(port)", "GET", "/", bearer)
        },
        SecretCase("host: a Host that the connection is not to", .refused) { world in
            try await world.ask(world.client(), "b.test:\(world.otherHost.port)", "GET", "/", bearer)
        },
        SecretCase("host: two Hosts", .refused) { world in
            try await world.ask("GET", "/", "Host: b.test:\(world.otherHost.port)\r\n\(bearer)")
        },
        SecretCase("host: X-Forwarded-Host is the origin's affair, and no host", .nothing, isUsed: true) {
            try await $0.ask("GET", "/", "X-Forwarded-Host: b.test\r\n\(bearer)")
        },
        SecretCase("host: an SNI that the connection is not to", .refused) { world in
            let client = try await world.client("a.test", serverName: "b.test")
            return try await world.ask(client, "a.test:\(world.port)", "GET", "/", bearer)
        },
        SecretCase("host: an absolute target of another one", .refused) { world in
            try await world.ask("GET", "https://b.test:\(world.otherHost.port)/", bearer)
        },
        SecretCase("another jail's placeholder is nothing here", .nothing) {
            try await $0.ask("GET", "/", "Authorization: Bearer sk-Aa1Bb2Cc3Dd4Ee5Ff6Gg7Hh8Ii9J\r\n")
        },
        SecretCase("the caller's own token is its own", .nothing) {
            try await $0.ask("GET", "/", "Authorization: Bearer mine-and-nobody-elses\r\n")
        },
        SecretCase("half a placeholder is nothing", .nothing) {
            try await $0.ask("GET", "/", "Authorization: Bearer \(half)\r\n")
        },
    ]

    private static func connect(_ name: String, _ target: String, _ fields: String = "") -> SecretCase {
        SecretCase("CONNECT: \(name)", .misuse) {
            try await $0.proxy("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\(fields)\r\n")
        }
    }

    private static let proxies: [SecretCase] = [
        SecretCase("proxy: in cleartext", .misuse) { world in
            let authority = "a.test:\(world.clear.port)"
            return try await world.proxy("GET http://\(authority)/ HTTP/1.1\r\nHost: \(authority)\r\n\(bearer)\r\n")
        },
        SecretCase("proxy: https without TLS", .refused) { world in
            let authority = "a.test:\(world.port)"
            return try await world.proxy("GET https://\(authority)/ HTTP/1.1\r\nHost: \(authority)\r\n\(bearer)\r\n")
        },
        connect("a field of it", "a.test:443", "X-A: \(token)\r\n"),
        connect("the bearer with it", "a.test:443", bearer),
        connect("for the proxy", "a.test:443", "Proxy-Authorization: Bearer \(token)\r\n"),
        connect("in the name", "\(token.lowercased()).a.test:443"),
        SecretCase("CONNECT: in cleartext through it", .misuse) { world in
            let authority = "a.test:\(world.clear.port)"
            let client = try await Client.tunnel(world.gateway, to: authority)
            return try await world.ask(client, authority, "GET", "/", bearer)
        },
        SecretCase("CONNECT: to another host, with TLS", .misuse) { world in
            let authority = "b.test:\(world.otherHost.port)"
            let client = try await Client.tunnel(world.gateway, to: authority)
            try await client.secure(world.gateway.clientContext(["http/1.1"]), "b.test")
            return try await world.ask(client, authority, "GET", "/", bearer)
        },
    ]

    private static let authorization = ("authorization", "Bearer \(token)")

    private static func stream(_ name: String, _ fields: [(String, String)]) -> SecretCase {
        SecretCase("HTTP/2: \(name)", .misuse) { try await $0.stream(fields) }
    }

    private static let streams: [SecretCase] = [
        stream("another field", [("x-other", token)]), stream("a field's name", [(token.lowercased(), "x")]),
        stream("crumbs of a cookie", [("cookie", "a=\(half)"), ("cookie", rest)]),
        stream("twice", [authorization, authorization]),
        stream("beside another", [authorization, ("authorization", "Bearer x")]),
        stream("split over fields", [("x-a", half), ("x-b", rest)]),
        stream("in its place and elsewhere", [authorization, ("x-other", token)]),
        SecretCase("HTTP/2: in :path", .misuse) { try await $0.stream([], path: "/?a=\(token)") },
        SecretCase("HTTP/2: a path that is not bound", .misuse) {
            try await $0.stream([authorization], path: "/elsewhere")
        },
        SecretCase("HTTP/2: in :method", .misuse) { try await $0.stream([], method: token) },
        SecretCase("HTTP/2: a method that is not bound", .misuse) {
            try await $0.stream([authorization], method: "PUT")
        },
        SecretCase("HTTP/2: in :authority", .refused) { try await $0.stream([], authority: "\(token).a.test") },
        SecretCase("HTTP/2: an :authority that the connection is not to", .refused) { world in
            try await world.stream([authorization], authority: "b.test:\(world.otherHost.port)")
        },
        SecretCase("HTTP/2: a Host beside :authority", .refused) { world in
            try await world.stream([authorization, ("host", "b.test:\(world.otherHost.port)")])
        },
        SecretCase("HTTP/2: split over frames of the body", .misuse, isUsed: nil) {
            try await $0.stream([authorization], method: "POST", parts: ["x\(half)", "\(rest)y"])
        },
        SecretCase("HTTP/2: in trailers", .misuse, isUsed: nil) {
            try await $0.stream([authorization], method: "POST", parts: ["x"], trailers: [("x-t", token)])
        },
    ]

    private static func name(_ name: String, _ labels: [String]) -> SecretCase {
        SecretCase("DNS: \(name)", .misuse) { try await $0.resolve(labels) }
    }

    private static let names: [SecretCase] = [
        name("a label", [token, "a", "test"]),
        name("a label of a name that is allowed nowhere", [token, "evil", "example"]),
        name("over labels", [half, rest, "a", "test"]), name("in lower case", [token.lowercased(), "example"]),
        name("in hexadecimal", hexLabels + ["example"]),
    ]

    private static let hexLabels: [String] = {
        let hex: String = token.utf8.map { String($0, radix: 16) }.joined()
        return [String(hex.prefix(60)), String(hex.dropFirst(60))].filter { !$0.isEmpty }
    }()

    private static func bytes(_ name: String, _ parts: [String]) -> SecretCase {
        SecretCase("tcp: \(name)", .misuse) { world in
            let client = try await world.plain("a.test", world.bytes.port)
            for part in parts {
                try? await client.send(part)
                try await Task.sleep(for: .milliseconds(5))
            }
            return try await client.receiveAll()
        }
    }

    private static let tunnels: [SecretCase] = [
        bytes("in cleartext", ["AUTH \(token)\r\n"]), bytes("in parts", ["AUTH \(half)", "\(rest)\r\n"]),
        bytes("base64", ["AUTH PLAIN " + Data("\0u\0\(token)".utf8).base64EncodedString()]),
        SecretCase("TLS that is passed through carries what it carries, and no value", .nothing) { world in
            let client = try await world.plain("b.test", world.passed.port)
            try await client.secure(SecretWorld.originContext(), "b.test")
            try await client.send("GET / HTTP/1.1\r\nHost: b.test\r\n\(bearer)\r\n")
            defer { client.close() }
            return try await client.receive(until: "ok")
        },
        SecretCase("TLS that is passed through with the placeholder as its SNI", .refused) { world in
            let client = try await world.plain("b.test", world.passed.port)
            try await client.secure(SecretWorld.originContext(), "\(token.lowercased()).test", orFail: false)
            return client.text
        },
    ]
}
