import Foundation
import Testing

/// Commands that run in the jail that asks: they work when they are asked for, and in no other way.
@Suite(.serialized, .needs("node", "git")) struct InnerCommandTests {
    private static let profile = """
        {
          process: { programs: ['node'] },
          filesystem: { tmp: '16M', home: '1M' },
          limits: { memory: '512M', processes: 64, cpus: 1 },
          optional: ['groups'],
          commands: [
            { program: '/usr/bin/git', arguments: ['hash-object', '--stdin'], workingDirectory: '/tmp' },
            { program: '/usr/bin/env', environment: { GIVEN: 'by the rule' } },
            { program: '/usr/bin/seq', arguments: ['100000'], outputSize: '1K' },
            { program: '/usr/bin/sleep', arguments: ['60'], timeout: '500ms' },
          ],
        }
        """.json

    /// What a program of the jail's finds out; one object of JSON.
    private static let script = """
        const { spawnSync } = require('child_process'), fs = require('fs');
        const run = (file, args, options) => {
          const done = spawnSync(file, args, { encoding: 'utf8', ...options });
          return { status: done.status, error: done.error?.code, out: done.stdout ?? '', err: done.stderr ?? '' };
        };
        const code = body => { try { body(); return 'ok'; } catch (error) { return error.code ?? String(error); } };
        const git = '/usr/bin/git';
        fs.writeFileSync('/tmp/script', '#!/usr/bin/git\\n', { mode: 0o755 });
        const loader = fs.readdirSync('/lib64').find(name => name.startsWith('ld-linux'));
        console.log(JSON.stringify({
          asked: run('git', ['hash-object', '--stdin'], { input: 'x' }),
          line: run('/bin/sh', ['-lc', 'git hash-object --stdin'], { input: 'x' }),
          refused: run('git', ['status']),
          direct: run(git, ['--version']).error,
          loaded: run('/lib64/' + loader, [git, '--version']),
          read: code(() => fs.readFileSync(git)),
          copied: code(() => fs.copyFileSync(git, '/tmp/git')),
          linked: code(() => fs.linkSync(git, '/tmp/git')),
          interpreted: run('/tmp/script', []).error,
          shown: fs.existsSync(git),
          environment: run('env', [], { env: { ...process.env, LD_PRELOAD: '/tmp/x.so', EVIL: '1', PATH: '/tmp:' + process.env.PATH } }),
          flood: run('seq', ['100000']),
          slow: run('sleep', ['60']),
        }));
        """

    private func look(_ caller: Caller) throws -> [String: Any] {
        let jail = try Jail(caller, Self.profile)
        let finished = try jail.start(command: ["node", "-e", Self.script]).wait(60)
        #expect(finished.status == 0, "\(finished.errors)")
        return try #require(
            try JSONSerialization.jsonObject(with: finished.output) as? [String: Any],
            "\(finished.text) \(finished.errors)")
    }

    @Test(arguments: Caller.all) func `run when they are asked for, and in no other way`(caller: Caller) throws {
        let found = try look(caller)
        func result(_ name: String) -> (status: Int?, out: String, err: String) {
            let object = found[name] as? [String: Any] ?? [:]
            return (object["status"] as? Int, object["out"] as? String ?? "", object["err"] as? String ?? "")
        }
        for name in ["asked", "line"] {
            #expect(result(name).status == 0, "\(name): \(result(name))")
            #expect(result(name).out.count == 41, "\(name): \(result(name))")
        }
        #expect(result("refused").status == 126 && result("refused").err.contains("not permitted"))
        // It is there, and kept.
        #expect(found["shown"] as? Bool == true)
        for name in ["direct", "read", "copied", "interpreted"] {
            #expect(["EACCES", "EPERM"].contains(found[name] as? String ?? ""), "\(name): \(found[name] ?? "")")
        }
        #expect(found["linked"] as? String != "ok")
        #expect(result("loaded").status != 0, "\(result("loaded"))")
        let environment = result("environment").out
        #expect(environment.contains("GIVEN=by the rule\n"), "\(result("environment"))")
        for word in ["LD_PRELOAD", "EVIL", "PATH=/tmp"] { #expect(!environment.contains(word), "\(word)") }
        let flood = result("flood")
        #expect(flood.status == 137 && flood.out.utf8.count == 1024 && flood.err.contains("beyond 1K"), "\(flood)")
        let slow = result("slow")
        #expect(slow.status == 137 && slow.err.contains("not done within 500ms"), "\(slow)")
    }
}
