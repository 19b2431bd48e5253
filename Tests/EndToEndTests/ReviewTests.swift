import Foundation
import Glibc
import Testing

/// What a jail does to a workspace that is to be reviewed, and what becomes of it.
@Suite struct ReviewTests {
    /// A workspace that belongs to the payload's user, and a jail for it.
    struct Ground {
        let jail: Jail
        let workspace: String

        init(_ caller: Caller, _ fill: String, size: String = "50M") throws {
            workspace = try Scratch.directory("reviewed")
            try shell("cd \"$1\"; umask 022; \(fill)", workspace)
            if Host.isRoot {
                let user = try Host.user.get()
                try shell("chown -R \"$2:$3\" \"$1\"", workspace, "\(user.uid)", "\(user.gid)")
            }
            jail = try Jail(
                caller,
                Profiles.session(
                    "filesystem: { workspace: { source: '\(workspace)', mode: 'review', size: '\(size)' } }"))
        }

        func changes(_ words: String...) throws -> Finished { try jail.start(words: ["changes"] + words).wait() }

        func list() throws -> [String] {
            try changes("list", jail.name).lines.dropFirst().map { line in
                let words = line.split(separator: " ")
                return "\(words[0]) \(words.dropFirst().first { Int($0) == nil && $0 != "-" && $0 != "→" } ?? "")"
            }
        }

        func state() throws -> String {
            try output(
                "cd \"$1\"; find . | LC_ALL=C sort; find . -type f ! -path './.git/*' | LC_ALL=C sort | xargs cat")
        }

        func output(_ script: String) throws -> String {
            let process = Process()
            let pipe = Pipe()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-c", script, "sh", workspace]
            process.standardOutput = pipe
            try process.run()
            let text = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
            process.waitUntilExit()
            return text
        }

        func remove() { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/changes/\(jail.name)") }
    }

    static let fill = "echo one > a; echo two > b; mkdir d; echo x > d/x; ln -s a l"

