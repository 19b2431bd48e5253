import EgressControl
import JailPolicy
import NIOCore
import NIOHTTP1
import TestSupport
import Testing

@testable import EgressGateway

/// Placeholders anywhere in requests: each is replaced in its place, or the request is denied.
struct `Secrets in random requests` {
    private static let value = "sk-real-4f9c2e7a1b8d6053-NEVER-INSIDE"
    private static let token = "sk-Zk3mQ9xT7bW1cV5nR8yL2pD4hF6j"

    private static let places: [SecretPlace] = [
        .bearer, .header("X-Api-Key"), .query("key"), .path(before: "/bot", after: "/"),
    ]

    @Test func `what was removed has no value, is looked for in answers, and can be set again`() throws {
        let injector = try Self.injector(.bearer)
        let placeholder = try #require(SecretPlaceholder(text: Self.token))
        let other = try #require(SecretPlaceholder(text: "another-placeholder-of-twenty"))
        #expect(!injector.revoke("key", other, now: .now()) && !injector.revoke("none", other, now: .now()))
        #expect(injector.revoke("key", placeholder, now: .now()))
        #expect((try? injector.present("key")) == nil && injector.values.count == 1)
        injector.tick(.now() + .minutes(11))
        #expect(injector.values.isEmpty)
        let grant = SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(Self.value.utf8))
        #expect(injector.take(grant, now: .now()) && (try? injector.present("key")) != nil)
        // A gateway that begins after that knows what stands for it all the same.
        var rules = SecretRules()
        rules.bindings = [SecretBinding(name: "key", hosts: ["example.org"], place: .bearer)]
        let next = SecretInjector(rules)
        #expect(next.revoke("key", placeholder, now: .now()) && (try? next.present("key")) == nil)
        var scanner = next.scanner
        #expect(scanner.feed(Self.token.utf8) != nil)
    }

    private static func injector(_ place: SecretPlace) throws -> SecretInjector {
        var rules = SecretRules()
        let binding = SecretBinding(name: "key", hosts: ["example.org"], place: place)
        rules.bindings = [binding]
        let injector = SecretInjector(rules)
        let placeholder = try #require(SecretPlaceholder(text: token))
        #expect(
            injector.take(
                SecretGrant(name: "key", placeholder: placeholder, value: SecretValue(value.utf8)), now: .now()))
        return injector
    }

    private struct Request {
        var target = "/bot/x"
        var fields: [(String, String)] = [("Host", "example.org"), ("Accept", "*/*")]

        /// In the place that it is bound to.
        mutating func place(_ place: SecretPlace) {
            switch place {
            case .bearer: fields.append(("Authorization", "Bearer \(token)"))
            case .header(let name, _): fields.append((name.lowercased(), token))
            case .query(let key): target += "?a=b&\(key)=\(token)"
            case .path: target = "/bot\(token)/x"
            case .basic, .sigV4: break
            }
        }

        /// Somewhere that is no place of any of them.
        mutating func misplace(_ generator: inout Seeded) {
            let cut = Int.random(in: 1..<token.utf8.count, using: &generator)
            switch Int.random(in: 0..<6, using: &generator) {
            case 0: target += (target.contains("?") ? "&" : "?") + "other=\(token)"
            case 1: fields.insert(("X-\(cut)", "a\(token)"), at: 1)
            case 2: fields += [("X-A", String(token.prefix(cut))), ("X-B", String(token.dropFirst(cut)))]
            case 3: fields += [("Cookie", "a=\(token)")]
            case 4: target = "/\(token)" + target
            default: fields += [("Authorization", "Bearer \(token)"), ("Authorization", "Bearer mine")]
            }
        }
    }

    @Test func `a placeholder is replaced in its place, or denies the request`() throws {
        var generator = Seeded(21)
        var policyRules = NetworkRules()
        policyRules.allow = [try NetworkRule(hosts: ["example.org"], methods: ["GET"], ports: [443])]
        let policy = NetworkPolicy(policyRules)
        for round in 0..<400 {
            let place = Self.places[round % Self.places.count]
            let injector = try Self.injector(place)
            var request = Request()
            let isPlaced = Bool.random(using: &generator)
            let isMisplaced = Bool.random(using: &generator)
            if isPlaced { request.place(place) }
            if isMisplaced { request.misplace(&generator) }
            let checked = try Checker(mostTarget: 4096).check(request.target, request.fields).get()
            let head = HTTPRequestHead(
                version: .http1_1, method: .GET, uri: request.target, headers: HTTPHeaders(request.fields))
            do throws(Denial) {
                let uses = try injector.examine(head, checked)
                #expect(!isMisplaced, "\(request)")
                #expect(uses.count == (isPlaced ? 1 : 0), "\(request)")
                guard isPlaced else { continue }
                let sent = "\(try uses.head(checked, injector, policy))"
                #expect(!sent.contains(Self.token) && sent.ranges(of: Self.value).count == 1, "\(sent)")
            } catch {
                #expect(isMisplaced && error.secret == "key", "\(request) \(error)")
            }
        }
    }
}
