import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailCommands
@testable import JailLaunch

struct `Packets between supervisor, runner and keeper` {
    static let orders: [RunnerOrder] = [
        .run(1, CommandCallOrder(rule: 0, words: [])),
        .run(
            .max,
            CommandCallOrder(rule: 63, words: ["a=b", "=", "ä ö", "word=x"], terminal: .init(rows: 0, columns: .max))),
        .signal(3, 15), .resize(4, .init(rows: 24, columns: 80)), .end(5),
    ]

    @Test(arguments: orders) func `an order is read as it was written`(order: RunnerOrder) throws {
        #expect(RunnerOrder(try #require(order.bytes)) == order)
    }

    @Test func `the longest call that may be is an order`() throws {
        let word = String(repeating: "x", count: CommandVector.mostBytes / CommandVector.mostWords - 1)
        let order = RunnerOrder.run(
            1, CommandCallOrder(rule: 1, words: Array(repeating: word, count: CommandVector.mostWords - 1)))
        #expect(RunnerOrder(try #require(order.bytes)) == order)
        let long = RunnerOrder.run(1, CommandCallOrder(rule: 1, words: [String(repeating: "x", count: 100_000)]))
        #expect(long.bytes == nil)
        #expect(RunnerOrder.run(1, CommandCallOrder(rule: 1, words: ["a\0b"])).bytes == nil)
    }

    @Test(arguments: [
        "", "\0", "run\0", "run\0number=1\0", "run\0number=1\0rule=0", "run\0number=1\0rule=-\0",
        "run\0number=01\0rule=0\0",
        "run\0number=1\0rule=+0\0", "run\0number=1\0rule=0\0rows=1\0", "run\0number=1\0rule=0\0path=/bin/sh\0",
        "run\0rule=0\0number=1\0", "run\0number=4294967296\0rule=0\0", "run\0number=1\0rule=0\0rows=1\0columns=70000\0",
        "signal\0number=1\0", "signal\0number=1\0signal=256\0", "resize\0number=1\0", "end\0", "end\0number=1\0x=1\0",
        "end\0number=1\0number=1\0", "END\0number=1\0", "run\0number=1\0word=a\0rule=0\0",
    ])
    func `nothing else is an order`(text: String) { #expect(RunnerOrder(Array(text.utf8)) == nil) }

    static let reports: [CommandRunnerReport] = [
        .ready, .unable("why"), .jail(7, "chat-npm-1"), .report(.ended(1, status: 0, note: nil)),
        .report(.ended(2, status: 255, note: "it was long")), .report(.failed(3, status: 126, reason: "no")),
    ]

    @Test(arguments: reports) func `a report is read as it was written`(report: CommandRunnerReport) throws {
        #expect(CommandRunnerReport(try #require(report.bytes)) == report)
    }

    @Test(arguments: [
        "", "ready\0x=1\0", "ended\0number=1\0", "ended\0number=1\0status=256\0", "ended\0number=1\0status=-1\0",
        "failed\0number=1\0status=1\0", "jail\0number=1\0", "jail\0number=1\0name=\0", "made\0number=1\0status=0\0",
    ])
    func `nothing else is a report`(text: String) { #expect(CommandRunnerReport(Array(text.utf8)) == nil) }
}

struct `Paths among the words of a command` {
    private let directory: TemporaryDirectory
    private let rule: CommandRule
    private var root: String { "\(directory.path)/root" }

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["root", "root/sub", "other"] { try directory.directory(name) }
        try directory.file("root/sub/file")
        try directory.file("other/file")
        let root = "\(directory.path)/root"
        for (name, target) in [
            ("inner", "sub/file"), ("up", "../other/file"), ("far", "/etc/passwd"), ("nothing", "../other/new"),
            ("sub/again", "../../other"), ("self", "/proc/self/root"),
        ] { try System.makeSymlink("\(root)/\(name)", to: target) }
        var rule = CommandRule(name: "cat", program: "/usr/bin/cat")
        rule.workingDirectory = root
        rule.arguments = [CommandArgument(.below(root), least: 0, most: 4)]
        var flag = CommandFlag(["-o", "--out"])
        flag.value = .below(root)
        flag.form = .either
        rule.flags = [flag]
        self.rule = rule
    }

    private func refusal(_ words: [String]) -> String? {
        do throws(CommandFailure) {
            try CommandPaths(rule).check(words)
            return nil
        } catch { return error.reason }
    }

    @Test func `those that stay below their root pass`() {
        for word in ["sub/file", "inner", "sub", "new", "sub/new", "new/new/new"] {
            #expect(refusal([word]) == nil, "\(word)")
            #expect(refusal(["\(root)/\(word)"]) == nil)
            #expect(refusal(["--out=\(word)", "-o\(root)/\(word)"]) == nil)
        }
        #expect(refusal([root]) == nil)
    }

    @Test func `those that a symlink leads out do not`() {
        for word in ["up", "far", "nothing", "sub/again/file", "sub/again", "self", "self/etc/passwd"] {
            for spelling in [word, "\(root)/\(word)", "--out=\(word)", "-o\(root)/\(word)"] {
                #expect(refusal(["sub/file", spelling]) != nil, "\(spelling)")
            }
        }
    }

    @Test func `a root that became a symlink is none`() throws {
        try System.rename(root, to: "\(directory.path)/was")
        try System.makeSymlink(root, to: "other")
        #expect(refusal(["\(root)/file"])?.contains("a symlink is on the way") == true)
    }
}

struct `Programs that are run on the host` {
    private let directory: TemporaryDirectory
    private let path: String

