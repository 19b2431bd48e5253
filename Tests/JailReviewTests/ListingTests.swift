import JailCore
import TestSupport
import Testing

@testable import JailReview

@Suite struct ListingTests {
    @Test func `what was added, modified, removed and replaced is listed, and nothing else`() throws {
        let ground = try Ground(
            "echo one > a; echo two > b; echo same > c; mkdir d e; echo x > d/x; echo y > d/y; echo k > e/k; ln -s a l",
            "echo ONE > a; gone b; echo same > c; mkdir d; gone d/x; mkdir e; echo q > e/q; chmod 700 e; mkdir n; "
                + "echo m > n/m; echo file > l; ln -s e/k m")
        #expect(
            try ground.listed() == ["M a", "D b", "D d/x", "P e", "A e/q", "T l", "A m", "A n", "A n/m"])
    }

    @Test func `a directory that hides the one below says what it hides`() throws {
        let ground = try Ground(
            "mkdir d; echo x > d/x; echo y > d/y; mkdir d/s; echo z > d/s/z", "mkdir d; echo Y > d/y; echo n > d/n",
            opaque: ["d"])
        #expect(try ground.listed() == ["T d", "A d/n", "D d/s", "D d/s/z", "D d/x", "M d/y"])
        #expect(try ground.changes().allSatisfy { $0.isIndivisible && $0.unit.shown == "d" })
    }

    @Test func `a removed directory is listed with what was in it`() throws {
        let ground = try Ground("mkdir -p d/e; echo x > d/e/x", "gone d")
        #expect(try ground.listed() == ["D d", "D d/e", "D d/e/x"])
    }

    @Test func `what is neither file, directory nor link is refused`() throws {
        let ground = try Ground("", "mkfifo f; mkdir d; mkfifo d/g")
        #expect(try ground.changes().compactMap(\.refusal) == ["it is a FIFO", "it is a FIFO"])
        #expect(throws: JailError.self) { try ground.apply() }
        #expect(try ground.state() == "")
    }

    @Test(arguments: ["user.overlay.redirect", "user.overlay.metacopy", "user.overlay.whiteout"])
    func `what carries marks that were not made here is refused`(name: String) throws {
        let ground = try Ground("mkdir d", "mkdir d; echo x > f")
        for path in ["d", "f"] {
            let file = try System.open("\(ground.upper)/\(path)", .readOnly)
            try System.setAttribute(name, Array("/etc".utf8), of: file.borrowed)
        }
        #expect(try ground.changes().filter { $0.refusal?.contains(name) == true }.map(\.path.shown) == ["d", "f"])
    }

    @Test func `what a payload calls so is kept under another name, and means nothing`() throws {
        let ground = try Ground("", "echo x > f")
        let file = try System.open("\(ground.upper)/f", .readOnly)
        try System.setAttribute("user.overlay.overlay.redirect", Array("/etc".utf8), of: file.borrowed)
        #expect(try ground.changes().map(\.refusal) == [nil])
    }

    @Test func `a file with holes is not copied when it is larger than all changes may be`() throws {
        let ground = try Ground("", "truncate -s 1T huge; truncate -s 700K one; truncate -s 700K two")
        #expect(try ground.changes().map { $0.refusal != nil } == [true, false, false])
        #expect(throws: JailError.self) { try ground.apply(["one", "two"]) }
        #expect(try ground.state() == "")
        try ground.apply(["one"])
        #expect(ground.has("one"))
    }

    @Test(arguments: [
        (".git/hooks/pre-commit", true), (".git/config", true), (".git/objects/ab/cd", false), (".git/index", false),
        ("sub/.git/config", true), (".git", true), (".envrc", true), ("a/Makefile", true), ("package.json", true),
        (".github/workflows/ci.yml", true), (".vscode/tasks.json", true), ("src/main.c", false), ("README.md", false),
        ("rules.mk", true), ("GNUmakefile", true), ("repo/hooks/post-checkout", true),
    ]) func `what programs of the host's do as it says is marked`(path: String, marked: Bool) throws {
        let names = path.split(separator: "/").dropLast().joined(separator: "/")
        let ground = try Ground("", "mkdir -p './\(names)'; echo x > '\(path)'")
        let change = try #require(try ground.changes().first { $0.path.shown == path })
        #expect((change.runsOnHost != nil) == marked)
        guard marked else { return }
        // In whole only with a word of its own, or by its name.
        #expect(throws: JailError.self) { try ground.apply(all: false) }
        #expect(!ground.has(path))
    }

    @Test func `what can be executed is marked, and named it is applied`() throws {
        let ground = try Ground("", "mkdir d; echo x > d/tool; chmod 755 d/tool")
        #expect(throws: JailError.self) { try ground.apply(["d"], all: false) }
        try ground.apply(["d/tool"], all: false)
        #expect(try ground.read("d/tool") == "x\n")
    }

    @Test(arguments: [
        ("/etc/passwd", true), ("../x", true), ("a/../../x", true), ("a", false), ("../d/a", true), ("./a/../b", false),
    ]) func `a link that leads out is known by its text`(target: String, leadsOut: Bool) {
        #expect(LinkTarget.leadsOut(Array(target.utf8), from: FilePath(bytes: Array("l".utf8))) == leadsOut)
        #expect(!LinkTarget.leadsOut(Array("../a".utf8), from: FilePath(bytes: Array("d/l".utf8))))
    }

    @Test func `links that lead out are applied only when they are asked for`() throws {
        let ground = try Ground("", "ln -s /etc/passwd out; ln -s in ok; echo x > in")
        #expect(throws: JailError.self) { try ground.apply() }
        try ground.apply(["in", "ok"])
        #expect(try System.readLink(ground.workspace + "/ok") == "in")
        #expect(!ground.has("out"))
    }

    @Test func `no name writes to a terminal, and all come back from a file of lines`() throws {
        let path = FilePath(bytes: [0x61, 0x1B, 0x5B, 0x0A, 0x20, 0x25, 0xFF, 0x2F, 0x62])
        #expect(!path.shown.contains("\u{1B}") && !path.shown.contains("\n"))
        #expect(FilePath(escaped: path.escaped) == path)
        #expect(FilePath(escaped: FilePath.root.escaped) == .root)
        #expect(!path.escaped.contains(" ") && !path.escaped.contains("\n"))
        #expect(FilePath(escaped: "a%2") == nil && FilePath(escaped: "%zz") == nil)
        for text in ["", "..", "a/../b", "a//b", "/etc", "."] {
            #expect(throws: JailError.self) { try FilePath(argument: text) }
        }
        #expect(try FilePath(argument: "/workspace/a/b/").shown == "a/b")
    }
}
