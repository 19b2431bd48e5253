import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct SourceProbeTests {
    private func probe(
        _ path: String, writable: Bool = false, allow: Bool = false, homes: [String] = [], policy: [String] = []
    ) throws(JailError) -> SourceFacts? {
        let boundaries = Boundaries(homes: homes, policy: policy, ownDirectories: ["/tmp/clawjail-own"])
        var probe = SourceProbe(reach: testReach, boundaries: boundaries, tree: HostTree())
        try probe.add(path, key: "filesystem.read", writable: writable, allowSpecialFiles: allow)
        return probe.sources[path]
    }

    private func data(_ path: String) throws(JailError) -> SourceFacts? {
        var probe = SourceProbe(reach: testReach, boundaries: Boundaries(homes: []), tree: HostTree())
        try probe.addData(path)
        return probe.sources[path]
    }

    private func message(_ body: () throws(JailError) -> SourceFacts?) -> String {
        failure { () throws(JailError) in _ = try body() }?.description ?? ""
    }

    @Test func `a plain directory and a plain file are taken as they are`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("file", mode: 0o640 | 0o004)
        #expect(try probe(directory.path)?.isDirectory == true)
        let facts = try #require(try probe(file))
        #expect(facts.identity == (try System.status(file)).identity)
        #expect(facts.permissions == 0o644)
        #expect(facts.specialFile == nil)
    }

    @Test func `what was granted is taken wherever it lies, as the directory that was granted`() throws {
        let directory = try TemporaryDirectory()
        let own = directory.path
        func granted(_ path: String, _ identity: FileIdentity) throws(JailError) -> SourceFacts? {
            let boundaries = Boundaries(homes: [], ownDirectories: [own])
            var probe = SourceProbe(
                reach: testReach, boundaries: boundaries, tree: HostTree(), granted: [path: identity])
            try probe.add(path, key: "the workspace", writable: true, allowSpecialFiles: false)
            return probe.sources[path]
        }
        let path = try directory.directory("workspace")
        let identity = try System.status(path).identity
        let facts = try #require(try granted(path, identity))
        #expect(facts.isGranted && facts.identity == identity && facts.specialFile == nil)
        // Without the grant it is clawjail's own, and another directory was not granted.
        var plain = SourceProbe(
            reach: testReach, boundaries: Boundaries(homes: [], ownDirectories: [own]), tree: HostTree())
        #expect(throws: JailError.self) {
            try plain.add(path, key: "the workspace", writable: true, allowSpecialFiles: false)
        }
        let other = try System.status(try directory.directory("other")).identity
        #expect(message { () throws(JailError) in try granted(path, other) }.contains("it was replaced meanwhile"))
        #expect(message { () throws(JailError) in try granted(path + "/none", identity) }.contains("errno 2"))
        _ = try output("/usr/bin/mkfifo", [path + "/fifo"])
        #expect(try granted(path, identity)?.specialFile == path + "/fifo")
    }

    @Test func `a symlink anywhere in the path is refused, with the real path`() throws {
        let directory = try TemporaryDirectory()
        try directory.file("real/file")
        try directory.symlink("link", to: "real")
        try directory.symlink("real/last", to: "file")
        #expect(
            message { () throws(JailError) in try probe(directory.path + "/link/file") }.contains(
                "leads through the symlink '\(directory.path)/link' → 'real'; write the real path instead: "
                    + "'\(directory.path)/real/file'"))
        #expect(
            message { () throws(JailError) in try probe(directory.path + "/real/last") }.contains(
                "write the real path instead: '\(directory.path)/real/file'"))
    }

    @Test func `what is missing, relative or unclear is refused`() throws {
        let directory = try TemporaryDirectory()
        #expect(message { () throws(JailError) in try probe(directory.path + "/none") }.contains("it is not there"))
        for path in ["relative", directory.path + "/", directory.path + "/../x", "//tmp"] {
            #expect(message { () throws(JailError) in try probe(path) }.contains("is not an absolute path"))
        }
    }

    @Test(.enabled(if: System.effectiveUserID == 0)) func `what the payload may not read is refused`() throws {
        let directory = try TemporaryDirectory()
        let file = try directory.file("secret", mode: 0o600)
        #expect(message { () throws(JailError) in try probe(file) }.contains("permissions of '\(file)'"))
        let closed = try directory.directory("closed", mode: 0o700)
        try directory.file("closed/open")
        #expect(message { () throws(JailError) in try probe(closed + "/open") }.contains("permissions of '\(closed)'"))
        try System.changeOwner(file, uid: testPayload.uid, gid: testPayload.gid)
        #expect(try probe(file) != nil)
    }

    @Test func `special files are found at any depth, unless they are allowed`() throws {
        let directory = try TemporaryDirectory()
        let deep = try directory.directory("a/b/c")
        let listener = try System.makeUnixSocket(.stream)
        try System.bind(listener.borrowed, path: deep + "/socket")
        #expect(try probe(directory.path)?.specialFile == deep + "/socket")
        #expect(try probe(directory.path, allow: true)?.specialFile == nil)
        #expect(try probe(deep + "/socket")?.specialFile == deep + "/socket")
        #expect(try SpecialFileSearch.search(directory.path).kind == "a socket")
        let other = try TemporaryDirectory()
        _ = try output("/usr/bin/mkfifo", [other.path + "/fifo"])
        #expect(try SpecialFileSearch.search(other.path).kind == "a FIFO")
        // A symlink to one is none: inside it points into the jail.
        let third = try TemporaryDirectory()
        try third.symlink("null", to: "/dev/null")
        #expect(try SpecialFileSearch.search(third.path).found == nil)
    }

    @Test func `a search that does not reach the end is an error`() throws {
        let directory = try TemporaryDirectory()
        for index in 0..<30 { try directory.file("f\(index)") }
        try directory.directory("1/2/3/4")
        #expect(try SpecialFileSearch.search(directory.path).entries == 34)
        #expect(throws: JailError.self) { _ = try SpecialFileSearch.search(directory.path, mostEntries: 33) }
        #expect(throws: JailError.self) { _ = try SpecialFileSearch.search(directory.path, deepest: 3) }
        #expect(throws: Never.self) { _ = try SpecialFileSearch.search(directory.path, mostEntries: 34, deepest: 4) }
    }

    @Test func `a search goes on below paths that one call would not take, and names that are not text`() throws {
        let directory = try TemporaryDirectory()
        var current = try System.open(directory.path, [.readOnly, .directory])
        for _ in 0..<40 {
            let name = String(repeating: "n", count: 200)
            try System.makeDirectory(name, mode: 0o755, at: current.borrowed)
            let next = try System.open(name, [.readOnly, .directory], at: current.borrowed)
            current = next
        }
        #expect(try SpecialFileSearch.search(directory.path).entries == 40)
        _ = try output("/usr/bin/mkfifo", ["/proc/\(System.processID)/fd/\(current.borrowed.number)/fifo"])
        #expect(try SpecialFileSearch.search(directory.path).kind == "a FIFO")
        _ = try output("/bin/rm", ["-rf", directory.path])
        let other = try TemporaryDirectory()
        _ = try output("/bin/sh", ["-c", "cd \(other.path); d=$(printf '\\377'); mkdir $d; mkfifo $d/fifo"])
        #expect(try SpecialFileSearch.search(other.path).kind == "a FIFO")
    }

    @Test func `what the payload made in a writable tree does not end its next start by its size`() throws {
        let directory = try TemporaryDirectory()
        try directory.directory("1/2/3/4")
        let lenient = SpecialFileSearch.Leniency(mayBeIncomplete: true)
        #expect(try SpecialFileSearch.search(directory.path, deepest: 3, leniency: lenient).unseen != nil)
        #expect(try SpecialFileSearch.search(directory.path, mostEntries: 2, leniency: lenient).unseen != nil)
        #expect(try SpecialFileSearch.search(directory.path, leniency: lenient).unseen == nil)
        _ = try output("/usr/bin/mkfifo", [directory.path + "/1/fifo"])
        let owner = try System.status(directory.path).uid
        let own = SpecialFileSearch.Leniency(fifoOwner: owner)
        #expect(try SpecialFileSearch.search(directory.path, leniency: own).found == nil)
        let others = SpecialFileSearch.Leniency(fifoOwner: owner + 1)
        #expect(try SpecialFileSearch.search(directory.path, leniency: others).found == directory.path + "/1/fifo")
    }

    @Test func `a data directory is the payload's alone`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.directory("data", mode: 0o700)
        try System.changeOwner(path, uid: testPayload.uid, gid: testPayload.gid)
        #expect(try data(path)?.owner == testPayload.uid)
        try System.changeMode(path, 0o770)
        #expect(message { () throws(JailError) in try data(path) }.contains("chmod go-w '\(path)'"))
        try System.changeMode(path, 0o702)
        #expect(message { () throws(JailError) in try data(path) }.contains("chmod go-w '\(path)'"))
        #expect(message { () throws(JailError) in try data("/usr/share") }.contains("belongs to user id 0, not to"))
        let file = try directory.file("file")
        #expect(message { () throws(JailError) in try data(file) }.contains("is not a directory"))
    }

    @Test(arguments: [
        "/", "/home", "/root", "/etc", "/proc", "/proc/1", "/sys", "/dev", "/dev/shm", "/run", "/var/run",
        "/home/someone",
        "/run/user/1000/bus", "/var", "/h/u", "/h", "/h/u/.ssh", "/h/u/.ssh/id", "/h/u/.aws", "/h/u/.gnupg",
        "/h/u/.config",
        "/h/u/.docker/x", "/h/u/.kube", "/tmp/clawjail-own", "/tmp", "/var/lib/clawjail/x", "/run/docker.sock",
        "/h/u/.config/clawjail",
    ])
    func `homes, keys and the host's own directories are refused`(path: String) {
        let boundaries = Boundaries(homes: ["/h/u"], ownDirectories: ["/tmp/clawjail-own"])
        let canonical = path == "/var/run" ? "/run" : path
        #expect(boundaries.refusal(of: canonical, writable: false) != nil)
    }

    @Test(arguments: [
        "/h/u/project", "/h/u/.config/app", "/srv/x", "/etc/app.conf", "/h/user2", "/tmp/x", "/h/u/.sshx",
    ])
    func `a directory of one's own below them is fine`(path: String) {
        let boundaries = Boundaries(homes: ["/h/u", "/"], ownDirectories: ["/tmp/clawjail-own"])
        #expect(boundaries.refusal(of: path, writable: true) == nil)
    }

    @Test(arguments: [".ssh", ".aws", ".local/share/keyrings", ".config/gh"])
    func `what holds credentials is refused, from wherever above them`(name: String) throws {
        let directory = try TemporaryDirectory()
        try directory.directory("a/" + name)
        // In somebody's home, and where nobody knows that it is one.
        for homes in [[directory.path + "/a"], []] {
            var above = Paths.parent("\(directory.path)/a/\(name)")
            while above != directory.path {
                #expect(
                    message { () throws(JailError) in try probe(above, homes: homes) }.contains("cannot show it"))
                above = Paths.parent(above)
            }
        }
        try directory.directory("project/.docker")
        try directory.file("project/.npmrc")
        #expect(throws: Never.self) { _ = try probe(directory.path + "/project") }
    }

    @Test func `what holds a profile in force may be read and not written`() {
        let boundaries = Boundaries(homes: [], policy: ["/srv/project/jail.json5", "/etc/clawjail"])
        #expect(boundaries.refusal(of: "/srv/project", writable: false) == nil)
        #expect(boundaries.refusal(of: "/srv/project", writable: true)?.contains("jail.json5") == true)
        #expect(boundaries.refusal(of: "/etc/clawjail/profiles", writable: true) != nil)
        #expect(boundaries.refusal(of: "/srv/project/src", writable: true) == nil)
    }

    @Test func `a refused source says what to do`() throws {
        let directory = try TemporaryDirectory()
        let home = try directory.directory("home")
        #expect(
            message { () throws(JailError) in try probe(home, homes: [home]) }.hasSuffix(
                "it is a home directory, with keys in it; show only the directory below it that the job needs"))
    }
}
