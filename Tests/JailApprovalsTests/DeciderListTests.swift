import JailApprovals
import JailCore
import TestSupport
import Testing

struct `The list of deciders` {
    private static let accounts = Accounts(
        passwd: Array(
            """
            root:x:0:0::/root:/bin/sh
            ann:x:1001:100::/home/ann:/bin/sh
            bob:x:1002:200::/home/bob:/bin/sh
            claw:x:900:900::/srv:/bin/false

            """.utf8))
    private static let groups = AccountGroups(group: Array("ops:x:200:\nchat:x:300:ann,carl\nbroken:x\n".utf8))

    private static func role(
        _ text: String, of uid: UInt32, owner: UInt32 = 900, groups: AccountGroups = groups
    ) throws -> ApprovalRole? {
        try DeciderList(Array("{ deciders: [\(text)] }".utf8), file: "deciders.json5")
            .role(of: uid, forJailsOf: owner, accounts, groups)
    }

    @Test func `a user or a group has the role that stands there, and nobody else has one`() throws {
        #expect(try Self.role("{ user: 'ann', role: 'approver' }", of: 1001) == .approver)
        #expect(try Self.role("{ user: 1001, role: 'viewer' }", of: 1001) == .viewer)
        #expect(try Self.role("{ user: 'ann', role: 'approver' }", of: 1002) == nil)
        #expect(try Self.role("{ group: 'chat', role: 'operator' }", of: 1001) == .operator)
        #expect(try Self.role("{ group: 'ops', role: 'operator' }", of: 1002) == .operator, "their own group")
        #expect(try Self.role("{ group: 'ops', role: 'operator' }", of: 1001) == nil)
    }

    @Test func `who has left a group is in it no longer`() throws {
        let left = AccountGroups(group: Array("chat:x:300:carl\n".utf8))
        #expect(try Self.role("{ group: 'chat', role: 'admin' }", of: 1001, groups: left) == nil)
    }

    @Test func `an entry for one owner is for their jails, and the first that fits counts`() throws {
        let text = """
            { user: 'ann', role: 'viewer', owner: 'bob' }, { group: 'chat', role: 'operator', owner: 'claw' },
            { user: 'ann', role: 'admin' }
            """
        #expect(try Self.role(text, of: 1001, owner: 1002) == .viewer)
        #expect(try Self.role(text, of: 1001, owner: 900) == .operator)
        #expect(try Self.role(text, of: 1001, owner: 0) == .admin)
    }

    @Test func `names that the host does not know are nobody's`() throws {
        #expect(try Self.role("{ user: 'eve', role: 'admin' }", of: 1001) == nil)
        #expect(try Self.role("{ group: 'broken', role: 'admin' }", of: 1001) == nil)
        #expect(try Self.role("{ user: 'ann', role: 'admin', owner: 'eve' }", of: 1001) == nil)
        // A number without an account is that number.
        #expect(try Self.role("{ user: '4711', role: 'admin' }", of: 4711) == .admin)
    }

    @Test(arguments: [
        "", "[]", "{}", "{ deciders: {} }", "{ deciders: [], more: 1 }", "{ deciders: ['ann'] }",
        "{ deciders: [{ user: 'ann' }] }", "{ deciders: [{ role: 'admin' }] }",
        "{ deciders: [{ user: 'ann', group: 'chat', role: 'admin' }] }",
        "{ deciders: [{ user: 'ann', role: 'root' }] }",
        "{ deciders: [{ user: '', role: 'admin' }] }", "{ deciders: [{ user: -1, role: 'admin' }] }",
        "{ deciders: [{ user: 'ann', role: 'admin', jail: 'x' }] }",
    ])
    func `anything else is no list, and as a whole`(_ text: String) {
        #expect(throws: JailError.self) { _ = try DeciderList(Array(text.utf8), file: "deciders.json5") }
    }

    @Test func `a file that somebody else could have written says nothing`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/deciders.json5"
        #expect(try DeciderList.read(path).entries.isEmpty)
        try directory.file("deciders.json5", "{ deciders: [{ user: 'ann', role: 'admin' }] }")
        try System.changeMode(path, 0o644)
        #expect(try DeciderList.read(path).entries.count == 1)
        for mode: UInt32 in [0o664, 0o646] {
            try System.changeMode(path, mode)
            #expect(throws: JailError.self) { _ = try DeciderList.read(path) }
        }
        try System.changeMode(path, 0o644)
        try System.makeSymlink(directory.path + "/link.json5", to: "deciders.json5")
        #expect(throws: JailError.self) { _ = try DeciderList.read(directory.path + "/link.json5") }
    }
}
