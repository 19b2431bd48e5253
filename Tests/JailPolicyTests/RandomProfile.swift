import JailPolicy
import TestSupport

/// Profiles made of parsed values, for properties that hold for all of them.
enum RandomProfile {
    static func make(_ generator: inout Seeded) -> Profile {
        var profile = Profile(name: "p")
        let text = """
            { process: {
                programs: \(list(["'a'", "'b?'", "'/usr/bin/'", "'/opt/é/x?'"], &generator)),
                environment: { \(some(["A: '1'", "B: 'x y'", "C: '\\\\u202e\\\\u001b'"], &generator)) },
                passEnvironment: \(list(["'LANG'", "'TZ'"], &generator)),
                inside: { uid: \(1 + generator.next() % 65533) },
                \(some(["shell: true", "user: 7", "workingDirectory: '/x'", "hostName: 'h'", "stopGrace: '90s'", "selfTest: true", "secretProvider: true"], &generator))
              },
              filesystem: {
                read: \(list(["'/r'", "'/s:/t'", "{ source: '/u', specialFiles: true }", "{ source: '/c:d', target: '/e' }"], &generator)),
                write: \(list(["'/w'", "'/x:/y'"], &generator)),
                tmp: '\(generator.next() % (1 << 40))', home: '\(generator.next() % 1024)M',
                \(some(["root: 'host'", "data: { size: '3G', source: '/z' }", "workspace: { mode: 'review', source: '/v', size: '5M' }", "executeWritable: true"], &generator))
              },
              network: {
                allow: [{ hosts: ['a.example'], methods: ['GET', 'POST'] }],
                publish: \(list(["'1'", "'2:3'", "'0.0.0.0:4:5'"], &generator)),
                \(some(["listen: [1, 2]", "listen: []"].shuffled(using: &generator).prefix(1).map { $0 }, &generator))
              },
              limits: { \(some(["memory: '5M'", "cpus: 1.25", "processes: 3", "fileSize: '1'", "swap: '1T'"], &generator)) },
              \(some(["sessions: { profile: 's', workspaces: \(list(["'/data/a'", "'/b:ro'"], &generator)), most: 7, secrets: \(list(["'a'", "'b.c'"], &generator)) }"], &generator).appendingComma)
              \(some(["health: { exec: ['a', 'b'], retries: 2 }"], &generator).appendingComma)
              \(some(["restart: { on: 'always', most: \(1 + generator.next() % 1000) }"], &generator).appendingComma)
              \(some(["alerts: { defaults: true, rules: [{ name: 'a', watch: 'upload', above: '3M', within: '2h' }] }"], &generator).appendingComma)
              \(some(["spend: { tokensPerDay: 9, onLimit: 'stop', fields: ['a'] }"], &generator).appendingComma)
              \(some(["approvals: { ask: [\(Bool.random(using: &generator) ? "'network'" : "'commands'")], timeout: '\(1 + generator.next() % 600)s' }"], &generator).appendingComma)
              \(some(["audit: { keep: '2d', onFull: 'pause', redact: ['abc*'] }"], &generator).appendingComma)
              \(some(["secrets: [{ name: 'a', env: 'S', hosts: ['a.example'], inject: { query: 'k' } }, { name: 'o', hosts: ['a.example'], inject: 'bearer', exchange: { oauth: { host: 'b.c', path: '/t', clientId: 'i' } } }]"], &generator).appendingComma)
              \(some(["canaries: [{ kind: 'ssh' }, { kind: 'slack', env: 'T' }]"], &generator).appendingComma)
              \(some(["commands: [{ program: '/usr/bin/git', arguments: ['push', { pattern: 'a|b' }], flags: ['-q'], deny: ['-f'], ask: true }]"], &generator).appendingComma)
              optional: \(list(["'landlock'", "'time'", "'cgroup'"], &generator)) }
            """
        if let tree = try? JSON5Reader.read(Array(text.utf8), file: "random"),
            let decoded = try? ProfileLoader.decode(tree, name: "p", home: nil)
        {
            profile = decoded
        } else {
            fatalError("not a profile: \(text)")
        }
        return profile
    }

    private static func some(_ choices: [String], _ generator: inout Seeded) -> String {
        var chosen: [String] = []
        for choice in choices where Bool.random(using: &generator) { chosen.append(choice) }
        return chosen.joined(separator: ", ")
    }

    private static func list(_ choices: [String], _ generator: inout Seeded) -> String {
        "[\(some(choices, &generator))]"
    }
}

extension String {
    fileprivate var appendingComma: String { isEmpty ? "" : self + "," }
}
