import JailCore
import TestSupport
import Testing

@testable import JailReview

@Suite struct ApplyTests {
    static let before = "echo one > a; echo two > b; mkdir d e; echo x > d/x; echo y > d/y; echo k > e/k; ln -s a l"
    static let after =
        "echo ONE > a; chmod 640 a; gone b; mkdir d; echo Y > d/y; mkdir e; chmod 750 e; echo q > e/q; mkdir -p n/m; "
        + "echo m > n/m/f; rm -f l; ln -s d l"

    @Test func `what is applied is in the workspace, and no change any more`() throws {
        let ground = try Ground(Self.before, Self.after, opaque: ["d"])
        try ground.apply()
        #expect(
            try ground.state() == """
                a f 640\u{20}
                d d 755\u{20}
                d/y f 644\u{20}
                e d 750\u{20}
                e/k f 644\u{20}
                e/q f 644\u{20}
                l l 777 d
                n d 755\u{20}
                n/m d 755\u{20}
                n/m/f f 644\u{20}
                == ./a
                ONE
                == ./d/y
                Y
                == ./e/k
                k
                == ./e/q
                q
                == ./n/m/f
                m

                """)
        #expect(try ground.listed() == [])
        #expect(try ground.store.journal() == nil)
    }

    @Test func `set-user-id is not applied, nor are hard links and attributes`() throws {
        let ground = try Ground("echo x > a", "echo y > a; chmod 6755 a; echo z > b; ln b c; chmod 4711 b")
        let file = try System.open(ground.upper + "/b", .readOnly)
        try System.setAttribute("user.mine", [1], of: file.borrowed)
        try ground.apply()
        #expect(try System.status(ground.workspace + "/a").permissions == 0o755)
        let (b, c) = (try System.status(ground.workspace + "/b"), try System.status(ground.workspace + "/c"))
        #expect(b.permissions == 0o711 && b.identity != c.identity)
        let applied = try System.open(ground.workspace + "/b", .readOnly)
        #expect(try System.attributeNames(of: applied.borrowed) == [])
    }

    @Test(.needsRoot) func `what is new belongs to the directory's owner, what replaces something to that one's`()
        throws
    {
        let ground = try Ground("echo x > a; mkdir d", "echo y > a; mkdir d; echo n > d/n; mkdir d/s; echo t > d/s/t")
        try ground.shell("chown 1001:1002 a; chown 1003:1004 d", in: ground.workspace)
        try ground.remember()
        try ground.apply()
        for (name, uid, gid) in [("a", 1001, 1002), ("d/n", 1003, 1004), ("d/s", 1003, 1004), ("d/s/t", 1003, 1004)] {
            let status = try System.status("\(ground.workspace)/\(name)")
            #expect(status.uid == UInt32(uid) && status.gid == UInt32(gid), "\(name)")
        }
    }

    // MARK: In part

    @Test func `a part of something new is applied, and the rest stays a change`() throws {
        let ground = try Ground(
            "echo x > a", "echo y > a; mkdir -p n/m; echo 1 > n/m/one; echo 2 > n/two", opaque: ["n"])
        try ground.apply(["n/m/one"])
        #expect(try ground.read("n/m/one") == "1\n" && !ground.has("n/two") && ground.read("a") == "x\n")
        // The directory of the layer would have hidden what is in the workspace now.
        #expect(try ground.listed() == ["M a", "A n/two"])
        try ground.apply()
        #expect(try ground.read("n/two") == "2\n" && ground.read("a") == "y\n")
        #expect(try ground.listed() == [])
    }

    @Test func `a part of what was replaced as a whole is refused`() throws {
        let ground = try Ground("mkdir d; echo x > d/x", "mkdir d; echo y > d/y", opaque: ["d"])
        #expect(throws: JailError.self) { try ground.apply(["d/y"]) }
        #expect(throws: JailError.self) { try ground.discard(["d/y"]) }
        #expect(try ground.read("d/x") == "x\n")
        try ground.apply(["d"])
        #expect(!ground.has("d/x") && ground.has("d/y"))
    }

    @Test func `what is discarded is no change any more, and the workspace is untouched`() throws {
        let ground = try Ground(Self.before, Self.after, opaque: ["d"])
        let state = try ground.state()
        try ground.discard(["a", "b", "d", "e", "n/m"])
        #expect(try ground.listed() == ["M l", "A n"])
        try ReviewWork(ground.store).discardAll()
        #expect(try ground.listed() == [])
        #expect(try ground.state() == state)
    }

    @Test func `a deep tree without permissions can be discarded`() throws {
        let path = (0..<100).map { _ in "d" }.joined(separator: "/")
        let ground = try Ground(
            "", "mkdir -p \(path); (cd \(path); mkdir -p \(path)); mkdir c; echo x > c/x; chmod 0 c")
        #expect(try ground.changes().contains { $0.refusal == "it is nested too deeply" })
        try ReviewWork(ground.store).discardAll()
        #expect(try ground.listed() == [])
    }

    @Test func `what is not there, and what is no path, is said`() throws {
        let ground = try Ground("", "echo x > f")
        #expect(
            failure { () throws(JailError) in
                _ = try Selection(paths: [FilePath(argument: "g")]).choose(from: [])
            }?.reason == "nothing was changed there")
        #expect(throws: JailError.self) { try ground.apply(["g"]) }
    }
}
