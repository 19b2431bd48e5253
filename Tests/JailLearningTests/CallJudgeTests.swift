import JailPolicy
import Testing

@testable import JailLearning

/// A thread whose memory, files and host are written down.
struct WrittenThread: CallSurroundings {
    /// By address.
    var texts: [UInt64: String] = [:]
    var memory: [UInt64: [UInt8]] = [:]
    var directory: String? = "/srv"
    var descriptors: [Int32: String] = [:]
    var host: [String: HostEntry] = [:]

    func text(_ address: UInt64) -> String? { texts[address] }
    func bytes(_ address: UInt64, _ count: Int) -> [UInt8] { Array((memory[address] ?? []).prefix(count)) }
    func path(ofDescriptor descriptor: Int32?) -> String? {
        descriptor.map { descriptors[$0] } ?? directory
    }
    func onHost(_ path: String) -> HostEntry { host[path] ?? .nothing }
}

@Suite("Failed system calls")
struct CallJudgeTests {
    static let judge = CallJudge(
        refused: ["mount", "unshare"],
        sized: [
            .init(path: "/tmp", name: "tmp", value: "1M"), .init(path: "/tmp/data", name: "data", value: "5M"),
        ],
        limits: ["processes": "20", "openFiles": "64", "memory": "512M", "fileSize": "1G"])

    /// `path` is at address 16.
    static func subject(
        _ name: String, _ path: String = "", _ arguments: [UInt64] = [], errno: Int32,
        on host: [String: HostEntry] = [:]
    ) -> Observation.Subject? {
        var thread = WrittenThread(host: host)
        thread.texts[16] = path
        thread.descriptors = [5: "/srv/a", 6: "socket:[1]", 7: "/srv/b (deleted)", 8: "/tmp/data/x", 9: "/tmp/x"]
        let all = arguments + Array(repeating: 0, count: 6 - arguments.count)
        return judge.subject(FailedCall(name, all, errno: errno), thread)
    }

    static let workingDirectory = UInt64(bitPattern: -100)

    @Test(
        "of files name the file as the program meant it, and what it wanted",
        arguments: [
            (subject("openat", "/etc/x", [workingDirectory, 16, 0], errno: 13), "/etc/x", FileAccess.read),
            (subject("openat", "x/../y", [workingDirectory, 16, 0o101], errno: 30), "/srv/y", .write),
            // AT_FDCWD as a program of 32-bit ints passes it.
            (subject("openat", "y", [0xFFFF_FF9C, 16, 1], errno: 13), "/srv/y", .write),
            (subject("openat", ".//y/.", [5, 16, 2], errno: 13), "/srv/a/y", .write),
            (subject("open", "/a/../../..", [16, 0], errno: 13), "/", .read),
            (subject("mkdir", "/usr/x", [16], errno: 30), "/usr/x", .write),
            (subject("unlinkat", "x", [5, 16], errno: 1), "/srv/a/x", .write),
            (subject("symlinkat", "/usr/l", [0, workingDirectory, 16], errno: 30), "/usr/l", .write),
            (subject("linkat", "/usr/l", [0, 0, workingDirectory, 16], errno: 30), "/usr/l", .write),
            (subject("faccessat2", "/a", [workingDirectory, 16, 2], errno: 13), "/a", .write),
            (subject("access", "/a", [16, 1], errno: 13), "/a", .execute),
            (subject("access", "/a", [16, 4], errno: 13), "/a", .read),
            (subject("execve", "/srv/run", [16], errno: 13), "/srv/run", .execute),
        ])
    func files(_ subject: Observation.Subject?, _ path: String, _ access: FileAccess) {
        #expect(subject == .file(path: path, access: access))
    }

