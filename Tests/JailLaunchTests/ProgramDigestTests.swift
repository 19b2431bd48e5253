import AuditLog
import Foundation
import Glibc
import JailCore
import JailPlan
import TestSupport
import Testing

@testable import JailLaunch

/// Which programs a jail was started with.
struct `Digests of programs` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func plan(_ command: String, interpreters: [String] = []) -> LaunchPlan {
        .bare { plan in
            plan.stateDirectory = directory.path
            plan.command.path = command
            plan.command.interpreters = interpreters
        }
    }

    private var cache: String { "\(directory.path)/audit/.digests" }

    /// - Returns: the event's text, and in how many turns it was there.
    private func read(_ plan: LaunchPlan) -> (text: String, turns: Int) {
        var digests = ProgramDigests(plan)
        var turns = 1
        while !digests.work() { turns += 1 }
        return (digests.event.text(), turns)
    }

    private func program(_ content: [UInt8], age: Bool = true) throws -> String {
        try directory.directory("audit")
        let path = try directory.file("program")
        try Data(content).write(to: URL(fileURLWithPath: path))
        // What was changed just now is not remembered.
        if age { usleep(3_100_000) }
        return path
    }

    @Test func `a program is read once, and known by its digest from then on`() throws {
        let content = [UInt8](repeating: 7, count: 5 << 20)
        let path = try program(content)
        let expected = "\"sha256\":\"\(AuditDigest(of: content))\""
        let first = read(plan(path))
        #expect(first.text.contains("\"role\":\"command\",\"path\":\"\(path)\",\(expected)"), "\(first.text)")
        #expect(first.text.contains("\"role\":\"clawjail\"") && first.turns > 3)
        #expect(try System.status(cache).permissions == 0o600)
        let second = read(plan(path))
        #expect(second.text == first.text && second.turns == 1)
        // Others are not believed.
        for mode: mode_t in [0o644, 0o620] {
            unsafe chmod(cache, mode)
            #expect(read(plan(path)).turns == first.turns)
        }
        try FileManager.default.removeItem(atPath: cache)
        try FileManager.default.createSymbolicLink(atPath: cache, withDestinationPath: "/dev/zero")
        #expect(read(plan(path)).text == first.text)
        // Changed, and its time set back: it is another one.
        var times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try Data(content.map { $0 + 1 }).write(to: URL(fileURLWithPath: path))
        unsafe utimensat(AT_FDCWD, path, &times, 0)
        #expect(!read(plan(path)).text.contains(expected))
    }

    @Test func `what was changed a moment ago is read the next time as well`() throws {
        let path = try program([1, 2, 3], age: false)
        _ = read(plan(path))
        let known = (try? String(contentsOfFile: cache, encoding: .utf8)) ?? ""
        #expect(!known.contains(AuditDigest(of: [1, 2, 3]).description))
    }

    @Test func `what cannot be read has a reason in the place of a digest`() throws {
        try directory.directory("audit")
        let pipe = directory.path + "/pipe"
        unsafe mkfifo(pipe, 0o600)
        let text = read(plan(pipe, interpreters: [directory.path + "/none", directory.path])).text
        #expect(text.contains("\"sha256\":null,\"reason\":\"it is no regular file\""), "\(text)")
        #expect(text.contains("\"sha256\":null,\"reason\":\"openat2: "), "\(text)")
    }

    @Test func `a command of a prepared root is the one in there`() throws {
        try directory.directory("tree")
        try directory.directory("tree/bin")
        try Data([5]).write(to: URL(fileURLWithPath: directory.path + "/tree/bin/sh"))
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/tree/bin/link", withDestinationPath: "/bin/sh")
        var plan = plan("/bin/link")
        plan.command.root = directory.path + "/tree"
        #expect(read(plan).text.contains(AuditDigest(of: [5]).description))
    }

    @Test func `of many programs the last ones are remembered`() throws {
        let cache = DigestCache(self.cache)
        let path = try program([1])
        let status = try System.status(path)
        for number in 0..<100 { cache.keep(AuditDigest(of: [UInt8(number)]), of: status) }
        #expect(cache.read() == [DigestCache.Key(status): AuditDigest(of: [99])])
        try Data(repeating: 0x0A, count: 200_000).write(to: URL(fileURLWithPath: self.cache))
        #expect(cache.read().isEmpty)
    }
}
