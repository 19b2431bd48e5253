import JailPolicy
import TestSupport
import Testing

struct `Findings about profiles` {
    private static let limits = "limits: { memory: '1G', processes: 9, cpus: 1 }"

    /// What is found, and the part of a profile that it is found in.
    static let cases: [(id: String, severity: ProfileFindings.Severity, text: String)] = [
        (
            "network-with-host-files", .danger,
            "network: { allow: [{ hosts: ['*'] }] }, filesystem: { read: ['/srv/x'] }"
        ),
        (
            "network-with-host-files", .warning,
            "network: { allow: [{ hosts: ['*.a.example'] }] }, filesystem: { read: ['/srv/x'] }"
        ),
        (
            "network-with-written-code", .warning,
            "network: { allow: [{ hosts: ['*'] }] }, filesystem: { executeWritable: true }"
        ),
        (
            "shell-network-host-files", .danger,
            "process: { shell: true }, network: { allow: [{ hosts: ['a.example'] }] }, filesystem: { write: ['/srv/x'] }"
        ),
        ("send-everywhere", .warning, "network: { allow: [{ hosts: ['*'], methods: ['POST'] }] }"),
        ("published-beyond", .warning, "network: { publish: ['0.0.0.0:80:8080'] }"),
        ("program-directory", .warning, "process: { programs: ['/usr/bin/'] }"),
        ("program-directory", .note, "process: { programs: ['/usr/bin/'], shell: true }"),
        ("program-family", .warning, "process: { programs: ['bash'] }, network: { allow: [{ hosts: ['a.example'] }] }"),
        ("program-family", .note, "process: { programs: ['git'] }"),
        (
            "shell-beside-commands", .warning,
            "process: { programs: ['dash'] }, commands: [{ program: '/usr/bin/git', arguments: ['status'] }]"
        ),
        ("command-family", .warning, "commands: [{ program: '/usr/bin/git', arguments: [{ pattern: '.*' }] }]"),
        ("command-on-host", .warning, "commands: [{ program: '/usr/bin/journalctl', where: { host: 'logs' } }]"),
        (
            "command-for-nothing", .warning,
            "process: { programs: ['git'] }, commands: [{ program: '/usr/bin/git', arguments: ['status'] }]"
        ),
        ("system-call", .warning, "process: { systemCalls: ['bpf'] }"),
        ("personal-files", .note, "filesystem: { read: ['/home/x/notes'] }"),
        (
            "personal-files", .warning,
            "filesystem: { read: ['/srv/.secrets'] }, network: { allow: [{ hosts: ['a.example'] }] }"
        ),
        ("special-files", .warning, "filesystem: { read: [{ source: '/srv/s', specialFiles: true }] }"),
        ("optional-landlock", .warning, "optional: ['landlock']"),
        ("optional-time", .note, "optional: ['time']"),
        ("secret-in-profile", .danger, "process: { environment: { API_TOKEN: 'abcdefgh1234' } }"),
        ("secret-in-profile", .danger, "commands: [{ program: '/x', environment: { API_TOKEN: 'abcdefgh1234' } }]"),
        ("secret-in-profile", .danger, "process: { environment: { X: 'ghp_0123456789abcdef' } }"),
        (
            "secret-in-profile", .danger,
            "network: { allow: [{ hosts: ['a.example'] }] }, secrets: [{ name: 'a', hosts: ['a.example'], "
                + "inject: 'bearer', source: { exec: { command: '/v', env: { VAULT_TOKEN: 'hvs.12345678' } } } }]"
        ),
    ]

    @Test(arguments: cases)
    func `are each found where they are`(id: String, severity: ProfileFindings.Severity, text: String) throws {
        let findings = ProfileFindings(try profile("{ \(text), \(Self.limits) }")).all
        #expect(findings.contains { $0.id == id && $0.severity == severity && !$0.remedy.isEmpty }, "\(findings)")
        #expect(findings.map(\.severity) == findings.map(\.severity).sorted(by: >))
    }

    @Test func `are none in a profile that grants little`() throws {
        let plain = try profile(
            """
            { process: { programs: ['node', 'jq'], environment: { OPENCLAW_STATE_DIR: '/data/state', MODE: 'production' } },
              network: { allow: [{ hosts: ['a.example'] }], publish: ['18789'] }, filesystem: { tmp: '1M' }, \(Self.limits),
              commands: [{ program: '/usr/bin/git', arguments: ['status'], where: { profile: 'session' } }] }
            """)
        #expect(ProfileFindings(plain).all == [])
    }

    @Test func `say of missing limits which they are`() throws {
        let ids = ProfileFindings(try profile("{}")).all.map(\.id)
        #expect(ids == ["no-limit-memory", "no-limit-processes", "no-limit-cpus"])
    }

    @Test func `never hold the secret itself`() throws {
        let findings = ProfileFindings(try profile("{ process: { environment: { API_TOKEN: 'abcdefgh1234' } } }")).all
        #expect(findings.allSatisfy { !($0.text + $0.remedy).contains("abcdefgh1234") })
    }

    @Test func `see what one jail writes and another one runs`() throws {
        var writer = try profile("{ filesystem: { write: ['/srv/tools'] }, \(Self.limits) }")
        writer.files = ["/p/writer.json5"]
        for text in [
            "process: { programs: ['/srv/tools/bin/x'] }", "process: { programs: ['/srv/'] }",
            "filesystem: { root: { directory: '/srv/tools' } }", "filesystem: { read: ['/srv/tools/etc'] }",
        ] {
            var other = try profile("{ \(text) }")
            other.files = ["/p/other.json5"]
            let found = ProfileFindings(writer, among: [other]).all.filter { $0.id == "written-code-elsewhere" }
            #expect(found.count == 1 && found[0].severity == .danger, "\(text)")
            // Of itself a jail writes what it likes.
            other.files = writer.files
            #expect(!ProfileFindings(writer, among: [other]).all.contains { $0.id == "written-code-elsewhere" })
        }
    }

    @Test(arguments: Shipped.names)
    func `about shipped profiles are no dangers`(name: String) throws {
        let findings = ProfileFindings(try Shipped.load(name)).all
        #expect(!findings.contains { $0.severity == .danger }, "\(findings)")
    }
}
