import JailCore
import JailHost
import JailPlan
import Testing

@Suite struct IdentityTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/bash
        claw:x:900:901:Claw:/var/lib/claw:/usr/sbin/nologin
        1234:x:77:77::/:/bin/false
        short:x:5:5
        :x:6:6::/:/x
        plus:x:+7:7::/:/x
        zero:x:08:8::/:/x
        toor:x:0:900::/:/x
        wheel:x:950:0::/:/x
        none:x:4294967295:1::/:/x
        """
    private let accounts = Accounts(passwd: Array(passwd.utf8))

    private func caller(_ uid: UInt32, groups: [UInt32] = []) -> CallerFacts {
        var caller = CallerFacts()
        caller.uid = uid
        caller.gid = uid
        caller.supplementaryGroups = groups
        return caller
    }

    @Test func `only lines that are right in every field count`() {
        #expect(accounts.users.map(\.name) == ["root", "claw", "1234", "toor", "wheel"])
    }

    @Test func `root names a user by name or number`() throws {
        let claw = HostIdentity(name: "claw", uid: 900, gid: 901)
        #expect(try Identity.payload(caller: caller(0), user: "claw", accounts: accounts) == claw)
        #expect(try Identity.payload(caller: caller(0), user: "900", accounts: accounts) == claw)
        #expect(try Identity.payload(caller: caller(0), user: "1234", accounts: accounts).uid == 77)
    }

    @Test(arguments: ["root", "0", "toor", "wheel", "nobody-knows", "901", "-1", "4294967295", "+900", ""])
    func `root may not name root, nobody at all, or somebody unknown`(user: String) {
        let error = failure { () throws(JailError) in
            _ = try Identity.payload(caller: caller(0), user: user, accounts: accounts)
        }
        #expect(error?.hint?.contains("clawjail setup") == true)
    }

    @Test func `root without a user is told how to name one`() {
        let error = failure { () throws(JailError) in
            _ = try Identity.payload(caller: caller(0), user: nil, accounts: accounts)
        }
        #expect(error?.description.contains("set process.user in the profile, give --user NAME") == true)
    }

    @Test func `everybody else runs as themselves only`() throws {
        #expect(try Identity.payload(caller: caller(900), user: nil, accounts: accounts).name == "claw")
        #expect(try Identity.payload(caller: caller(900), user: "claw", accounts: accounts).uid == 900)
        #expect(try Identity.payload(caller: caller(900), user: "900", accounts: accounts).uid == 900)
        #expect(try Identity.payload(caller: caller(5000), user: nil, accounts: accounts).name == "5000")
        let error = failure { () throws(JailError) in
            _ = try Identity.payload(caller: caller(5000), user: "claw", accounts: accounts)
        }
        #expect(error?.description.contains("start it as root or as that user") == true)
    }

    @Test func `groups are dropped by root, need not be, or need a helper`() {
        let me = HostIdentity(name: "nobody-of-this-name", uid: 5000, gid: 5000)
        #expect(GroupDrop.examine(caller: caller(0), payload: me) == .byRoot)
        #expect(GroupDrop.examine(caller: caller(5000), payload: me) == .notNeeded)
        #expect(GroupDrop.examine(caller: caller(5000, groups: [5000]), payload: me) == .notNeeded)
        guard case .impossible(let reason) = GroupDrop.examine(caller: caller(5000, groups: [5000, 4]), payload: me)
        else {
            Issue.record("a user without subordinate groups cannot drop any")
            return
        }
        #expect(
            reason.contains("apt install uidmap") || reason.contains("usermod --add-subgids")
                || reason.contains("NoNew"))
    }

    @Test func `subordinate ids are read strictly`() {
        let me = HostIdentity(name: "claw", uid: 900, gid: 901)
        func first(_ text: String) -> UInt32? { Accounts.firstSubordinate(of: me, in: Array(text.utf8)) }
        #expect(first("root:1:2\nclaw:100000:65536\n") == 100000)
        #expect(first("900:200000:1\n") == 200000)
        #expect(first("clawx:100000:65536\nclaw:0:5\nclaw:1:0\nclaw:x:1\nclaw:1\nclaw:1:1:1\n") == nil)
        #expect(first("") == nil)
    }
}

@Suite struct CgroupProbeTests {
    @Test func `the kernel's list of our groups is read`() {
        let text = "12:cpu,cpuacct:/a\n4:memory:/b:c\n1:name=systemd:/d\n0::/e\nbroken\n5:x:relative\n"
        let lines = CgroupProbe.Membership.parse(Array(text.utf8))
        #expect(lines.map(\.controllers) == [["cpu", "cpuacct"], ["memory"], ["name=systemd"], []])
        #expect(lines.map(\.path) == ["/a", "/b:c", "/d", "/e"])
    }

    @Test func `the uppermost mount at a point tells its root`() {
        let text = """
            30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
            31 25 0:26 /../.. /sys/fs/cgroup ro - cgroup2 cgroup2 rw
            32 25 0:27 /docker/x /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            """
        let table = MountTable(Array(text.utf8))
        #expect(table.root(of: "/sys/fs/cgroup") == "/../..")
        #expect(table.root(of: "/sys/fs/cgroup/memory") == "/docker/x")
        #expect(table.root(of: "/sys") == nil)
    }

    @Test func `what is found on this host is ours and can be written, or there is a reason`() throws {
        switch CgroupProbe.examine() {
        case .unavailable(let reason): #expect(!reason.isEmpty)
        case .v2(let directory, _): try expectOurs(directory)
        case .scope(let offer): #expect(System.mayAccess(offer.socket, 2))
        case .v1(let directories):
            for directory in directories.values { try expectOurs(directory) }
        }
    }

    @Test(.enabled(if: (try? System.fileSystem(at: "/sys/fs/cgroup/unified").type) == FileSystemStatus.cgroup2))
    func `a hierarchy of version 2 is told by its file system`() throws {
        switch CgroupProbe.examine(mount: "/sys/fs/cgroup/unified") {
        case .unavailable(let reason): #expect(System.effectiveUserID != 0, "\(reason)")
        case .v2(let directory, _): try expectOurs(directory)
        case .scope, .v1: Issue.record("it was taken for something else")
        }
    }

    private func expectOurs(_ directory: String) throws {
        let members = String(decoding: try System.readFile(directory + "/cgroup.procs"), as: UTF8.self)
        #expect(members.split(separator: "\n").contains("\(System.processID)"))
        #expect(System.mayAccess(directory, 2))
    }

    @Test(
        arguments: [
            ("/", "/", "/m"), ("/a/b", "/", "/m/a/b"), ("/docker/x", "/docker/x", "/m"),
            ("/docker/x/y", "/docker/x", "/m/y"),
            ("/docker/xy", "/docker/x", nil), ("/", "/docker/x", nil), ("/a", "/../..", nil), ("/../a", "/", nil),
            ("a", "/", nil),
        ] as [(String, String, String?)])
    func `a group is placed below the part that is mounted, or nowhere`(path: String, root: String, directory: String?)
    {
        #expect(CgroupProbe.place(path, root: root, mount: "/m") == directory)
    }

    @Test func `a path outside of what is mounted is not guessed at`() throws {
        let directory = try TemporaryDirectory()
        let membership = try directory.file(
            "cgroup", "4:memory:/nowhere/of/this/name\n8:pids:/../x\n1:cpu:/nowhere\n0::/nowhere\n")
        guard case .unavailable = CgroupProbe.examine(membership: membership) else {
            Issue.record("a group that does not exist was accepted")
            return
        }
        guard case .unavailable = CgroupProbe.examine(mount: directory.path, membership: membership) else {
            Issue.record("a directory that is no cgroup file system was accepted")
            return
        }
    }
}