    @Test("of files that are nowhere are none; of those that the host has, they are")
    func missing() {
        let arguments = [Self.workingDirectory, 16, 0]
        #expect(Self.subject("openat", "/etc/x", arguments, errno: 2) == nil)
        #expect(
            Self.subject("openat", "/etc/x", arguments, errno: 2, on: ["/etc/x": .something])
                == .file(path: "/etc/x", access: .read))
        // To be made where the host has a directory.
        #expect(
            Self.subject("mkdir", "/srv/new", [16], errno: 2, on: ["/srv": .something])
                == .file(path: "/srv/new", access: .write))
        #expect(Self.subject("mkdir", "/srv/new", [16], errno: 2) == nil)
        #expect(Self.subject("mkdir", "/new", [16], errno: 2, on: ["/": .something]) == nil)
    }

    @Test(
        "of what every program looks for and does without are none",
        arguments: [
            "/etc/ld.so.cache", "/usr/lib/locale/C.utf8", "/proc/77/stat",
            "/usr/lib/x86_64-linux-gnu/gconv/gconv-modules",
        ])
    func noise(_ path: String) {
        let arguments = [Self.workingDirectory, 16, 0]
        #expect(Self.subject("openat", path, arguments, errno: 2, on: [path: .something]) == nil)
        #expect(Self.subject("openat", path, arguments, errno: 13) == .file(path: path, access: .read))
    }

    @Test("of programs that the host has name the program")
    func programs() {
        let host: [String: HostEntry] = [
            "/usr/bin/git": .program, "/opt/tool": .program, "/opt/kit/bin/tool": .program,
            "/usr/bin/notes": .something,
        ]
        // A bare name would not find it.
        #expect(
            Self.subject("execve", "/opt/kit/bin/tool", [16], errno: 2, on: host) == .program("/opt/kit/bin/tool"))
        #expect(Self.subject("execve", "/usr/bin/git", [16], errno: 2, on: host) == .program("git"))
        #expect(
            Self.subject("newfstatat", "/usr/bin/git", [Self.workingDirectory, 16], errno: 2, on: host)
                == .program("git"))
        #expect(Self.subject("execve", "/opt/tool", [16], errno: 2, on: host) == .program("/opt/tool"))
        #expect(Self.subject("execve", "/usr/bin/git", [16], errno: 2) == nil)
        #expect(
            Self.subject("stat", "/usr/bin/notes", [16], errno: 2, on: host)
                == .file(path: "/usr/bin/notes", access: .read))
    }

    @Test("of directories that are none, or are gone, and of names that cannot be read are none")
    func unreadable() {
        for descriptor: UInt64 in [4, 6, 7] {
            #expect(Self.subject("openat", "x", [descriptor, 16, 0], errno: 13) == nil)
        }
        #expect(Self.subject("openat", "x", [Self.workingDirectory, 17, 0], errno: 13) == nil)
        #expect(Self.subject("newfstatat", "", [5, 16], errno: 13) == nil)
    }

    @Test("of refused calls name the call")
    func calls() {
        #expect(Self.subject("io_uring_setup", errno: 38) == .systemCall("io_uring_setup"))
        #expect(Self.subject("unshare", errno: 1) == .systemCall("unshare"))
        #expect(Self.subject("ioctl", errno: 1) == .systemCall("ioctl"))
        #expect(Self.subject("chown", "/a", [16], errno: 1) == .systemCall("chown"))
        #expect(Self.subject("socket", errno: 97) == .systemCall("socket"))
        // Nobody misses these, and these say nothing of the jail.
        for name in ["clone3", "openat2"] { #expect(Self.subject(name, errno: 38) == nil) }
        for (name, errno) in [("kill", 1), ("epoll_ctl", 1), ("read", 5), ("futex", 11), ("wait4", 10)] {
            #expect(Self.subject(name, errno: Int32(errno)) == nil, "\(name)")
        }
    }

    @Test("of limits name the limit, and of file systems the one that the file lies in")
    func limits() {
        #expect(Self.subject("clone", errno: 11) == .limit(name: "processes", value: "20"))
        #expect(Self.subject("socket", errno: 24) == .limit(name: "openFiles", value: "64"))
        #expect(Self.subject("mmap", errno: 12) == .limit(name: "memory", value: "512M"))
        #expect(Self.subject("write", "", [9], errno: 27) == .limit(name: "fileSize", value: "1G"))
        #expect(Self.subject("write", "", [9], errno: 28) == .limit(name: "tmp", value: "1M"))
        #expect(Self.subject("pwrite64", "", [8], errno: 122) == .limit(name: "data", value: "5M"))
        #expect(Self.subject("mkdir", "/tmp/data/x", [16], errno: 28) == .limit(name: "data", value: "5M"))
        #expect(Self.subject("mkdir", "/tmpfile", [16], errno: 28) == nil)
        #expect(Self.subject("write", "", [5], errno: 28) == nil)
        let without = CallJudge(refused: [], sized: [], limits: [:])
        #expect(without.subject(FailedCall("clone", [0, 0, 0, 0, 0, 0], errno: 11), WrittenThread()) == nil)
    }

    static func socket(
        _ name: String, _ address: [UInt8], errno: Int32, on host: [String: HostEntry] = [:]
    ) -> Observation.Subject? {
        let thread = WrittenThread(memory: [32: address], host: host)
        return judge.subject(
            FailedCall(name, [3, 32, UInt64(address.count), 0, 0, 0], errno: errno), thread)
    }
    static let version4: [UInt8] = [2, 0, 0x20, 0xFB, 203, 0, 113, 5]
    static func local(_ path: String) -> [UInt8] { [1, 0] + Array(path.utf8) + [0] }

    static func network(_ host: String, _ port: UInt16) -> Observation.Subject {
        var fields = NetworkSubjectFields(host: host)
        fields.port = port
        fields.scheme = "tcp"
        return .network(fields)
    }

    @Test("of sockets name ports, hosts and paths")
    func sockets() {
        #expect(Self.socket("bind", Self.version4, errno: 13) == .bind(port: 8443))
        #expect(Self.socket("bind", Self.version4, errno: 98) == nil)
        for errno: Int32 in [1, 13, 101, 111, 113] {
            #expect(Self.socket("connect", Self.version4, errno: errno) == Self.network("203.0.113.5", 8443))
        }
        let mapped: [UInt8] = [10, 0, 0, 80] + [UInt8](repeating: 0, count: 14) + [0xFF, 0xFF, 203, 0, 113, 5]
        #expect(Self.socket("connect", mapped, errno: 111) == Self.network("203.0.113.5", 80))
        let version6: [UInt8] = [10, 0, 0, 80, 0, 0, 0, 0, 0x20, 1, 0xD, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]
        #expect(Self.socket("connect", version6, errno: 111) == Self.network("2001:db8::1", 80))
        // The jail's own.
        #expect(Self.socket("connect", [2, 0, 0, 80, 127, 0, 0, 1], errno: 111) == nil)
        let loopback: [UInt8] = [10, 0, 0, 80] + [UInt8](repeating: 0, count: 19) + [1]
        #expect(Self.socket("connect", loopback, errno: 111) == nil)

        let path = "/run/docker.sock"
        #expect(Self.socket("connect", Self.local(path), errno: 13) == .file(path: path, access: .connect))
        #expect(Self.socket("connect", Self.local(path), errno: 2) == nil)
        #expect(
            Self.socket("connect", Self.local(path), errno: 2, on: [path: .something])
                == .file(path: path, access: .connect))
        #expect(Self.socket("bind", Self.local("s"), errno: 30) == .file(path: "/srv/s", access: .write))
        // Abstract, of other families, and cut off.
        for other: [UInt8] in [
            [1, 0, 0, 0x61], [16, 0, 0, 0], [2, 0, 0], [2, 0, 0, 80, 1], [10, 0, 0, 80, 0, 0, 0, 0],
        ] {
            #expect(Self.socket("connect", other, errno: 13) == nil, "\(other)")
        }
    }

    @Test("have names of errors that the kernel's headers have")
    func errors() {
        #expect(CallJudge.name(ofError: 2) == "ENOENT")
        #expect(CallJudge.name(ofError: 38) == "ENOSYS")
        #expect(CallJudge.name(ofError: 512) == nil)
        #expect(CallJudge.name(ofError: .max) == nil)
    }

    @Test("to find one program are one question, however many places are looked at")
    func search() {
        var search = ProgramSearch()
        let places = [
            ("git", "/usr/bin/git"), ("git", "/bin/git"), ("git", "/usr/bin/git"), ("node", "/usr/bin/node"),
            ("git", "/bin/git"),
        ]
        let begins = places.map { search.begins($0.0, at: $0.1) }
        #expect(begins == [true, false, true, true, true])
        var many = 0
        for number in 0..<1000 where search.begins("git", at: "/d\(number)/bin/git") { many += 1 }
        #expect(many > 10)
    }
}
