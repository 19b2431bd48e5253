import JailPolicy
import TestSupport
import Testing

@testable import JailLearning

/// Whatever was seen: what is suggested allows it, and nothing that was neither seen nor evidenced.
@Suite("Random observations")
struct RandomSuggestionTests {
    static let text = """
        { process: { programs: ['node', '/opt/tools/'], systemCalls: ['mbind'] },
          filesystem: { tmp: '64M', read: ['/srv/shown'] },
          network: { allow: [{ hosts: ['*'] }, { hosts: ['a.example.org'], methods: ['POST'], paths: ['/up/**'] }],
                     deny: [{ hosts: ['x.example.org'] }, { hosts: ['*'], methods: ['DELETE'], paths: ['/r/**'] }],
                     listen: [80] },
          limits: { memory: '512M' } }
        """
    static let hosts = [
        "a.example.org", "b.example.org", "c.example.org", "x.example.org", "example.org", "a.github.io", "b.github.io",
        "c.github.io", "printer.local", "8.8.8.8", "10.0.0.1", "github.com",
    ]
    static let paths: [String?] = [
        "/", "/a", "/b", "/r/a/x", "/r/a/y", "/r/a/z", "/r/b/x", "/r/b/x/", "/r/*/x", "/up/1", "/c…", nil,
    ]
    static let files = [
        "/srv/a", "/srv/shown/x", "/opt/d/1", "/opt/d/2", "/opt/d/3", "/opt/d/4", "/usr/share/1", "/usr/share/2",
        "/usr/share/3", "/home/ann/1", "/home/ann/2", "/home/ann/3", "/etc/1", "/etc/2", "/etc/3", "/var/lib/x/key.pem",
    ]
    static let missing = ["/opt/d/new", "/home/ann/new", "/nowhere/new", "/tmp/x", "/data/x"]
    static let programs = ["git", "sh", "node", "/usr/bin/git", "/opt/tools/x", "/opt/other/y", "gone"]
    static let calls = ["mbind", "bpf", "sysfs", "ioctl", "ustat", "no/call"]

    static let view = host(
        files: files + ["/opt/tools/x", "/opt/other/y", "/usr/bin/git"], programs: ["git", "sh", "node"])

    static func subject(_ generator: inout Seeded) -> Observation.Subject {
        func pick<Element>(_ list: [Element]) -> Element { list[Int(generator.next() % UInt64(list.count))] }
        switch generator.next() % 10 {
        case 0...5:
            // A name, a connection, or a whole request.
            let scheme = pick(["https", "https", "https", "http", "tcp", nil])
            let port: UInt16? = scheme.map { $0 == "http" ? 80 : pick([443, 443, 443, 8443]) }
            let method =
                scheme == nil || scheme == "tcp" ? nil : pick(HTTPMethod.known + ["POST", "POST", "TRACE", nil])
            return network(method, pick(hosts), method == nil ? nil : pick(paths), port: port, scheme: scheme)
        case 6, 7: return .file(path: pick(files + missing), access: pick(FileAccess.allCases))
        case 8: return .program(pick(programs))
        default:
            return pick([
                .systemCall(pick(calls)), .bind(port: 80), .bind(port: 81), .limit(name: "memory", value: ""),
                .limit(name: "tmp", value: ""),
            ])
        }
    }

    static func observations(_ generator: inout Seeded) -> [Observation] {
        (0..<(generator.next() % 30)).map { _ in
            Observation(
                subject(&generator), generator.chance(4) ? .used : generator.chance() ? .denied : .permitted,
                count: Int(1 + generator.next() % 9))
        }
    }

    @Test(arguments: 0..<20) func `are allowed exactly as far as they go`(seed: UInt64) throws {
        var generator = Seeded(seed)
        let before = try profile(Self.text)
        for _ in 0..<30 {
            let observations = Self.observations(&generator)
            let found = Suggestions.make(from: observations, profile: before, host: Self.view)
            let after = try before.adding(found.ranked.map(\.change))
            let refused = Set(found.ungrantable.flatMap(\.evidence.seen))
            let wanted = observations.filter { $0.isWanted && !refused.contains($0.subject.shown) }
            for one in wanted where !Self.isPart(one, of: observations) {
                #expect(Self.allows(one.subject, after), "\(one.subject.shown)")
            }
            try expectNoMore(before, after, observations)
            // Nothing is left to be suggested, but limits: what was seen under the old ones says nothing of the new.
            let again = Suggestions.make(from: observations, profile: after, host: Self.view)
            #expect(again.ranked.allSatisfy { $0.change.key.hasPrefix("limits") || $0.change.key == "filesystem.tmp" })
        }
    }

