import JailCore
import JailPolicy
import Testing

@testable import clawjail

/// How a service is asked whether it takes a secret, and what is made of its answer.
struct SecretInquiryTests {
    private func inquiry(_ place: JailPolicy.SecretPlace, path: String = "/v1/me?x=1", port: UInt16 = 443) throws
        -> SecretInquiry
    {
        var base = Profile(name: "base")
        base.network.upstream.trust = "/etc/own.pem"
        base.network.allow = [NetworkRule(hosts: [try HostPattern.parse("*")], methods: ["POST"], ports: [port])]
        var binding = SecretBinding(
            name: "key", hosts: [try #require(HostName(user: "a.example")), try #require(HostName(user: "b.example"))],
            place: place)
        (binding.ports, binding.methods, binding.environment) = ([port], ["POST"], "OWN")
        base.secrets.bindings = [binding]
        return try SecretInquiry(binding, base, path: path)
    }

    private static let scope = SigningScope(service: "sts", region: "eu-1")

    @Test(arguments: [
        JailPolicy.SecretPlace.bearer, .header("X-Key"), .basic(user: "bob"), .query("k"),
        .path(before: "/bot", after: "/"),
        .sigV4(scope),
    ])
    func `the jail may ask this one thing, with a placeholder`(place: JailPolicy.SecretPlace) throws {
        let inquiry = try inquiry(place)
        let profile = inquiry.profile
        try profile.secrets.check(profile.network, profile.process)
        #expect(profile.network.allow.count == 1 && profile.network.upstream.trust == "/etc/own.pem")
        #expect(profile.secrets.bindings.map(\.hosts.count) == [1] && profile.secrets.bindings[0].methods == ["GET"])
        #expect(profile.filesystem == Profile(name: "").filesystem && profile.process.passEnvironment.isEmpty)
        var question = NetworkQuestion(host: .name(inquiry.host))
        (question.port, question.scheme, question.method) = (443, .https, "GET")
        let path = if case .path = place { "/botX/v1/me" } else { "/v1/me" }
        question.path = CanonicalPath(target: path)
        let policy = NetworkPolicy(profile.network)
        guard case .allow = policy.decide(question) else { throw ValueError("is not allowed") }
        #expect(profile.secrets.bindings[0].covers(question))
        for change: (inout NetworkQuestion) -> Void in [
            { $0.method = "POST" }, { $0.port = 80 }, { $0.scheme = .http },
            { $0.host = .name(HostName(user: "b.example") ?? inquiry.host) },
        ] {
            var other = question
            change(&other)
            guard case .deny = policy.decide(other) else { throw ValueError("allows too much") }
        }
        guard case .path = place else {
            question.path = CanonicalPath(target: "/v1/you")
            guard case .deny = policy.decide(question) else { throw ValueError("allows too much") }
            return
        }
    }

    @Test func `a secret that is exchanged is not tried, and goes to no service itself`() throws {
        let host = try #require(HostName(user: "a.example"))
        var base = Profile(name: "base")
        let binding = SecretBinding(name: "key", hosts: [host], place: .bearer)
        var other = SecretBinding(name: "key", hosts: [host], place: .header("X-Key"))
        other.exchange = SecretExchange(host: host, path: "/t", clientID: "i")
        base.secrets.bindings = [binding, other]
        #expect(throws: JailError.self) { try SecretInquiry(binding, base, path: "/") }
        base.secrets.bindings = [binding]
        _ = try SecretInquiry(binding, base, path: "/")
    }

    @Test func `the client takes the placeholder from its environment`() throws {
        let words: [(JailPolicy.SecretPlace, String, [String])] = [
            (.bearer, #"-H "$2$CLAWJAIL_TRIAL" "$1""#, ["https://a.example/v1/me?x=1", "Authorization: Bearer "]),
            (.header("X-Key"), #"-H "$2$CLAWJAIL_TRIAL" "$1""#, ["https://a.example/v1/me?x=1", "X-Key: "]),
            (.basic(user: "bob"), #"-u "$2$CLAWJAIL_TRIAL" "$1""#, ["https://a.example/v1/me?x=1", "bob:"]),
            (.query("k"), #""$1$CLAWJAIL_TRIAL""#, ["https://a.example/v1/me?x=1&k="]),
            (
                .path(before: "/bot", after: "/"), #""$1$CLAWJAIL_TRIAL$2""#,
                ["https://a.example/bot", "/v1/me?x=1"]
            ),
            (
                .sigV4(Self.scope),
                #"--aws-sigv4 "$2" -u "$CLAWJAIL_TRIAL_ACCESS_KEY_ID:$CLAWJAIL_TRIAL_SECRET_ACCESS_KEY" "$1""#,
                ["https://a.example/v1/me?x=1", "aws:amz:eu-1:sts"]
            ),
        ]
        for (place, script, arguments) in words {
            let command = try inquiry(place).command
            #expect(command[2].hasSuffix(script) && Array(command[4...]) == arguments, "\(command)")
        }
        #expect(try inquiry(.bearer, path: "/", port: 8443).command[4] == "https://a.example:8443/")
    }

    @Test func `GitHub needs no profile`() throws {
        let inquiry = try SecretInquiry.gitHub("github")
        #expect(inquiry.command[4...] == ["https://api.github.com/", "Authorization: Bearer "] && inquiry.isKept)
    }

    @Test(arguments: ["", "user", "/a b", "/a/../b", "//x;y"]) func `what is no path is refused`(path: String) {
        #expect(throws: JailError.self) { try inquiry(.bearer, path: path) }
    }

    // MARK: Answers

    private func lines(_ head: String, _ body: String = "", host: String = "api.github.com") throws -> [String] {
        let answer = try #require(SecretAnswer(Array("HTTP/1.1 \(head)\r\n\r\n\(body)".utf8)))
        return try answer.lines("github", host)
    }

    @Test func `scopes are told as GitHub tells them`() throws {
        #expect(
            try lines(
                "200 OK\r\nX-OAuth-Scopes: repo, read:org\r\nGitHub-Authentication-Token-Expiration: 2026-12-31 0:00")
                == [
                    "github: api.github.com takes it (200)", "github: its scopes are repo, read:org",
                    "github: it ends 2026-12-31 0:00",
                ])
        #expect(try lines("200 OK\r\nx-oauth-scopes: ")[1] == "github: its scopes are none")
        #expect(try lines("200 OK")[1].contains("no scopes: fine-grained tokens"))
        #expect(try lines("204 None", host: "a.example") == ["github: a.example takes it (204)"])
        #expect(try lines("200 OK\r\nX-OAuth-Scopes: a\u{1b}[2Jb")[1].contains("\u{1b}") == false)
    }

    @Test(arguments: [
        ("401 Unauthorized", "does not take 'github': it answers 401"), ("403 Forbidden", "does not take 'github'"),
        ("500 Oops", "answers otherwise than hoped for: it answers 500"),
    ])
    func `a service that does not take it is told, with a status of its own`(head: String, reason: String) {
        let error = #expect(throws: JailError.self) { try lines(head) }
        #expect(error?.description.contains(reason) == true && error?.status == ExitStatus.refused)
    }

    @Test func `what the way out says is not taken for the service's word`() {
        let error = #expect(throws: JailError.self) {
            try lines("502 Bad Gateway", #"{"error":"not reached","reason":"no such host"}"#)
        }
        #expect(error?.description.contains("api.github.com could not be asked: no such host") == true)
    }

    @Test(arguments: ["", "x", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 2x0\r\n\r\n", "FTP 200\r\n\r\n", "\r\n\r\n"])
    func `what is no answer is none`(text: String) { #expect(SecretAnswer(Array(text.utf8)) == nil) }
}
