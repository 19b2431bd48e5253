import JailCore
import JailPolicy
import Testing

struct `Schema` {
    @Test func `the schema knows the same sections and keys as the decoder`() throws {
        let schema = SchemaValidator(try Shipped.schema())
        let described = schema.sections().map { "\($0.path): \($0.names.sorted())" }.sorted()
        let decoded = Profile.sections.map { "\($0.path): \($0.names.sorted())" }.sorted()
        #expect(described == decoded)
    }

    @Test func `every key has a description and no object takes unknown keys`() throws {
        let problems = SchemaValidator(try Shipped.schema()).problems()
        #expect(problems.isEmpty)
    }

    @Test(arguments: Shipped.names)
    func `a shipped profile is valid`(name: String) throws {
        let text = try System.readFile("\(Shipped.directory)/\(name).json5")
        let tree = try JSON5Reader.read(text, file: name)
        #expect(SchemaValidator(try Shipped.schema()).errors(tree).isEmpty)
    }

    @Test func `a profile with every key is valid, and so is what is written of it`() throws {
        let schema = SchemaValidator(try Shipped.schema())
        #expect(schema.errors(try read(Samples.full)).isEmpty)
        #expect(schema.errors(try read(profile(Samples.full).json.text())).isEmpty)
    }

    @Test(arguments: Samples.wrongKinds)
    func `the schema refuses a value of the wrong kind for every key`(path: String, wrong: String) throws {
        let keys = path.split(separator: ".")
        let text = keys.map { "{ \($0): " }.joined() + wrong + String(repeating: " }", count: keys.count)
        #expect(!SchemaValidator(try Shipped.schema()).errors(try read(text)).isEmpty)
    }

    /// What JSON Schema cannot say: sums over several keys, ranges of texts, places that two keys share.
    private static let beyond = [
        "memory: '1M'", "fileSize: '0'", "cpus: 0.05", "stopGrace: '61m'", "user: 'root'", "directory: '/'", "'/etc/x'",
        "/b:/", "data: {}", "'127.1'", "'a_b'", "preset: 'npm', methods", "hosts: ['a'], preset", "protocol: 'tcp' }]",
        "protocol: 'tcp', m",
        "inspect: false", "schemes: ['https'", "requestSize: '1M'", "methods: ['POST'], websocket", "/a/../b",
        "protocol: 'tcp'", "deny: [{ hosts: ['*.b']", "10.0.0.1/24", "uploadPerHour: '0'",
        "/data', '/data", "/data/b:ro', '/data", "/data/../x", "size: '1K'", "/proc/1", "80:81'", "'1.2.3.4'",
        "cpus: 0x401", "a\\nb", "tcp: {", "health: {}", "watch: '", "alerts: { webhook", "alerts: { command",
        "exec: ['']", "approvals: {}", "approvals: { fourEyes", "ask: [], notify", "timeout: '999ms'", "timeout: '11m'",
        "NOTIFY_SOCKET",
        "spend: {}", "providers: [{ hosts: ['*'",
        "mode: 'readOnly', size", "audit: { keep", "restart: { delay", "restart: { within", "on: 'always', delay",
        "192.0.2.1'] }] }", "Transfer_Encoding", "secrets: [{ name: 'a', hosts", "header: 'A', query", "id: 'a/../b'",
        "env: 'A', file", "query: 'A', prefix", "kind: 'aws', path", "kind: 'ssh', env", "kind: 'aws', env",
        "/bin/sh", "below: '/a', pattern", "'a**'", "'^a$'", "from: 2, upTo: 1", "least: 3", "form: 'either'",
        "'-m', '-n'",
        "deny: ['--force']", "deny: ['-f']", "'-name', '-n'", "'/b/x'", "timeout: '2d'", "program: '/srv/x'",
        "audit: { checkpoint", "redact: ['a*", "anchors: [['tool",
    ]

    @Test(arguments: Samples.refusals.map(\.0))
    func `what the decoder refuses the schema refuses, as far as it can say it`(text: String) throws {
        guard !Self.beyond.contains(where: text.contains) else { return }
        #expect(!SchemaValidator(try Shipped.schema()).errors(try read(text)).isEmpty)
    }
}
