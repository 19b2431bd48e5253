import JailPolicy
import Testing

@testable import JailLearning

@Suite("Suggestions of network rules")
struct NetworkSuggestionTests {
    static let research = "{ network: { allow: [{ hosts: ['*'] }], deny: [{ hosts: ['bad.example.org'] }] } }"

    func suggest(_ observations: [Observation], _ text: String = research) throws -> Suggestions {
        Suggestions.make(from: observations, profile: try profile(text), host: host())
    }

    @Test func `one request is one rule, which allows it and no other`() throws {
        let found = try suggest(denied(network("POST", "hooks.example.org", "/build")))
        #expect(
            found.texts == [
                "network: { allow: [{ hosts: [\"hooks.example.org\"], schemes: [\"https\"], methods: [\"POST\"], "
                    + "paths: [\"/build\"] }] }"
            ])
        #expect(found.ranked[0].advisedAgainst == nil)
        #expect(found.ranked[0].risk.contains("can be sent to hooks.example.org"))
    }

    @Test func `what the profile allows is not suggested`() throws {
        #expect(try suggest(denied(network("GET", "example.org", "/"))) == Suggestions())
    }

    @Test func `three repositories are a pattern, two are two`() throws {
        let paths = ["/repos/a/x", "/repos/a/y", "/repos/a/z"]
        let three = try suggest(paths.map { Observation(network("POST", "git.example.org", $0), .denied) })
        #expect(three.ranked.count == 1)
        #expect(three.texts[0].contains("paths: [\"/repos/a/*\"]"))
        #expect(three.ranked[0].evidence.seen.count == 3)
        #expect(three.ranked[0].risk.contains("others of the kind"))
        let two = try suggest(paths.prefix(2).map { Observation(network("POST", "git.example.org", $0), .denied) })
        #expect(two.texts.count == 1)
        #expect(two.texts[0].contains("paths: [\"/repos/a/x\", \"/repos/a/y\"]"))
    }

    @Test func `what was used is evidence for a pattern`() throws {
        let text =
            "{ network: { allow: [{ hosts: ['git.example.org'], schemes: ['https'], methods: ['POST'], "
            + "paths: ['/repos/a/x', '/repos/a/y'] }] } }"
        let used = ["/repos/a/x", "/repos/a/y"].map { Observation(network("POST", "git.example.org", $0), .used) }
        let found = try suggest(used + denied(network("POST", "git.example.org", "/repos/a/z")), text)
        #expect(found.texts.count == 1 && found.texts[0].contains("[\"/repos/a/*\"]"))
        #expect(try suggest(denied(network("POST", "git.example.org", "/repos/a/z")), text).texts[0].contains("/a/z\""))
    }

    @Test func `the first segment is never a pattern`() throws {
        let found = try suggest(["/x", "/y", "/z"].map { Observation(network("POST", "example.org", $0), .denied) })
        #expect(found.texts.count == 1 && found.texts[0].contains("paths: [\"/x\", \"/y\", \"/z\"]"))
    }

    @Test func `a star in a path stays a star`() throws {
        let found = try suggest(
            ["/a/b*", "/a/c", "/a/*"].prefix(2).map { Observation(network("PUT", "h.org", $0), .denied) })
        let rule = try profile("{}").adding([found.ranked[0].change]).network
        var question = NetworkQuestion(host: .name(try #require(HostName(user: "h.org"))))
        question.path = CanonicalPath(target: "/a/bc")
        question.method = "PUT"
        #expect({ if case .deny = NetworkPolicy(rule).decide(question) { true } else { false } }())
    }

    @Test func `methods and names of one domain are put together, where the sum is no more than the parts`() throws {
        let same = try suggest(
            denied(network("POST", "a.example.org", "/x"), network("PUT", "a.example.org", "/x")))
        #expect(same.texts.count == 1 && same.texts[0].contains("methods: [\"POST\", \"PUT\"]"))
        let other = try suggest(
            denied(network("POST", "a.example.org", "/x"), network("PUT", "a.example.org", "/y")))
        #expect(other.texts.count == 2)
        let names = try suggest(
            denied(network("POST", "a.example.org", "/x"), network("POST", "b.example.org", "/x")))
        #expect(names.texts.count == 1 && names.texts[0].contains("[\"a.example.org\", \"b.example.org\"]"))
        // Nobody's: everybody can have a name there.
        let strangers = try suggest(
            ["a", "b", "c"].map { Observation(network("POST", "\($0).github.io", "/x"), .denied) })
        #expect(strangers.texts.count == 3)
    }

    @Test func `three names of one domain are a pattern, and never a public suffix`() throws {
        let found = try suggest(
            ["a", "b", "c"].map { Observation(network("POST", "\($0).api.example.org", "/x"), .denied) })
        #expect(found.texts.count == 1 && found.texts[0].contains("hosts: [\"*.api.example.org\"]"))
        let suffix = try suggest(["a", "b", "c"].map { Observation(network("POST", "\($0).co.uk", "/x"), .denied) })
        #expect(suffix.texts.count == 3 && !suffix.texts.contains { $0.contains("*") })
    }

    @Test func `special addresses, denied hosts and methods that are never allowed are not to be had`() throws {
        let found = try suggest(
            denied(
                network("GET", "169.254.169.254", "/latest/meta-data", port: 80, scheme: "http"),
                network("GET", "10.0.0.1", "/"), network("GET", "bad.example.org", "/"),
                network("TRACE", "example.org", "/"), network("POST", "example.org", "/bot123456…/send"),
                network("GET", "not a host")))
        #expect(found.ranked.isEmpty)
        #expect(found.ungrantable.count == 6, "\(found.reasons)")
        #expect(found.reasons.count { $0.contains("special addresses are never suggested") } == 2)
    }

    @Test func `names of one's own network are advised against`() throws {
        let found = try suggest(denied(network("GET", "printer.local", "/")))
        #expect(found.ranked.count == 1 && found.ranked[0].advisedAgainst != nil)
    }

    @Test func `a name alone comes last, and not where its request was seen`() throws {
        let name = network(nil, "api.example.org", port: nil, scheme: nil)
        let found = try suggest(denied(name, network("POST", "api.example.org", "/x")), "{}")
        #expect(found.texts.count == 1 && found.texts[0].contains("POST"))
        let two = try suggest(denied(name, network("POST", "b.example.net", "/x")), "{}")
        #expect(two.texts.count == 2 && two.texts[1].contains("api.example.org"))
        #expect(two.ranked[1].risk.contains("any path"))
    }
}
