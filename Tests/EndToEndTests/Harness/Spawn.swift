import Foundation
import Glibc

/// A program that was started by a test, and what came of it.
///
/// posix_spawn(3) and files rather than Foundation's `Process` and pipes: the state that the program starts with is
/// exactly known, and a descriptor that another test's child inherits cannot keep anything open.
final class Running: @unchecked Sendable {
    let pid: Int32
    private let output: String
    private let errors: String
    private var ended: Int32?

    init(
        _ arguments: [String], environment: [String: String], standardInput: String = "/dev/null",
        terminal: String? = nil
    ) throws {
        output = Scratch.file("out")
        errors = Scratch.file("err")
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        if let terminal {
            // The first terminal that the leader of a new session opens becomes its controlling one.
            for number: Int32 in 0...2 {
                unsafe posix_spawn_file_actions_addopen(&actions, number, terminal, O_RDWR, 0)
            }
        } else {
            unsafe posix_spawn_file_actions_addopen(&actions, 0, standardInput, O_RDONLY, 0)
            unsafe posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
            unsafe posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o666)
        }
        Self.inheritNothing()
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        unsafe sigfillset(&all)
        var none = sigset_t()
        unsafe sigemptyset(&none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGDEF) | Int16(POSIX_SPAWN_SETSIGMASK) | 0x80 /* POSIX_SPAWN_SETSID */)
        var argv: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
        var envp: [UnsafeMutablePointer<CChar>?] =
            unsafe environment.map { unsafe strdup("\($0.key)=\($0.value)") } + [nil]
        defer {
            unsafe argv.forEach { unsafe free($0) }
            unsafe envp.forEach { unsafe free($0) }
        }
        var child: Int32 = 0
        let error = unsafe posix_spawnp(&child, arguments[0], &actions, &attributes, &argv, &envp)
        guard error == 0 else { throw HarnessError("posix_spawn \(arguments[0]): errno \(error)") }
        pid = child
    }

    /// A child that nobody waits for would stay a zombie, and the testing library, which waits for any child, would find it
    /// again and again.
    deinit {
        guard status == nil else { return }
        kill(pid, SIGKILL)
        _ = eventually(5) { status != nil }
    }

    /// Descriptors of this process that somebody opened without close-on-exec stay here.
    private static func inheritNothing() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        for number in names.compactMap({ Int32($0) }) where number > 2 { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
    }

    /// As a shell counts: 128+N for signal N. nil while it runs.
    var status: Int32? {
        if let ended { return ended }
        var raw: Int32 = 0
        guard unsafe waitpid(pid, &raw, WNOHANG) == pid else { return nil }
        ended = raw & 0x7F == 0 ? raw >> 8 & 0xFF : 128 + raw & 0x7F
        return ended
    }

    func signal(_ signal: Int32) { if status == nil { kill(pid, signal) } }

    /// Waits; what takes longer than `seconds` is killed, and is an error.
    @discardableResult
    func wait(_ seconds: Double = 20) throws -> Finished {
        guard eventually(seconds, { status != nil }) else {
            kill(pid, SIGKILL)
            _ = eventually(5) { status != nil }
            throw HarnessError("still running after \(seconds) s; it said: \(text) \(errorText)")
        }
        return Finished(status: status ?? -1, output: bytes, errors: errorText)
    }

    var bytes: Data { FileManager.default.contents(atPath: output) ?? Data() }
    var text: String { String(decoding: bytes, as: UTF8.self) }
    var errorText: String { String(decoding: FileManager.default.contents(atPath: errors) ?? Data(), as: UTF8.self) }
}

struct Finished {
    var status: Int32
    var output: Data
    var errors: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [String] { text.split(separator: "\n").map(String.init) }
    var errorLines: [String] { errors.split(separator: "\n").map(String.init) }
}

struct HarnessError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Asks every few milliseconds until it is so, for so long on an ordinary machine.
func eventually(_ seconds: Double = 10, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date().addingTimeInterval(seconds * Host.patience)
    while Date() < end {
        if try condition() { return true }
        usleep(5_000)
    }
    return try condition()
}

/// Leaves others the time to do something that nobody sees the end of: so long on an ordinary machine.
func moment(_ seconds: Double) { usleep(useconds_t(seconds * 1_000_000 * Host.patience)) }

/// Runs a program of the host, such as a tool that prepares a test.
@discardableResult
func shell(_ script: String, _ arguments: String..., seconds: Double = 20) throws -> Finished {
    try Running(["/bin/sh", "-c", script, "sh"] + arguments, environment: Host.environment).wait(seconds)
}
