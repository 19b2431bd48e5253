import JailCore
import TestSupport
import Testing

struct `Files` {
    @Test func `a path is resolved without symlinks if that is asked for`() throws {
        let directory = try TemporaryDirectory()
        try directory.directory("real")
        try directory.file("real/file", "x")
        try System.makeSymlink("\(directory.path)/link", to: "real")
        #expect(
            errno { () throws(SystemError) in _ = try System.open("\(directory.path)/link/file", .readOnly) } == nil)
        let root = try System.open(directory.path, [.readOnly, .directory])
        func open(_ path: String, _ resolve: ResolveFlags) -> Errno? {
            errno { () throws(SystemError) in
                _ = try System.open(path, .readOnly, at: root.borrowed, resolve: resolve)
            }
        }
        #expect(open("link/file", []) == nil)
        #expect(open("link/file", .noSymlinks) == .symlinkLoop)
        #expect(open("link", .noSymlinks) == .symlinkLoop)
        #expect(open("../..", .beneath) == .crossDevice)
        #expect(open("/etc", .beneath) == .crossDevice)
        #expect(open("../../etc", .inRoot) == .notFound)
        #expect(open("/proc/self/root", .noMagicLinks) == .symlinkLoop)
        #expect(open("/proc/version", .noMountCrossing) == .crossDevice)
    }

    @Test func `a file longer than the limit is an error, and one just as long is not`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("f", String(repeating: "x", count: 40_000))
        #expect(try System.readFile(path, limit: 40_000).count == 40_000)
        #expect(errno { () throws(SystemError) in _ = try System.readFile(path, limit: 39_999) } == Errno(27))
    }

    @Test func `reading at an offset stops at the end of the file`() throws {
        let directory = try TemporaryDirectory()
        let file = try System.open(try directory.file("f", "0123456789"), .readOnly)
        #expect(try System.read(file.borrowed, at: 7, most: 2) == Array("78".utf8))
        #expect(try System.read(file.borrowed, at: 7, most: 20) == Array("789".utf8))
        #expect(try System.read(file.borrowed, at: 10, most: 20).isEmpty)
        #expect(errno { () throws(SystemError) in _ = try System.read(file.borrowed, at: .max, most: 1) } == .invalid)
    }

    @Test func `a FIFO without a writer does not hold a reader up`() throws {
        let directory = try TemporaryDirectory()
        let mkfifo = try #require(Program.path(of: "mkfifo"))
        #expect(try Program.run(mkfifo, [directory.path + "/fifo"]).status == 0)
        #expect(try System.readFile(directory.path + "/fifo").isEmpty)
        #expect(try System.status(directory.path + "/fifo").kind == .fifo)
    }

    @Test func `all names of a directory are listed once, with their kinds`() throws {
        let directory = try TemporaryDirectory()
        var expected: Set<String> = []
        // More than one block of getdents64(2) has room for.
        for number in 0..<900 {
            let name = String(repeating: "n", count: 60) + "\(number)"
            try directory.file(name)
            expected.insert(name)
        }
        try directory.directory("sub")
        try System.makeSymlink("\(directory.path)/link", to: "nowhere")
        let opened = try System.open(directory.path, [.readOnly, .directory])
        let names = try System.names(in: opened.borrowed)
        #expect(names.count == 902)
        #expect(Set(names.map(\.name)) == expected.union(["sub", "link"]))
        #expect(names.first { $0.name == "sub" }?.kind == 4)
        #expect(names.first { $0.name == "link" }?.kind == 10)
    }

    @Test func `a symlink is itself unless it is to be followed`() throws {
        let directory = try TemporaryDirectory()
        try directory.directory("real")
        try System.makeSymlink("\(directory.path)/link", to: "real")
        #expect(try System.status("\(directory.path)/link").kind == .symlink)
        #expect(try System.status("\(directory.path)/link", followSymlink: true).isDirectory)
        #expect(try System.readLink("\(directory.path)/link") == "real")
    }

    @Test func `identity stays with the file, not with the name`() throws {
        let directory = try TemporaryDirectory()
        let first = try System.status(try directory.file("a"))
        try System.rename("\(directory.path)/a", to: "\(directory.path)/b")
        let second = try System.status(try directory.file("a"))
        #expect(try System.status("\(directory.path)/b").identity == first.identity)
        #expect(second.identity != first.identity)
    }

    @Test func `a lock that somebody holds is seen, and is gone with its holder`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("lock")
        let second = try System.open(path, .writeOnly)
        do {
            let first = try System.open(path, .writeOnly)
            #expect(try System.tryLock(first.borrowed, .exclusive))
            #expect(try !System.tryLock(second.borrowed, .exclusive))
            #expect(try !System.tryLock(second.borrowed, .shared))
        }
        #expect(try System.tryLock(second.borrowed, .exclusive))
    }

    @Test func `the null device is known by its number, wherever its file lies`() throws {
        #expect(try System.status("/dev/null").isNullDevice)
        for other in ["/dev/zero", "/dev/full", "/dev", "/proc/self/status"] {
            #expect(try !System.status(other).isNullDevice, "\(other)")
        }
    }
}