    @Test(arguments: Caller.all)
    func `nothing reaches the host before it is applied, and then all of it does`(caller: Caller) throws {
        let ground = try Ground(caller, Self.fill)
        defer { ground.remove() }
        let before = try ground.state()
        let first = try ground.jail.script(
            "cd /workspace; cat a d/x; echo ONE > a; rm b; rm -r d; mkdir -p n/m; echo new > n/m/f; ln -sf n l; pwd")
        #expect(first.lines == ["one", "x", "/workspace"], "\(first.errors)")
        #expect(try ground.state() == before)
        #expect(try ground.list() == ["M a", "D b", "D d/", "D d/x", "M l", "A n/", "A n/m/", "A n/m/f"])
        // The next start goes on where this one has ended.
        let second = try ground.jail.script("cd /workspace; cat a n/m/f; ls; echo more > n/more")
        #expect(second.lines == ["ONE", "new", "a", "l", "n"], "\(second.errors)")
        let shown = try ground.changes("list", ground.jail.name, "--diff", "a")
        #expect(shown.text.contains("-one\n+ONE"), "\(shown.text)\(shown.errors)")
        let part = try ground.changes("apply", ground.jail.name, "a", "n/m")
        #expect(part.text == "applied 3 changes\n", "\(part.errors)")
        #expect(try ground.output("cat \"$1/a\" \"$1/b\" \"$1/n/m/f\"; ls \"$1/n\"") == "ONE\ntwo\nnew\nm\n")
        #expect(try ground.changes("discard", ground.jail.name, "b").status == 0)
        #expect(try ground.changes("apply", ground.jail.name).status == 0)
        #expect(
            try ground.output("cd \"$1\"; find . | LC_ALL=C sort")
                == ".\n./a\n./b\n./l\n./n\n./n/m\n./n/m/f\n./n/more\n")
        #expect(try ground.changes("list", ground.jail.name).errors.contains("nothing was changed"))
        let log = AuditLogFiles(jail: ground.jail)
        defer { log.remove() }
        let records = try log.records().filter { $0["event"] as? String == "changes" }
        #expect(
            records.compactMap { $0["action"] as? String } == [
                "apply", "applied", "discard", "discarded", "apply", "applied",
            ])
        #expect(records.first?["paths"] as? [String] == ["M a", "A n/m", "A n/m/f"])
        #expect(try log.report().kinds.isEmpty)
    }

    @Test(arguments: Caller.all) func `what cannot be recorded is not applied`(caller: Caller) throws {
        let ground = try Ground(caller, Self.fill)
        defer { ground.remove() }
        _ = try ground.jail.script("echo ONE > /workspace/a")
        let log = AuditLogFiles(jail: ground.jail)
        try FileManager.default.removeItem(atPath: log.directory)
        try Data().write(to: URL(fileURLWithPath: log.directory))
        defer { log.remove() }
        #expect(try ground.changes("apply", ground.jail.name).errors.contains("audit"))
        #expect(try ground.output("cat \"$1/a\"") == "one\n")
    }

    @Test(arguments: Caller.all)
    func `what was changed on the host meanwhile is not written over`(caller: Caller) throws {
        let ground = try Ground(caller, Self.fill)
        defer { ground.remove() }
        _ = try ground.jail.script("cd /workspace; echo ONE > a; echo TWO > b")
        try shell("echo other > \"$1/a\"", ground.workspace)
        let refused = try ground.changes("apply", ground.jail.name)
        #expect(refused.status == 123 && refused.errors.contains("'a': it was changed meanwhile"), "\(refused.errors)")
        #expect(try ground.output("cat \"$1/a\" \"$1/b\"") == "other\ntwo\n")
        #expect(try ground.changes("list", ground.jail.name).text.contains("CONFLICT"))
        #expect(try ground.changes("discard", ground.jail.name).status == 0)
        #expect(try ground.jail.script("cat /workspace/a").text == "other\n")
    }

    @Test(arguments: Caller.all)
    func `a jail that runs is not applied, and one that writes too much is ended`(caller: Caller) throws {
        let ground = try Ground(caller, Self.fill, size: "2M")
        defer { ground.remove() }
        let running = try ground.jail.start(
            command: ["/bin/sh", "-c", "echo x > /workspace/x; head -c 8M /dev/zero > /workspace/big; sleep 20"])
        var wasRefused = false
        for _ in 0..<200 where !wasRefused {
            let answer = try ground.changes("apply", ground.jail.name)
            wasRefused = answer.errors.contains("is running")
            if !wasRefused { usleep(20_000) }
        }
        #expect(wasRefused)
        let ended = try running.wait()
        #expect(
            ended.errors.contains("filesystem.workspace.size") || ended.errors.contains("size limit 2M of /workspace"))
        #expect(ended.status != 0)
    }

    @Test(.enabled(if: Host.path(of: "git") != nil), arguments: Caller.all)
    func `git works in it, and what it could execute is not applied unseen`(caller: Caller) throws {
        let ground = try Ground(caller, "echo one > a; mkdir old; echo m > old/m")
        defer { ground.remove() }
        var jail = ground.jail
        jail.profile = try Jail(
            caller,
            Profiles.session(
                "process: { programs: ['git'] }, filesystem: { root: 'host', workspace: { source: '\(ground.workspace)', mode: 'review', size: '50M' } }"
            )
        ).profile
        let script = """
            cd /workspace; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=/tmp
            git init -q . && git add . && git commit -qm one && git checkout -qb side && echo two > a && git commit -qam two
            git checkout -q - && cat a && git merge -q side && cat a && git mv old/m old/n && git status --short
            mkdir -p node_modules/.p && echo x > node_modules/.p/i && mv node_modules/.p node_modules/p && ls node_modules
            mv old new || echo copied; ls new
            """
        let worked = try jail.script(script)
        #expect(
            worked.lines == ["one", "two", "R  old/m -> old/n", "p", "n"], "\(worked.text)\(worked.errors)")
        let refused = try ground.changes("apply", jail.name)
        #expect(refused.status == 123 && refused.errors.contains("runs on the host"), "\(refused.errors)")
        #expect(try ground.output("ls -A \"$1\"") == "a\nold\n")
        let applied = try ground.changes("apply", jail.name, "--all")
        #expect(applied.status == 0, "\(applied.errors)")
        #expect(try ground.output("cat \"$1/a\"; ls \"$1/new\" \"$1/.git/HEAD\"").contains("two"))
    }
}
