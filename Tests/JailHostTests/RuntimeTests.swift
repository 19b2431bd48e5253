import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct RuntimeTests {
    @Test(arguments: [
        ("python3.11", "python", "3.11"), ("python3", "python", "3"), ("python", "python", ""), ("node", "node", ""),
        ("perl5.36.0", "perl", "5.36.0"), ("git", "git", ""),
    ])
    func `a real name leads to its row`(name: String, row: String, version: String) throws {
        let found = try #require(Runtime.matching(name))
        #expect(found.runtime.name == row)
        #expect(found.version == version)
    }

    @Test func `other programs have no row`() {
        for name in ["sh", "pythonish", "nodejs-helper", "3.11", "", "gitk"] { #expect(Runtime.matching(name) == nil) }
    }

    @Test(.enabled(if: isThere("/usr/bin/python3")))
    func `python brings its standard library and what its modules need`() throws {
        let closure = try resolve(["python3"], ["python3"])
        #expect(closure.shows("/usr/lib/python3.11") || !isThere("/usr/lib/python3.11"))
        #expect(closure.shows("/usr/lib/python3"))
        #expect(
            closure.files.contains { $0.path.contains("/libssl.so") }
                || !isThere("/usr/lib/x86_64-linux-gnu/libssl.so.3"))
        #expect(closure.symlinks.contains { $0.path == "/usr/bin/python3" })
    }

    @Test func `a python elsewhere brings the tree of its own prefix`() throws {
        let directory = try TemporaryDirectory()
        let python = try directory.file("opt/bin/python3", bytes: try selfContained(), mode: 0o755)
        try directory.file("opt/lib/python3.12/os.py")
        try directory.file("env/pyvenv.cfg", "home = \(directory.path)/opt/bin\n")
        try directory.file("env/lib/python3.12/site-packages/x.py")
        try directory.directory("env/bin")
        let inside = try directory.symlink("env/bin/python3", to: python)
        let closure = try resolve([python], [python])
        #expect(closure.shows(directory.path + "/opt/lib/python3.12"))
        let environment = try resolve([inside], [inside])
        #expect(environment.shows(directory.path + "/opt/lib/python3.12"))
        #expect(environment.shows(directory.path + "/env/pyvenv.cfg"))
        #expect(environment.shows(directory.path + "/env/lib"))
        #expect(environment.hasSymlink(inside, python))
    }

    @Test(.enabled(if: isThere("/usr/lib/git-core")))
    func `git brings its own programs and the libraries of its https helper`() throws {
        let closure = try resolve(["git"], ["git"])
        #expect(closure.files.contains { $0.path == "/usr/lib/git-core" && $0.isExecutable })
        #expect(closure.files.contains { $0.path.contains("/libcurl") })
    }

    @Test(.enabled(if: isThere("/usr/bin/perl"))) func `perl brings its standard modules`() throws {
        let closure = try resolve(["perl"], ["perl"])
        #expect(closure.files.contains { $0.path.hasSuffix("/perl-base") && $0.isDirectory })
    }

    @Test(.enabled(if: isThere("/usr/bin/node"))) func `node brings no trees of its own`() throws {
        let closure = try resolve(["node"], ["node"])
        #expect(
            !closure.files.contains { $0.isDirectory && $0.path.hasPrefix("/usr/share") }
                || isThere("/usr/share/nodejs"))
    }

    @Test func `a script from node_modules brings the outermost tree`() throws {
        let directory = try TemporaryDirectory()
        let script = try directory.file(
            "lib/node_modules/claw/node_modules/inner/cli.mjs", "#!/usr/bin/perl\n", mode: 0o755)
        try directory.file("lib/node_modules/claw/package.json", "{}")
        try directory.directory("bin")
        let command = try directory.symlink("bin/claw", to: script)
        let closure = try resolve(["claw"], ["claw"], searchPath: directory.path + "/bin:/usr/bin")
        #expect(closure.commandPath == command)
        #expect(closure.shows(directory.path + "/lib/node_modules"))
        #expect(!closure.shows(script))
        #expect(closure.programs.first?.realPath == script)
    }

    /// A program that needs no libraries.
    func selfContained() throws -> [UInt8] {
        var bytes = SmallElf().bytes
        // Two program headers instead of three or more: no interpreter, no dynamic section.
        bytes[56] = 1
        return bytes
    }
}

