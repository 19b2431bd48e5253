import JailCore
import TestSupport
import Testing

@testable import JailReview

@Suite struct ConflictTests {
    /// What somebody does meanwhile, and what it is in the way of.
    @Test(arguments: [
        ("echo other > a", "a"), ("touch -d '2001-01-01' a", "a"), ("chmod 600 a", "a"), ("rm a", "a"),
        ("rm a; ln -s b a", "a"), ("echo other > n", "n"), ("echo new > d/new", "d"), ("chmod 700 d", "d"),
        ("mkdir n", "n"), ("cp -p a c; mv c a", "a"), ("rm -r e; echo x > e", "e"),
    ]) func `what was changed meanwhile is not written over, and nothing is applied`(meanwhile: String, name: String)
        throws
    {
        let ground = try Ground(
            "echo one > a; echo two > b; mkdir d e; echo x > d/x; echo k > e/k",
            "echo ONE > a; echo new > n; gone d; echo TWO > b; mkdir e; echo q > e/q")
        try ground.shell(meanwhile, in: ground.workspace)
        let state = try ground.state()
        let error = #expect(throws: JailError.self) { try ground.apply() }
        #expect(error?.path?.hasPrefix(name) == true, "\(String(describing: error))")
        #expect(error?.status == ExitStatus.refused)
        #expect(try ground.state() == state)
        // What nobody else has touched can be applied by itself.
        try ground.apply(["b"])
        #expect(try ground.read("b") == "TWO\n")
    }

    @Test func `what is exchanged between the look and the step is put back`() throws {
        let ground = try Ground("echo one > a; echo two > b", "echo ONE > a; echo TWO > b; echo new > n")
        let state = try ground.state().replacing("two", with: "other")
        var isDone = false
        #expect(throws: JailError.self) {
            try ground.apply {
                // As soon as everything is ready.
                guard !isDone, (try? ground.store.journal())??.state == .ready else { return }
                isDone = true
                try? ground.shell("echo other > c; mv c b", in: ground.workspace)
            }
        }
        #expect(isDone)
        #expect(try ground.state() == state)
        #expect(try ground.listed() == ["M a", "M b", "A n"])
        #expect(try ground.store.journal() == nil)
    }

    @Test func `a later start knows what changes began from, and looks anew at all else`() throws {
        let ground = try Ground("echo one > a; echo two > b; mkdir d; echo x > d/x", "echo ONE > a; gone d")
        try ground.shell("echo other > a; echo other > b; echo n > d/n", in: ground.workspace)
        let earlier = try #require(try ground.store.manifest())
        try ground.remember()
        let now = try #require(try ground.store.manifest())
        let kept = now.keeping(earlier, of: try ground.changes())
        for name in ["a", "d", "d/x", "d/n"] {
            let path = try FilePath(argument: name)
            #expect(kept.entries[path] == earlier.entries[path], "\(name)")
        }
        let b = try FilePath(argument: "b")
        #expect(kept.entries[b] == now.entries[b])
        #expect(Manifest(Array(kept.text.utf8)) == kept)
        try ground.store.write(kept)
        #expect(throws: JailError.self) { try ground.apply() }
    }

    @Test func `a manifest or a journal that is cut off is refused`() throws {
        let ground = try Ground("echo one > a", "echo ONE > a")
        let text = Array(try #require(try ground.store.manifest()).text.utf8)
        let journal = Journal(
            state: .ready, target: "/a b", root: 7, staging: ".clawjail-apply-0123456789abcdef", stagingInode: 9,
            steps: [Journal.Step(action: .swap, path: try FilePath(argument: "x"), index: 0, new: 3)],
            prune: [.root], reveal: [try FilePath(argument: "y z")],
            restore: [Journal.Mode(path: try FilePath(argument: "m"), mode: 0o755)])
        let written = Array(journal.text.utf8)
        #expect(Journal(written) == journal)
        for cut in 0..<(written.count - 1) { #expect(Journal(Array(written.prefix(cut))) == nil) }
        for cut in 0..<(text.count - 1) { #expect(Manifest(Array(text.prefix(cut))) == nil) }
        for name in ["../../etc", ".clawjail-apply-", ".clawjail-apply-0123456789abcd/f", "x"] {
            #expect(!Journal.isStagingName(name))
        }
    }

    @Test func `another directory in the place of the workspace is left alone`() throws {
        let ground = try Ground("echo one > a", "echo ONE > a")
        try ground.shell("mv workspace old; mkdir workspace; echo one > workspace/a", in: ground.directory.path)
        #expect(throws: JailError.self) { try ground.apply() }
        #expect(try ground.read("a") == "one\n")
        try ReviewWork(ground.store).discardAll()
    }
}
