import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `The run directory` {
    static func claim(
        _ name: String, in base: String, removing stale: ([UInt8]) -> Bool = { _ in true }
    ) throws(JailError) -> RunDirectory {
        try RunDirectory.claim(name, in: base, removing: stale)
    }

    @Test func `a name is claimed once, and free again when it was removed`() throws {
        let base = try TemporaryDirectory()
        let first = try Self.claim("one", in: base.path)
        #expect(try System.status(first.path).permissions == 0o700)
        let error = failure { () throws(JailError) in _ = try Self.claim("one", in: base.path) }
        #expect(error?.reason == "a jail named 'one' is running")
        let other = try Self.claim("two", in: base.path)
        first.remove()
        other.remove()
        #expect(try base.names() == [".lock"])
        try Self.claim("one", in: base.path).remove()
    }

    @Test func `what a dead supervisor left is swept, with its control groups`() throws {
        let base = try TemporaryDirectory()
        do {
            let dead = try Self.claim("dead", in: base.path)
            try dead.write("/sys/fs/cgroup/x\n", to: RunDirectory.cgroupFile)
            try dead.write("{}", to: RunDirectory.stateFile)
            _ = try dead.makeSocket()
        }
        var lists: [[UInt8]] = []
        let next = try Self.claim("next", in: base.path) {
            lists.append($0)
            return true
        }
        #expect(lists.map { String(decoding: $0, as: UTF8.self) } == ["/sys/fs/cgroup/x\n"])
        #expect(try base.names() == [".lock", "next"])
        next.remove()
    }

    @Test func `sessions of a dead supervisor are swept with it, once they are dead as well`() throws {
        let base = try TemporaryDirectory()
        var lists: [String] = []
        func start() throws {
            try Self.claim("next", in: base.path) {
                lists.append(String(decoding: $0, as: UTF8.self))
                return true
            }.remove()
        }
        do {
            let gateway = try Self.claim("gateway", in: base.path)
            try gateway.write("/g\n", to: RunDirectory.cgroupFile)
            let inner = RunDirectory.sessions(of: "gateway", in: base.path)
            let alive = try Self.claim("alive", in: inner)
            do {
                let dead = try Self.claim("dead", in: inner)
                try dead.write("/d\n", to: RunDirectory.cgroupFile)
            }
            #expect(RunDirectory.names(in: inner) == ["alive", "dead"])
            // Alive itself: nobody looks into it.
            try start()
            #expect(lists.isEmpty && RunDirectory.names(in: inner) == ["alive", "dead"])
            _ = consume gateway
            try start()
            #expect(lists == ["/g\n", "/d\n"])
            #expect(RunDirectory.names(in: inner) == ["alive"])
            alive.remove()
        }
        try start()
        #expect(try base.names() == [".lock"])
    }

    @Test func `a jail that ends takes what its sessions have left`() throws {
        let base = try TemporaryDirectory()
        let gateway = try Self.claim("gateway", in: base.path)
        #expect(gateway.removeSessions { _ in true })
        do { _ = try Self.claim("dead", in: RunDirectory.sessions(of: "gateway", in: base.path)) }
        #expect(!gateway.removeSessions { _ in false })
        #expect(gateway.removeSessions { _ in true })
        gateway.remove()
        #expect(try base.names() == [".lock"])
    }

    @Test func `a supervisor is reached however long the path is`() throws {
        let base = try TemporaryDirectory()
        let long = try base.directory(String(repeating: "d", count: 120), mode: 0o700)
        let directory = try Self.claim("jail", in: long)
        let listener = SharedDescriptor(try directory.makeSocket())
        let caller = try RunDirectory.connect(to: "\(long)/jail")
        let isThere = try withExtendedLifetime((listener, caller)) {
            if try System.accept(listener.borrowed) != nil { true } else { false }
        }
        #expect(isThere)
        let error = #expect(throws: SystemError.self) { try RunDirectory.connect(to: "\(long)/none") }
        #expect(error?.errno == .notFound)
        directory.remove()
    }

    @Test func `control groups that are busy keep the directory`() throws {
        let base = try TemporaryDirectory()
        do { _ = try Self.claim("dead", in: base.path) }
        try Self.claim("next", in: base.path) { _ in false }.remove()
        #expect(try base.names() == [".lock", "dead"])
    }

    @Test func `a living supervisor's is neither swept nor unlisted`() throws {
        let base = try TemporaryDirectory()
        let living = try Self.claim("living", in: base.path)
        try living.write("state", to: RunDirectory.stateFile)
        var asked = 0
        let next = try Self.claim("next", in: base.path) { _ in
            asked += 1
            return true
        }
        #expect(asked == 0)
        #expect(RunDirectory.all(in: base.path).map(\.name) == ["living"])
        guard case .running(let state)? = RunDirectory.all(in: base.path).first?.presence else {
            return #expect(Bool(false), "it runs")
        }
        #expect(String(decoding: state, as: UTF8.self) == "state")
        living.remove()
        next.remove()
        #expect(RunDirectory.all(in: base.path).isEmpty)
    }

    @Test func `what a dead supervisor left is dead, and cleared when asked`() throws {
        let base = try TemporaryDirectory()
        let living = try Self.claim("living", in: base.path)
        try base.directory("dead", mode: 0o700)
        try base.file("dead/lock")
        try base.file("dead/state.json", "state")
        guard case .dead = RunDirectory.presence(of: "dead", in: base.path),
            case .running(state: []) = RunDirectory.presence(of: "living", in: base.path),
            case .nothing = RunDirectory.presence(of: "other", in: base.path)
        else { return #expect(Bool(false)) }
        try RunDirectory.clearDead(in: base.path)
        guard case .nothing = RunDirectory.presence(of: "dead", in: base.path),
            case .running = RunDirectory.presence(of: "living", in: base.path)
        else { return #expect(Bool(false)) }
        living.remove()
    }

    @Test(arguments: [UInt32(0o755), 0o770, 0o777, 0o701, 0o1777])
    func `a base that others can look into is refused`(mode: UInt32) throws {
        let base = try TemporaryDirectory(mode: mode)
        let error = failure { () throws(JailError) in _ = try Self.claim("one", in: base.path) }
        #expect(error?.reason == "it must be a directory of this user's own with mode 0700")
        #expect(try base.names().isEmpty)
    }

    @Test(.needsRoot) func `a base of somebody else's is refused`() throws {
        let base = try TemporaryDirectory()
        try System.changeOwner(base.path, uid: 65534, gid: 65534)
        let error = failure { () throws(JailError) in _ = try Self.claim("one", in: base.path) }
        #expect(error?.stage == .runtime && error?.path == base.path)
    }

    @Test func `a base that is a symlink, or a file, is refused`() throws {
        let base = try TemporaryDirectory()
        try base.directory("real", mode: 0o700)
        try base.file("file")
        try System.makeSymlink("\(base.path)/link", to: "real")
        for name in ["link", "file"] {
            let error = failure { () throws(JailError) in _ = try Self.claim("one", in: "\(base.path)/\(name)") }
            #expect(error?.stage == .runtime)
        }
        let real = try System.open("\(base.path)/real", [.readOnly, .directory])
        #expect(try System.names(in: real.borrowed).isEmpty)
    }

    @Test func `symlinks in the base are not followed when it is swept`() throws {
        let base = try TemporaryDirectory()
        let outside = try TemporaryDirectory()
        try outside.file("state.json", "keep")
        try System.makeSymlink("\(base.path)/link", to: outside.path)
        try Self.claim("one", in: base.path).remove()
        #expect(try outside.names() == ["state.json"])
        #expect(RunDirectory.all(in: base.path).isEmpty)
    }

    @Test func `a file is replaced as a whole`() throws {
        let base = try TemporaryDirectory()
        let directory = try Self.claim("one", in: base.path)
        try directory.write("first, and long", to: "state.json")
        let old = try System.open("\(directory.path)/state.json", .readOnly)
        try directory.write("second", to: "state.json")
        #expect(try System.readAll(old.borrowed) == Array("first, and long".utf8))
        #expect(try base.read("one/state.json") == "second")
        directory.remove()
    }
}
