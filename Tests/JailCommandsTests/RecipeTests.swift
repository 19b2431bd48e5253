import Foundation
import JailCommands
import JailCore
import JailPolicy
import Testing

/// The wrappers of docs/recipes, and what the shipped profile 'commands' lists: what they let through, and what not.
struct `Recipes for commands` {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// The recipe as it stands in the documentation, without its parents: commands are its own.
    private static func load(_ path: String) throws -> Profile {
        let text = try System.readFile("\(root)/\(path).json5")
        return try ProfileLoader.decode(
            try JSON5Reader.read(Array(text), file: "\(path).json5"), name: "recipe", home: nil)
    }

    private static let allowed: [(String, [String])] = [
        ("docs/recipes/project-tests", ["npm test", "npm run build", "/usr/bin/npm run lint"]),
        (
            "docs/recipes/safe-git",
            [
                "git add -- src/a.c .gitignore", "git add -- /workspace/a", "git commit -m fix", "git switch -c claw/x",
                "git push origin claw/fix-1", "git push -q origin claw/x",
            ]
        ),
        (
            "docs/recipes/journal",
            ["journalctl --no-pager -u openclaw.service -n 20", "journalctl --no-pager -u openclaw.service -n 500"]
        ),
        ("docs/recipes/git-inside", ["git hash-object --stdin"]),
        (
            "profiles/commands",
            [
                "npm test", "git status", "git status -s --branch", "git diff", "git diff --cached --stat",
                "git log -n 20 --oneline", "git log -n20", "git show", "git show HEAD~1 --stat",
            ]
        ),
    ]

    private static let refused: [(String, [String])] = [
        (
            "docs/recipes/project-tests",
            [
                "npm", "npm install", "npm run evil", "npm run build -- x", "npm test --prefix /x", "npm exec x",
                "node -e x",
                "sh -c id", "./npm test", "npx x", "npm run build lint",
            ]
        ),
        (
            "docs/recipes/safe-git",
            [
                "git push", "git push origin main", "git push origin claw/x:main", "git push origin +claw/x",
                "git push --force origin claw/x", "git push origin claw/x -f", "git push -qf origin claw/x",
                "git push origin --delete claw/x", "git push origin claw/x --mirror", "git push --forc origin claw/x",
                "git push https://example.org/x claw/x", "git push upstream claw/x", "git push origin claw/x claw/y",
                "git push origin refs/heads/claw/x", "git push --receive-pack=sh origin claw/x",
                "git -c core.sshCommand=x push origin claw/x", "git -C /other push origin claw/x", "git switch -c main",
                "git switch main", "git switch -C claw/x", "git commit --amend -m x", "git commit -m x --no-verify",
                "git commit", "git commit -m -x", "git add -A", "git add a", "git add -- ../x", "git add -- :/",
                "git add -- /etc/passwd", "git config core.hooksPath x", "git reset --hard", "git clone x",
            ]
        ),
        (
            "docs/recipes/journal",
            [
                "journalctl", "journalctl -u openclaw.service -n 20", "journalctl --no-pager -u ssh.service -n 20",
                "journalctl --no-pager -u openclaw.service", "journalctl --no-pager -u openclaw.service -n 501",
                "journalctl --no-pager -u openclaw.service -n 20 -f", "journalctl --no-pager -u openclaw.service -n20",
                "journalctl --no-pager -u openclaw.service -u ssh.service -n 20", "journalctl --no-pager -D /x -n 20",
                "journalctl -n 20 --no-pager -u openclaw.service", "journalctl --no-pager -u openclaw.service -n +20",
                "journalctl --no-pager -u openclaw.service -n 20 --vacuum-size=1",
            ]
        ),
        (
            "docs/recipes/git-inside",
            ["git status", "git hash-object x", "git hash-object -w --stdin", "git hash-object --stdin-paths"]
        ),
        (
            "profiles/commands",
            [
                "npm install", "npm run x", "npm", "npx x", "node x", "sh", "bash -c id", "git", "git push",
                "git commit -m x",
                "git -c core.pager=x status", "git -C /x status", "git --git-dir=/x status",
                "git --exec-path=/x status",
                "git status --ignored", "git diff --output=x", "git diff --ext-diff", "git diff HEAD", "git log -p",
                "git log --output=x", "git log -n 0", "git log -n 201", "git show HEAD:secret", "git show main",
                "git show HEAD HEAD", "git status status", "git config -l", "git difftool", "git grep -O x",
            ]
        ),
    ]

    @Test(arguments: allowed) func `let through what they are for`(recipe: String, lines: [String]) throws {
        let policy = CommandPolicy(try Self.load(recipe).commands)
        for line in lines { #expect(policy.allows(line), "\(line): \(policy.answer(line))") }
    }

    @Test(arguments: refused) func `and nothing else`(recipe: String, lines: [String]) throws {
        let policy = CommandPolicy(try Self.load(recipe).commands)
        for line in lines { #expect(!policy.allows(line), "\(line)") }
    }

    /// What a person cannot be asked about either.
    @Test func `force and main are forbidden, and not only unlisted`() throws {
        let policy = CommandPolicy(try Self.load("docs/recipes/safe-git").commands)
        for line in ["git push --force origin claw/x", "git push origin main", "git push origin claw/x --delete"] {
            #expect(policy.answer(line).hasPrefix("forbidden"), "\(line)")
        }
        let shipped = CommandPolicy(try Self.load("profiles/commands").commands)
        for line in ["git -c core.pager=x status", "git --git-dir=/x status"] {
            #expect(shipped.answer(line).hasPrefix("forbidden"), "\(line)")
        }
    }

    @Test func `what the workspace decides runs in jails of its own`() throws {
        for name in ["docs/recipes/project-tests", "docs/recipes/safe-git", "profiles/commands"] {
            for rule in try Self.load(name).commands.rules {
                guard case .profile = rule.place else {
                    Issue.record("\(name): \(rule.shown)")
                    continue
                }
            }
        }
    }

    @Test func `the jail for pushes reaches one repository, and the token goes nowhere else`() throws {
        let profile = try Self.load("docs/recipes/git-push")
        let policy = NetworkPolicy(profile.network)
        func allows(_ method: String, _ url: String) throws -> Bool {
            if case .allow = policy.decide(try NetworkSubject.parse([method, url]).question) { return true }
            return false
        }
        #expect(try allows("GET", "https://github.com/acme/site.git/info/refs"))
        #expect(try allows("POST", "https://github.com/acme/site.git/git-receive-pack"))
        for (method, url) in [
            ("GET", "https://github.com/acme/other.git/info/refs"),
            ("POST", "https://github.com/acme/other.git/git-receive-pack"), ("GET", "https://example.org/"),
            ("POST", "https://github.com/login"), ("GET", "https://github.com/acme/site.git/config"),
        ] { #expect(try !allows(method, url), "\(method) \(url)") }
        try profile.secrets.check(profile.network, profile.process)
    }
}