    /// A name or a connection, of which a request says more: that one counts, also where it is refused.
    static func isPart(_ one: Observation, of observations: [Observation]) -> Bool {
        guard case .network(let fields) = one.subject, fields.method == nil, fields.scheme != "tcp" else {
            return false
        }
        return observations.contains { other in
            guard case .network(let more) = other.subject, other.isWanted else { return false }
            return more.host == fields.host && more.method != nil
        }
    }

    /// By the decision function where there is one.
    static func allows(_ subject: Observation.Subject, _ profile: Profile) -> Bool {
        switch subject {
        case .network(let fields):
            guard let question = question(fields) else { return false }
            if case .allow = NetworkPolicy(profile.network).decide(question) { return true }
            return false
        case .program(let name):
            return profile.lists(name) || profile.lists(name.split(separator: "/").last.map(String.init) ?? name)
        case .systemCall(let name): return profile.process.systemCalls.contains(name)
        case .bind(let port): return profile.network.listen?.contains(port) ?? true
        case .file(let path, let access):
            return profile.shows(path, writable: access == .write) || profile.lists(path) || profile.lists("git")
                || profile.filesystem.executeWritable || path == "/data/x" && profile.filesystem.data != nil
        case .limit: return true
        }
    }

    static func question(_ fields: NetworkSubjectFields) -> NetworkQuestion? {
        let host = IPAddress(fields.host).map(Host.address) ?? HostName(user: fields.host).map(Host.name)
        guard let host else { return nil }
        var question = NetworkQuestion(host: host)
        question.port = fields.port
        question.scheme = fields.scheme.flatMap(NetworkScheme.init(rawValue:))
        question.method = fields.method
        question.path = fields.path.flatMap { CanonicalPath(target: $0) }
        return question
    }

    private func expectNoMore(_ before: Profile, _ after: Profile, _ observations: [Observation]) throws {
        let asked = observations.compactMap { one -> NetworkQuestion? in
            if case .network(let fields) = one.subject { Self.question(fields) } else { nil }
        }
        for rule in after.network.allow where !before.network.allow.contains(rule) {
            // Every host and every path of a new rule: asked for itself, or one of at least three of the kind.
            for host in rule.hosts {
                switch host {
                case .any: Issue.record("the whole network")
                case .below(let name):
                    #expect(!name.isPublicSuffix && Set(asked.map(\.host)).count { host.matches($0) } >= 3)
                default: #expect(asked.contains { $0.host == host.host })
                }
                for path in rule.paths ?? [] {
                    let matching = asked.filter { ask in
                        (host.matches(ask.host) || ask.host == host.host) && ask.path.map(path.matches) == true
                            && ask.method.map(rule.methods.contains) == true
                    }
                    let isPattern = path.text.replacing("\\*", with: "").contains("*")
                    #expect(Set(matching.compactMap(\.path)).count >= (isPattern ? 3 : 1), "\(path.text)")
                    for method in rule.methods { #expect(matching.contains { $0.method == method }, "\(method)") }
                }
            }
        }
        let subjects = observations.map(\.subject)
        for program in after.process.programs where !before.process.programs.contains(program) {
            #expect(
                subjects.contains { subject in
                    if case .program(let name) = subject { return name.hasSuffix(program.name) }
                    if case .file(let path, .execute) = subject { return path.hasSuffix(program.name) }
                    return false
                }, "\(program.name)")
        }
        for call in after.process.systemCalls where !before.process.systemCalls.contains(call) {
            #expect(subjects.contains(.systemCall(call)))
        }
        for bind in after.filesystem.read + after.filesystem.write where bind.source != "/srv/shown" {
            let below = Set(
                subjects.compactMap { subject -> String? in
                    if case .file(let path, _) = subject, path.isInside(bind.source) { path } else { nil }
                })
            let isWritten = after.filesystem.write.contains(bind)
            #expect(below.contains(bind.source) || below.count >= (isWritten ? 1 : 3), "\(bind.source)")
            #expect(!["/etc", "/home/ann", "/usr/share", "/usr", "/home", "/"].contains(bind.source))
        }
    }
}
