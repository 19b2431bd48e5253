import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import SecretStore

/// Where the secrets of a profile come from.
@Suite struct ResolverTests {
    private let place: Place

    init() throws { place = try Place() }

    private func rules(_ sources: [(String, SecretOrigin?)]) -> SecretRules {
        var rules = SecretRules()
        rules.bindings = sources.map { name, source in
            var binding = SecretBinding(
                name: name, hosts: [HostName(user: "a.example")].compactMap(\.self), place: .bearer)
            binding.source = source
            return binding
        }
        return rules
    }

    private func resolve(_ rules: SecretRules) throws -> [String: Result<ResolvedSecret, JailError>] {
        let resolver = SecretResolver(rules, store: place.path, credentials: nil)
        return Dictionary(
            uniqueKeysWithValues: resolver.resolve(rules.names, now: change.time).map { ($0.name, $0.result) })
    }

    private func value(_ result: Result<ResolvedSecret, JailError>?) -> String? {
        if case .success(let secret)? = result { text(secret.current) } else { nil }
    }

    private func fault(_ result: Result<ResolvedSecret, JailError>?) -> JailError? {
        if case .failure(let error)? = result { error } else { nil }
    }

    @Test func `each place gives its own, and one that fails takes no other with it`() throws {
        try place.store().add("stored", try secret("from-the-store"), change)
        let path = try place.directory.file("token", "from-a-file\n")
        try System.changeMode(path, 0o600)
        let results = try resolve(
            rules([
                ("stored", nil), ("filed", .file(path)), ("gone", .store), ("lost", .file(path + "x")),
                ("credential", .credential("c")),
            ]))
        #expect(value(results["stored"]) == "from-the-store" && value(results["filed"]) == "from-a-file")
        let gone = try #require(fault(results["gone"]))
        #expect(gone.status == ExitStatus.notThere)
        #expect(gone.description.contains("there is no secret 'gone'; 'clawjail secret set gone'"), "\(gone)")
        #expect(fault(results["lost"])?.path == path + "x")
        #expect(fault(results["credential"])?.reason.contains("CREDENTIALS_DIRECTORY is not set") == true)
    }

    @Test func `a value that cannot be put into requests is a fault that does not show it`() throws {
        let store = try place.store()
        try store.add("short", try secret("Zq8v"), change)
        try store.add("lines", try secret("Zq8vT3nW\n5yB1kD7m"), change)
        let results = try resolve(rules([("short", nil), ("lines", nil)]))
        for name in ["short", "lines"] {
            let error = try #require(fault(results[name]))
            #expect(!error.description.contains("Zq8v"), "\(error)")
        }
    }

    @Test func `a value before comes along as long as it counts`() throws {
        let store = try place.store()
        try store.add("a", try secret("the-first-one"), change)
        try store.rotate("a", to: try secret("the-second-one"), grace: 60, change)
        let rules = rules([("a", nil)])
        guard case .success(let secret)? = try resolve(rules)["a"] else { throw SystemError(.check, .invalid) }
        #expect(text(secret.current) == "the-second-one" && text(secret.previous?.value) == "the-first-one")
        let later = SecretResolver(rules, store: place.path, credentials: nil).resolve(["a"], now: change.time + 60)
        guard case .success(let secret) = later[0].result else { throw SystemError(.check, .invalid) }
        #expect(secret.previous == nil)
    }
}
