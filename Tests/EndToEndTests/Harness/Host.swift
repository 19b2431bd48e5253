import Foundation
import Glibc

/// What the machine offers to the tests, looked up once.
enum Host {
    static let isRoot = geteuid() == 0
    static let mustRun = ProcessInfo.processInfo.environment["CLAWJAIL_TESTS_MUST_RUN"] == "1"
    /// How many times as long things take here: more than one under emulation.
    static let patience = ProcessInfo.processInfo.environment["CLAWJAIL_TEST_PATIENCE"].flatMap(Double.init) ?? 1
    static let environment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": NSHomeDirectory(),
        "LANG": "C.UTF-8", "TERM": "xterm",
    ]

    static func path(of program: String) -> String? {
        (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(program)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Directories with programs that were built: named by the environment, or beside the test bundle.
    private static func built(_ program: String, _ variable: String) throws -> String {
        if let named = ProcessInfo.processInfo.environment[variable] { return named }
        var candidates: [String] = []
        let words = CommandLine.arguments
        if let index = words.firstIndex(of: "--test-bundle-path"), index + 1 < words.count {
            candidates.append((words[index + 1] as NSString).deletingLastPathComponent)
        }
        candidates.append((words[0] as NSString).deletingLastPathComponent)
        candidates.append(sources + "/.build/debug")
        for directory in candidates where FileManager.default.isExecutableFile(atPath: "\(directory)/\(program)") {
            return "\(directory)/\(program)"
        }
        throw HarnessError("\(program) is not built: swift build --product \(program)")
    }

    /// The top of the source tree.
    static let sources = String(#filePath.split(separator: "/").dropLast(4).reduce("") { $0 + "/" + $1 })

    /// An installation as `make install` lays it out, where every user can reach it.
    static let installation = Result {
        let directory = Scratch.root
        let manager = FileManager.default
        for name in ["bin", "share/clawjail"] {
            try manager.createDirectory(atPath: "\(directory)/\(name)", withIntermediateDirectories: true)
        }
        try manager.copyItem(atPath: built("clawjail", "CLAWJAIL_TEST_BINARY"), toPath: "\(directory)/bin/clawjail")
        try manager.copyItem(
            atPath: built("clawjail-egress", "CLAWJAIL_TEST_EGRESS"), toPath: "\(directory)/bin/clawjail-egress")
        try manager.copyItem(
            atPath: built("clawjail-stub", "CLAWJAIL_TEST_STUB"), toPath: "\(directory)/bin/clawjail-stub")
        try manager.copyItem(atPath: built("jailprobe", "CLAWJAIL_TEST_PROBE"), toPath: "\(directory)/bin/jailprobe")
        try manager.copyItem(atPath: "\(sources)/profiles", toPath: "\(directory)/share/clawjail/profiles")
        try manager.copyItem(
            atPath: "\(sources)/scripts/install.d/prices.json5", toPath: "\(directory)/share/clawjail/prices.json5")
        try manager.copyItem(atPath: "\(sources)/scripts/sample-gateway", toPath: "\(directory)/share/sample-gateway")
        return directory
    }

    static var clawjail: String { get throws { try installation.get() + "/bin/clawjail" } }
    static var probe: String { get throws { try installation.get() + "/bin/jailprobe" } }

    /// The ordinary user that jails run as: a system user of the tests', made if it is missing; without root, whoever
    /// runs the tests.
    static let user = Result {
        if !isRoot { return try account(NSUserName()) }
        if let found = try? account("clawjail-test") { return found }
        _ = try shell("useradd --system --no-create-home --shell /usr/sbin/nologin clawjail-test")
        return try account("clawjail-test")
    }

    struct Account: Sendable {
        var name: String
        var uid: UInt32
        var gid: UInt32
    }

    private static func account(_ name: String) throws -> Account {
        guard let entry = unsafe getpwnam(name) else { throw HarnessError("there is no user '\(name)'") }
        return unsafe Account(name: name, uid: entry.pointee.pw_uid, gid: entry.pointee.pw_gid)
    }
}

/// Directories and files of this test run; all of it is removed when the process ends.
enum Scratch {
    static let root: String = {
        // Not below /tmp: a jail has its own.
        let base = Host.isRoot ? "/var/lib" : Host.sources + "/.build"
        let path = "\(base)/clawjail-e2e-\(getpid())"
        unsafe mkdir(path, 0o755)
        unsafe chmod(path, 0o755)
        atexit {
            Delegation.remove()
            try? FileManager.default.removeItem(atPath: Scratch.root)
        }
        return path
    }()

    static func unique(_ prefix: String) -> String {
        prefix + "-" + String(UInt64.random(in: 0...UInt64.max), radix: 36).prefix(10)
    }

    static func file(_ name: String) -> String { "\(root)/\(unique(name))" }

    /// A directory that belongs to the jail's user, or (`owner`) to somebody else.
    static func directory(_ name: String = "dir", owner: UInt32? = nil, mode: mode_t = 0o755) throws -> String {
        let path = file(name)
        guard unsafe mkdir(path, 0o755) == 0 else { throw HarnessError("mkdir \(path): errno \(errno)") }
        if Host.isRoot {
            let user = try Host.user.get()
            unsafe chown(path, owner ?? user.uid, owner ?? user.gid)
        }
        unsafe chmod(path, mode)
        return path
    }

    static func write(_ text: String, to path: String, mode: mode_t = 0o644) throws {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        unsafe chmod(path, mode)
    }
}