    init() throws {
        directory = try TemporaryDirectory(mode: 0o755)
        path = try directory.file("program", "#!/bin/sh\necho yes\n")
        try System.changeMode(path, 0o755)
    }

    private static let digest = "29fd0e1f21d3a3b1a7d1a9ee7d61ea3d8ab9d1b1b2f4b1f1d2e1d2c3b4a59687"

    private func refusal(user: UInt32 = System.effectiveUserID, digest: String? = nil) -> String? {
        do throws(CommandFailure) {
            _ = try CommandProgram(path, user: user, digest: digest)
            return nil
        } catch { return error.reason }
    }

    @Test func `one that nobody else can write to is opened`() { #expect(refusal() == nil) }

    @Test func `one that others can write to is not`() throws {
        for mode in [0o757, 0o775] as [UInt32] {
            try System.changeMode(path, mode)
            // Of root's group only root is.
            let isFine = try mode == 0o775 && System.status(path).gid == 0
            #expect((refusal() == nil) == isFine, "\(mode)")
        }
    }

    @Test(.needsRoot) func `one of another user is not`() throws {
        let file = try System.open(path, .readOnly)
        try System.changeOwner(file.borrowed, uid: 61_234, gid: 61_234)
        #expect(refusal(user: 61_235) != nil && refusal(user: 61_234) == nil)
    }

    @Test func `what is no program, not there, or behind a symlink, is not run`() throws {
        try System.changeMode(path, 0o644)
        #expect(refusal()?.contains("is not a program") == true)
        try System.unlink(path)
        #expect(refusal()?.contains("is not there") == true)
        try System.makeSymlink(path, to: "/bin/true")
        #expect(refusal()?.contains("a symlink is on the way") == true)
        try System.unlink(path)
        try directory.directory("program")
        #expect(refusal() != nil)
    }

    @Test func `a digest is that of the file`() throws {
        #expect(refusal(digest: Self.digest)?.contains("sha256") == true)
        let sum = try Program.run("/usr/bin/sha256sum", [path]).output
        #expect(refusal(digest: String(sum.prefix(64))) == nil)
        let added = try System.open(path, [.writeOnly, .append])
        try System.writeAll(added.borrowed, "#")
        #expect(refusal(digest: String(sum.prefix(64))) != nil)
    }

    @Test func `clawjail itself is the file that has started the jail`() throws {
        let identity = try System.status(path).identity
        #expect(throws: Never.self) { try CommandProgram(launcher: path, identity: identity) }
        let copy = try directory.file("new", "x")
        try System.rename(copy, to: path)
        #expect(throws: CommandFailure.self) { try CommandProgram(launcher: path, identity: identity) }
    }
}
