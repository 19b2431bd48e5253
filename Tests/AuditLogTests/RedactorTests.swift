import JailCore
import TestSupport
import Testing

@testable import AuditLog

@Suite struct RedactorTests {
    static let secret = "Zq8vT3nW5yB1kD7mP9rS2uX4"

    /// Where secrets stand in texts, `§` in their place.
    static let places = [
        "Authorization: Bearer §", "authorization: Basic §", "Cookie: a=1; session=§; b=2", "Set-Cookie: x=§; Path=/",
        "OPENAI_API_KEY=§", "export GITHUB_TOKEN='§'", "--token §", "--api-key=§", "--password \"§\"",
        "{\"password\": \"§\"}", "{\"apiKey\":\"§\",\"a\":1}", "{\\\"secret\\\":\\\"§\\\"}", "client_secret=§&grant=x",
        "https://user:§@example.org/", "https://example.org/a?x=§", "GET /path?token=§ HTTP/1.1", "X-Api-Key: §",
        "token: §", "AWS_SECRET_ACCESS_KEY=§", "passwd=§,", "db_password: §", "Bearer §", "aws_session_token = §",
        "https://hooks.slack.com/services/T024BE7LD/B024BE7LD/§", "/services/T024BE7LD/B024BE7LD/§", "/hooks/T0A/B0A/§",
        "https://discord.com/api/webhooks/123456789012345678/§", "POST /webhook/§/x HTTP/1.1", "/github-webhook/§?a",
        "{\"url\":\"https:\\/\\/example.org\\/hooks\\/§\"}", "https://example.org/v1/§/send", "\"/hooks/§\"",
        "https://api.telegram.org/bot123456789%3AAAabcd§/sendMessage", "https://example.org/hook/§#x",
        "https://example.org/hook/§: 404",
        "-----BEGIN RSA PRIVATE KEY-----\nS\n-----END RSA PRIVATE KEY-----\n",
    ]

    @Test(arguments: places) func `a secret is taken out wherever it stands`(place: String) {
        let text = place.replacing("§", with: Self.secret)
        var lines = LineRedactor(Redactor())
        let redacted = String(decoding: lines.take(Array((text + "\n").utf8)), as: UTF8.self)
        #expect(!redacted.contains(Self.secret), "\(redacted)")
        #expect(redacted.contains("[redacted]"))
    }

    static let shapes = [
        "sk-ant-api03-abcdefghijklmnopqrstuvwxyz", "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "xoxb-123456789012-abcdef",
        "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc", "glpat-abcdefghijklmnopqrst",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv", "hf_abcdefghijklmnopqrstuvwxyz", "person@example.org",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "bot123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
        "github_pat_11ABCDEFG0abcdefghijkl_mnop",
    ]

    @Test(arguments: shapes) func `a credential is known by its shape`(text: String) {
        for around in ["\(text)", "say \(text) twice", "\"\(text)\"", "a=\(text)&b", "/\(text)/send", "(\(text))"] {
            let redacted = Redactor().redact(around)
            #expect(!redacted.contains(text), "\(around) -> \(redacted)")
        }
    }

    @Test func `no credential is shorter than what is looked at`() {
        for (prefix, least) in SecretPrefix.known {
            #expect(prefix.count + least >= Redactor.shortest)
            let text = String(decoding: prefix, as: UTF8.self) + String(repeating: "a", count: least)
            #expect(Redactor().redact(text) == String(decoding: prefix, as: UTF8.self) + "[redacted]")
        }
    }

