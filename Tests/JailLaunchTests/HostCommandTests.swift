import Foundation
import JailCore
import JailPlan
import TestSupport
import Testing

@testable import JailLaunch

/// Programs of the host's, started by the supervisor that is this test.
struct `Programs outside the jail` {
    private let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private static func shell(_ script: String, _ words: String...) -> HostCommandPlan {
        HostCommandPlan(purpose: "test.command", path: "/bin/sh", arguments: ["sh", "-c", script, "sh"] + words)
    }

    private static let environment = [
        ("PATH", "/usr/bin:/bin"), ("HOME", "/nowhere"), ("SECRET", "x"), ("DISPLAY", ":7"),
    ].map { (name: $0.0, value: $0.1) }

    private static func commands(most: Int = 4, longestQueue: Int = 64) -> HostCommands {
        HostCommands(most: most, longestQueue: longestQueue, environment: environment)
    }

    private func file(_ name: String) -> String { "\(directory.path)/\(name)" }
    private func text(_ name: String) -> String {
        (try? System.readFile(file(name))).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func events(_ notices: [JailNotice]) -> [String] {
        notices.compactMap { if case .event(let event) = $0 { event.text() } else { nil } }
    }

    private static let seconds: Int64 = 1_000_000_000

    @Test func `what it is told is its standard input, one line of JSON`() throws {
        let commands = Self.commands()
        commands.start(Self.shell("cat > \"$1\"", file("out")), input: ["event": "alert", "text": "a'\n$(b)"])
        commands.finish(patience: 10 * Self.seconds)
        #expect(text("out") == "{\"event\":\"alert\",\"text\":\"a'\\n$(b)\"}\n")
        #expect(commands.isIdle && commands.takeNotices().isEmpty)
    }

    @Test func `more than a pipe holds does not make the supervisor wait`() throws {
        let commands = Self.commands()
        commands.start(
            Self.shell("sleep 0.2; wc -c > \"$1\"", file("out")), input: [UInt8](repeating: 0x61, count: 1 << 20))
        commands.finish(patience: 10 * Self.seconds)
        #expect(text("out").contains("1048576"))
    }

    @Test func `it has three descriptors, whatever this process would pass on`() throws {
        let (reading, writing) = try System.pipe().release()
        let (readEnd, writeEnd) = (
            SharedDescriptor(OwnedDescriptor(reading)), SharedDescriptor(OwnedDescriptor(writing))
        )
        // A number of its own: other tests of this process have theirs.
        let inherited = try System.duplicate(writeEnd.borrowed, atLeast: 200)
        let number = inherited.borrowed.number
        try System.duplicate(writeEnd.borrowed, to: number, closeOnExec: false)
        let commands = Self.commands()
        commands.start(Self.shell("echo /proc/self/fd/* > \"$1\"", file("out")), input: [])
        commands.finish(patience: 10 * Self.seconds)
        // The shell's own, of the file that it writes to, is not there yet when the names are looked up.
        #expect(text("out").split(separator: " ").allSatisfy { !$0.contains("/\(number)") })
        #expect(text("out").contains("/proc/self/fd/2"))
        withExtendedLifetime((readEnd, writeEnd, inherited.borrowed)) {}
    }

    @Test func `it has a minimal environment, a session of its own and the top directory`() throws {
        let script = "{ env | sort; pwd; cut -d' ' -f1,6 /proc/$$/stat; } > \"$1\""
        let commands = Self.commands()
        commands.start(Self.shell(script, file("out")), input: [])
        var desktop = Self.shell(script, file("desktop"))
        desktop.reachesDesktop = true
        commands.start(desktop, input: [])
        commands.finish(patience: 10 * Self.seconds)
        let lines = text("out").split(separator: "\n").map(String.init)
        #expect(lines.contains("HOME=/nowhere") && lines.contains("PATH=/usr/bin:/bin"))
        #expect(!text("out").contains("SECRET") && !text("out").contains("DISPLAY"))
        #expect(lines.contains("/"))
        let numbers = try #require(lines.last).split(separator: " ")
        #expect(numbers.count == 2 && numbers[0] == numbers[1])
        #expect(text("desktop").contains("DISPLAY=:7") && !text("desktop").contains("SECRET"))
    }

    @Test func `signals that this process blocks are not blocked there`() throws {
        let commands = Self.commands()
        commands.start(Self.shell("grep SigBlk /proc/self/status > \"$1\"", file("out")), input: [])
        commands.finish(patience: 10 * Self.seconds)
        #expect(text("out").contains("0000000000000000"))
    }

    @Test func `one that takes too long is killed with its group, and that is told`() throws {
        let commands = Self.commands()
        var command = Self.shell("sleep 60 & echo $! > \"$1\"; wait", file("pid"))
        command.timeout = 300
        commands.start(command, input: [])
        commands.finish(patience: 20 * Self.seconds)
        let events = Self.events(commands.takeNotices())
        #expect(events.count == 1 && events[0].contains("not done within 300 ms"))
        let child = try #require(Int32(text("pid").trimmingCharacters(in: .newlines)))
        #expect(Self.isGone(child))
    }

    @Test func `what it leaves behind in its group ends with it`() throws {
        let commands = Self.commands()
        commands.start(Self.shell("sleep 60 & echo $! > \"$1\"", file("pid")), input: [])
        commands.finish(patience: 20 * Self.seconds)
        #expect(commands.takeNotices().isEmpty)
        #expect(Self.isGone(try #require(Int32(text("pid").trimmingCharacters(in: .newlines)))))
    }

    @Test func `a failure is told once with its reason, and again when it works`() throws {
        let commands = Self.commands()
        for _ in 0..<3 {
            commands.start(Self.shell("echo 'no \u{1B}such host' >&2; exit 6"), input: [])
            commands.finish(patience: 10 * Self.seconds)
        }
        let notices = commands.takeNotices()
        let events = Self.events(notices)
        #expect(notices.count == 2 && events.count == 1)
        #expect(events[0].hasPrefix("{\"event\":\"host-command\",\"purpose\":\"test.command\",\"outcome\":\"failed\""))
        #expect(events[0].contains("exit status 6: no \\\\u{1b}such host"), "\(events[0])")
        commands.start(Self.shell("true"), input: [])
        commands.finish(patience: 10 * Self.seconds)
        #expect(Self.events(commands.takeNotices()).first?.contains("works again; 3 runs had failed") == true)
    }

    @Test func `what is no program is a failure like any other`() throws {
        let commands = Self.commands()
        commands.start(HostCommandPlan(purpose: "p", path: "/nowhere/x", arguments: ["x"]), input: [])
        #expect(commands.isIdle)
        #expect(Self.events(commands.takeNotices()).first?.contains("execve '/nowhere/x'") == true)
    }

    @Test func `few run at once, the queue ends somewhere, and what it does not take is counted`() throws {
        let commands = Self.commands(most: 2, longestQueue: 3)
        let gate = file("gate")
        for _ in 0..<9 {
            commands.start(
                Self.shell("echo x >> \"$1\"; while ! [ -e \"$2\" ]; do sleep 0.05; done", file("ran"), gate), input: []
            )
        }
        // Each has two entries: its end, and what it says.
        #expect(commands.pollEntries.count == 4)
        #expect(Self.events(commands.takeNotices()).count == 1)
        try directory.file("gate")
        commands.finish(patience: 20 * Self.seconds)
        #expect(text("ran") == String(repeating: "x\n", count: 5))
        #expect(Self.events(commands.takeNotices()).first?.contains("4 runs were not made") == true)
    }

    @Test func `one that says without end does not hold anybody up, and little of it is kept`() throws {
        let commands = Self.commands()
        commands.start(Self.shell("yes aaaaaaaa >&2; exit 3"), input: [])
        commands.finish(patience: 20 * Self.seconds)
        let events = Self.events(commands.takeNotices())
        #expect(events.count == 1 && events[0].utf8.count < 500)
    }

    @Test func `patience ends: what still runs is killed, what waits is dropped`() throws {
        let commands = Self.commands(most: 1)
        for _ in 0..<2 { commands.start(Self.shell("echo $$ > \"$1\"; sleep 60", file("pid")), input: []) }
        commands.finish(patience: Self.seconds / 2)
        #expect(commands.isIdle)
        #expect(Self.isGone(try #require(Int32(text("pid").trimmingCharacters(in: .newlines)))))
        let events = Self.events(commands.takeNotices())
        #expect(
            events.contains { $0.contains("when the jail had ended") } && events.contains { $0.contains("dropped") })
    }

    @Test func `a supervisor that dies takes its programs with it`() async throws {
        let path = file("pid")
        await #expect(processExitsWith: .exitCode(7)) { [path = path as String] in
            let commands = HostCommands()
            commands.start(
                HostCommandPlan(
                    purpose: "p", path: "/bin/sh",
                    arguments: ["sh", "-c", "echo $$ > \"$1\"; exec sleep 60", "sh", path]),
                input: [])
            for _ in 0..<500 where ((try? System.readFile(path))?.count ?? 0) < 2 { usleep(10_000) }
            System.exitNow(7)
        }
        let pid = try #require(Int32(text("pid").trimmingCharacters(in: .newlines)))
        #expect(Self.isGone(pid))
    }

    /// Gone, or only not reaped yet by whoever inherited it.
    private static func isGone(_ pid: Int32) -> Bool {
        for _ in 0..<500 {
            guard let stat = try? System.readFile("/proc/\(pid)/stat") else { return true }
            if String(decoding: stat, as: UTF8.self).contains(") Z ") { return true }
            usleep(10_000)
        }
        return false
    }
}