@Suite struct EntryTests {
    @Test func `a script is shown alone, or with the package around it`() throws {
        let directory = try TemporaryDirectory()
        let alone = try directory.file("alone/script.pl", "print 1;\n")
        let closure = try resolve(["perl"], ["perl", "-w", alone, "argument"])
        #expect(closure.entry?.path == alone)
        #expect(closure.entry?.isDirectory == false)
        #expect(closure.commandArguments == ["-w", alone, "argument"])
        try directory.file("package/package.json", "{}")
        let packaged = try directory.file("package/dist/main.pl")
        #expect(try resolve(["perl"], ["perl", packaged]).entry?.path == directory.path + "/package")
        let module = try directory.file("package/node_modules/x/main.pl")
        #expect(try resolve(["perl"], ["perl", module]).entry?.path == directory.path + "/package/node_modules")
    }

    @Test func `a relative path and a symlink become the canonical path`() throws {
        let directory = try TemporaryDirectory()
        let script = try directory.file("project/script.pl")
        try directory.symlink("link.pl", to: "project/script.pl")
        let closure = try resolve(["perl"], ["perl", "../link.pl"], from: directory.path + "/project")
        #expect(closure.commandArguments == [script])
        #expect(closure.entry?.path == script)
    }

    @Test func `the tree is never a home directory or one with keys in it`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("home/package.json", "{}")
        let script = try directory.file("home/script.pl")
        #expect(try resolve(["perl"], ["perl", script], homes: [directory.path + "/home"]).entry?.path == script)
        try directory.file("keys/package.json", "{}")
        try directory.directory("keys/.ssh")
        let other = try directory.file("keys/script.pl")
        #expect(try resolve(["perl"], ["perl", other]).entry?.path == other)
        let secret = try directory.file("home/.ssh/id.pl")
        #expect(throws: JailError.self) {
            _ = try resolve(["perl"], ["perl", secret], homes: [directory.path + "/home"])
        }
    }

    @Test func `a socket in the tree is refused`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("package/package.json", "{}")
        let script = try directory.file("package/script.pl")
        let listener = try System.makeUnixSocket(.stream)
        try System.bind(listener.borrowed, path: directory.path + "/package/socket")
        let error = failure { () throws(JailError) in _ = try resolve(["perl"], ["perl", script]) }
        #expect(error?.description.contains("holds a socket") == true)
    }

    @Test func `a script in a shown directory keeps to its place inside`() throws {
        let directory = try TemporaryDirectory()
        let script = try directory.file("project/src/script.pl")
        let closure = try resolve(["perl"], ["perl", script]) {
            $0.filesystem.read = [BindRule(source: directory.path + "/project", target: "/opt")]
        }
        #expect(closure.entry == nil)
        #expect(closure.commandArguments == ["/opt/src/script.pl"])
    }

    @Test(
        arguments: [
            ("node", ["app.js", "x"], 0), ("node", ["--inspect", "app.js"], 1), ("node", ["-r", "mod", "app.js"], 2),
            ("node", ["-e", "code", "app.js"], nil), ("python3", ["-m", "http.server"], nil),
            ("python3.11", ["-u", "a.py"], 1),
            ("bash", ["-c", "ls"], nil), ("bash", ["-o", "pipefail", "a.sh"], 2), ("sh", ["--", "-odd"], 1),
            ("sh", ["-"], nil),
            ("deno", ["run", "-A", "a.ts"], 2), ("perl", [], nil),
        ] as [(String, [String], Int?)])
    func `the script is the first argument that is no option`(name: String, arguments: [String], index: Int?) throws {
        #expect(try #require(InterpreterSyntax.matching(name)).scriptIndex(arguments) == index)
    }

    @Test func `a program that is no interpreter has no script`() {
        #expect(InterpreterSyntax.matching("env") == nil)
        #expect(InterpreterSyntax.matching("nodemon") == nil)
    }
}