    @Test(arguments: [
        "GET is not among the methods of network.allow[0] (GET, HEAD)", "api.github.com", "/repos/me/it/issues",
        "{ allow: [{ hosts: [\"api.github.com\"], schemes: [\"https\"], methods: [\"POST\"], paths: [\"/a\"] }] }",
        "memory limit 64M reached: a process was killed; to allow more, raise limits.memory in profile 'session'",
        "is it so? yes", "12:30:45", "tokens: 512", "node gateway.js --port 18789", "usage: clawjail [--help]",
        "fatal: unable to access 'https://example.org/': timed out", "sha256:0123456789abcdef0123456789abcdef",
        "/usr/lib/x86_64-linux-gnu/libnghttp2.so.14.28.3", "/nix/store/7rjjc0s8wcfmx3vp3kp6hbc1dysm8xk9-glibc-2.38",
        "https://example.org/debian/pool/main/o/openssl/libssl3t64_3.5.1-1_amd64.deb", "/etc/ca-certificates/hooks/a1",
        "https://github.com/o/r/commit/3f786850e387550fdab836ed7e6dc881de23001b", "/home/me/.git/hooks/pre-commit",
        "https://example.org/d/550e8400-e29b-41d4-a716-446655440000/edit", "/var/lib/dpkg/triggers/hooks/update",
        "https://example.org/Articles/What-We-Saw-In-The-Spring", "/T024BE7LD/B024BE7LD", "a/b//c", "////",
        "-----BEGIN CERTIFICATE-----", "user@", "@scope/package", "a ? b : c", "sk-", "basic usage of it",
    ]) func `what is no secret stays as it is`(text: String) { #expect(Redactor().redact(text) == text) }

    @Test func `values under telling names go as a whole, and so do values of options`() {
        let event: JSON = ["event": "x", "headers": ["Authorization": "whatever it is", "accept": "text"]]
        #expect(
            Redactor().redact(event).text()
                == "{\"event\":\"x\",\"headers\":{\"Authorization\":\"[redacted]\",\"accept\":\"text\"}}")
        #expect(
            Redactor().redact(arguments: ["curl", "--token", "abc", "-x", "y", "--password=p"])
                == ["curl", "--token", "[redacted]", "-x", "y", "--password=[redacted]"])
    }

    @Test(arguments: places) func `what was taken out once stays as it is`(place: String) {
        let once = Redactor().redact(place.replacing("§", with: Self.secret))
        #expect(Redactor().redact(once) == once)
    }

    @Test func `a profile can name what else is secret`() {
        let redactor = Redactor(patterns: ["acme_*", "project-*-internal", "Tango Foxtrot"])
        #expect(redactor.redact("the acme_abc-123.x is") == "the [redacted] is")
        #expect(redactor.redact("project-x7-internal, project-y") == "[redacted], project-y")
        #expect(redactor.redact("over Tango Foxtrot out") == "over [redacted] out")
        #expect(redactor.redact("acme") == "acme")
    }

    @Test func `output is redacted whatever pieces it comes in`() {
        let text =
            "hello\nAuthorization: Bearer \(Self.secret)\n-----BEGIN PRIVATE KEY-----\n\(Self.secret)\n\(Self.secret)\n-----END PRIVATE KEY-----\nlast ghp_\(Self.secret)"
        for size in 1...text.utf8.count {
            var lines = LineRedactor(Redactor())
            var output: [UInt8] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                output += lines.take(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            output += lines.flush()
            let redacted = String(decoding: output, as: UTF8.self)
            #expect(!redacted.contains(Self.secret))
            #expect(redacted.hasPrefix("hello\n") && redacted.hasSuffix("last ghp_[redacted]"))
        }
    }

    @Test func `a text of nothing but separators takes no longer than another one`() {
        let before = System.monotonicNanoseconds()
        for text in ["/", "?", "/?", "?a", "@", ":", "//:", "hooks/"] {
            _ = Redactor().redact(Array(String(repeating: text, count: 100_000).utf8))
        }
        #expect(System.monotonicNanoseconds() - before < 20_000_000_000)
    }

    @Test func `random bytes are no crash, and nothing grows beyond its marks`() {
        var random = Seeded(11)
        let alphabet = Array("=:@?/ \"'\\-\n//hook//abtokenBearer sk-xoxb-://123456789".utf8)
        for _ in 0..<3000 {
            let bytes = (0..<Int.random(in: 0..<120, using: &random)).map { _ in
                alphabet.randomElement(using: &random) ?? 0
            }
            let once = Redactor(patterns: ["tok*n"]).redact(bytes) ?? bytes
            #expect(once.count <= bytes.count + 12 * bytes.count)
        }
    }
}
