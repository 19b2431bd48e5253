import Foundation
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailCommands
@testable import JailLaunch
@testable import JailPlan

/// Commands that are run outside of the jail that asks, by a runner that is this test's.
struct `Commands outside of the jail` {
    @Test func `one has the user's rights, an environment of its own, and nothing else`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture([
                RunnerFixture.shell { $0.environment = [EnvironmentVariable(name: "A", value: "b c")] }
            ])
            let script =
                "id -u; id -G; pwd; env | sort; grep -E 'NoNewPrivs|Cap(Inh|Prm|Eff|Amb)|SigBlk' /proc/self/status; "
                + "echo /proc/self/fd/*; ulimit -c; umask; cut -d' ' -f1,5,6 /proc/$$/stat"
            let outcome = try fixture.run(["-c", script])
            #expect(outcome.report == .ended(1, status: 0, note: nil), "\(outcome)")
            let user = RunnerFixture.user
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.first == String(user.identity.uid), "\(lines)")
            if System.effectiveUserID == 0 { #expect(lines[1] == "65534 61234") }
            #expect(lines[2] == "/")
            #expect(lines.contains("A=b c") && lines.contains("HOME=\(user.home)") && lines.contains("LANG=C.UTF-8"))
            #expect(lines.contains("PATH=/usr/local/bin:/usr/bin:/bin") && lines.contains("USER=\(user.identity.name)"))
            let names = Set(lines.filter { $0.contains("=") }.map { String($0.prefix { $0 != "=" }) })
            #expect(names.isSubset(of: ["A", "HOME", "LANG", "LOGNAME", "PATH", "PWD", "USER"]), "\(names)")
            #expect(lines.contains("NoNewPrivs:\t1"))
            for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
                #expect(lines.contains("\(set):\t0000000000000000"))
            }
            #expect(lines.contains("SigBlk:\t0000000000000000"))
            // Those of echo's own glob are gone when it prints.
            #expect(!outcome.output.contains("/proc/self/fd/4"))
            #expect(lines.contains("0") && lines.contains("0022"))
            let numbers = try #require(lines.last).split(separator: " ")
            #expect(Set(numbers).count == 1, "a group and a session of its own")
        }
    }

    @Test func `streams, statuses and signals pass`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let echo = try fixture.run(["-c", "cat; echo no >&2; exit 7"], input: "yes")
            #expect(echo.report == .ended(1, status: 7, note: nil))
            #expect(echo.output == "yes" && echo.errors == "no\n")
            #expect(try fixture.run(["-c", "kill -9 $$"]).report?.status == 137)
            #expect(try fixture.run(["-c", "echo $# $1", "sh", "a b", "c"]).output == "2 a b\n")
            let waiting = try #require(
                try fixture.start(
                    ["-c", "trap 'echo got; exit 3' TERM; echo ready; while :; do sleep 0.05; done"], input: nil))
            try fixture.pump { fixture.output(of: waiting) == "ready\n" }
            try fixture.runner.signal(waiting, UInt8(SIGTERM))
            let trapped = try fixture.finish(waiting)
            #expect(trapped.report?.status == 3 && trapped.output == "ready\ngot\n")
            // A signal for one that is not there any more is nobody's.
            try fixture.runner.signal(waiting, UInt8(SIGKILL))
            // More than any pipe holds, both ways.
            let long = try fixture.run(["-c", "head -c 1000000 /dev/zero | tr '\\0' x"])
            #expect(long.output.utf8.count == 1_000_000 && long.report?.status == 0)
        }
    }

    @Test func `one that wants a terminal has one`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let number = try #require(
                try fixture.start(
                    [
                        "-c",
                        "tty; stty size; test -r /dev/tty && echo TERM=$TERM; read line; stty size; echo got $line",
                    ], input: nil,
                    terminal: .init(rows: 11, columns: 22)))
            try fixture.pump { fixture.output(of: number).contains("TERM=xterm") }
            try fixture.runner.resize(number, .init(rows: 33, columns: 44))
            usleep(100_000)
            try fixture.type("hello\n", to: number)
            let outcome = try fixture.finish(number)
            #expect(outcome.report?.status == 0, "\(outcome)")
            #expect(outcome.output.contains("/dev/pts/") && outcome.output.contains("11 22\r\n"))
            #expect(outcome.output.contains("33 44\r\n") && outcome.output.contains("got hello"))
            let held = try #require(
                try fixture.start(["-c", "echo on; sleep 60"], input: nil, terminal: .init(rows: 1, columns: 1)))
            try fixture.pump { fixture.output(of: held).contains("on") }
            try fixture.type("\u{3}", to: held)
            #expect(try fixture.finish(held).report?.status == 130)
        }
    }

    @Test func `an order that the rules do not allow is not carried out`() async {
        await #expect(processExitsWith: .success) {
            let strict = RunnerFixture.shell {
                $0.flags = []
                $0.arguments = [CommandArgument(.literal("test"))]
            }
            var inside = RunnerFixture.shell()
            inside.name = "inside"
            let fixture = try RunnerFixture(
                [strict, inside], places: [.host(RunnerFixture.host("/usr/bin/dash")), .jail])
            for (words, index) in [
                (["-c", "echo bad"], 0), ([], 0), (["test", "x"], 0), (["tést"], 0), (["-c", "echo bad"], 1),
            ] {
                let outcome = try fixture.run(words, rule: index)
                #expect(outcome.report?.text == "it is not what the profile allows", "\(words) \(outcome)")
                #expect(outcome.report?.status == ExitStatus.notExecutable && outcome.output == "")
            }
        }
    }

    @Test func `nothing but pipes, files and the null device is a stream`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let directory = SharedDescriptor(try System.open("/", [.readOnly, .directory]))
            let null = SharedDescriptor(try System.open("/dev/null", .readWrite))
            let call = CommandCall(grant: fixture.grant(["-c", "true"]))
            #expect(try fixture.runner.start(call, streams: [null, directory, null], number: 77))
            #expect(try !fixture.runner.start(call, streams: [null, null], number: 78))
            var reports: [CommandReport] = []
            try fixture.pumpReports(into: &reports)
            #expect(reports.first?.text.contains("pipes, files") == true)
            #expect(try fixture.runner.start(call, streams: [null, null, null], number: 79))
            reports = []
            try fixture.pumpReports(into: &reports)
            #expect(reports == [.ended(79, status: 0, note: nil)])
        }
    }

    @Test func `time and output have their limits, and whoever calls is told`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture([
                RunnerFixture.shell {
                    $0.timeout = 1000
                    $0.outputSize = 1000
                }
            ])
            let late = try fixture.run(["-c", "echo begun; kill -STOP $$"], input: nil)
            #expect(
                late.report == .ended(1, status: 137, note: "it has taken longer than 1s, the time of its rule"),
                "\(late)")
            #expect(late.output == "begun\n")
            let loud = try fixture.run(["-c", "yes >&2 & yes"])
            #expect(
                loud.report == .ended(2, status: 137, note: "it has written more than 1000, the limit of its rule"),
                "\(loud.report as Any)")
            #expect(loud.output.utf8.count + loud.errors.utf8.count == 1000)
            let exact = try fixture.run(["-c", "head -c 1000 /dev/zero | tr '\\0' x"])
            #expect(exact.report == .ended(3, status: 0, note: nil) && exact.output.utf8.count == 1000)
        }
    }

    @Test func `what it leaves behind is gone before its end is told`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let mark = try RunnerFixture.mark()
            // In a session of its own, its parent gone, its streams closed; and one that holds them open.
            let script =
                "(setsid sh -c 'sleep 60; : \(mark)' </dev/null >/dev/null 2>&1 &) ; sh -c 'sleep 60; : \(mark)' & sleep 0.2; echo left"
            let outcome = try fixture.run(["-c", script])
            #expect(outcome.report == .ended(1, status: 0, note: nil) && outcome.output == "left\n")
            #expect(RunnerFixture.isNobodyLeft(with: mark))
            // One that closes its streams goes on, and is waited for.
            let closed = try fixture.run(["-c", "exec <&- >&- 2>&-; sleep 0.3; exit 4"])
            #expect(closed.report?.status == 4)
        }
    }

    @Test func `a call ends when its caller is gone, and the others go on`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let mark = try RunnerFixture.mark()
            let gone = try #require(
                try fixture.start(
                    ["-c", "trap '' TERM INT HUP; setsid sh -c 'sleep 60; : \(mark)' & echo on; sleep 60"], input: nil))
            let other = try #require(try fixture.start(["-c", "read line; echo $line"], input: nil))
            try fixture.pump { fixture.output(of: gone) == "on\n" }
            try fixture.runner.end(gone)
            #expect(try fixture.finish(gone).report?.status == 137)
            #expect(RunnerFixture.isNobodyLeft(with: mark))
            try fixture.type("still\n", to: other)
            #expect(try fixture.finish(other).output == "still\n")
        }
    }

    @Test func `one whose caller reads nothing keeps nobody waiting but itself`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture([RunnerFixture.shell { $0.timeout = 1000 }])
            let silent = try #require(try fixture.start(["-c", "yes"], reads: false))
            #expect(try fixture.run(["-c", "echo other"]).output == "other\n")
            #expect(try fixture.finish(silent).report?.text.contains("longer than 1s") == true)
        }
    }

    @Test func `no more run at once than may`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let running = try (0..<CommandRunnerProcess.mostCalls).map { _ in
                try fixture.start(["-c", "read line"], input: nil)
            }
            #expect(!running.contains(nil))
            #expect(try fixture.start(["-c", "true"]) == nil)
            try fixture.type("\n", to: try #require(running[3]))
            #expect(try fixture.finish(running[3]).report?.status == 0)
            #expect(try fixture.run(["-c", "echo again"]).output == "again\n")
            fixture.runner.endAll()
        }
    }

    @Test func `everything ends with the runner, and that is told`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let mark = try RunnerFixture.mark()
            let number = try #require(
                try fixture.start(
                    ["-c", "setsid sh -c 'sleep 60; : \(mark)' & echo on; sleep 60; : \(mark)"], input: nil))
            try fixture.pump { fixture.output(of: number) == "on\n" }
            try System.kill(fixture.runner.processID, SIGKILL)
            let outcome = try fixture.finish(number)
            #expect(outcome.report?.hasBegun == false && outcome.report?.text.contains("ended") == true)
            #expect(fixture.runner.hasEnded && fixture.runner.pollEntries.isEmpty)
            #expect(try fixture.start(["-c", "true"]) == nil)
            let notices = fixture.runner.takeNotices()
            #expect(notices.count == 2)
            try fixture.pump { RunnerFixture.isNobodyLeft(with: mark) }
            #expect(RunnerFixture.isNobodyLeft(with: mark))
        }
    }

    @Test func `everything ends when the jail does`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try RunnerFixture()
            let mark = try RunnerFixture.mark()
            for _ in 0..<2 {
                _ = try fixture.start(
                    ["-c", "trap '' TERM; setsid sh -c 'sleep 60; : \(mark)' & sleep 60; : \(mark)"], input: nil)
            }
            try fixture.pump { !RunnerFixture.isNobodyLeft(with: mark) }
            fixture.runner.endAll()
            #expect(RunnerFixture.isNobodyLeft(with: mark))
        }
    }

    @Test func `a jail of its own is started by clawjail as the plan says`() async {
        await #expect(processExitsWith: .success) {
            // Which says what it was started with.
            let launcher = "/usr/bin/echo"
            var rule = CommandRule(name: "npm", program: "/usr/bin/npm")
            rule.arguments = [CommandArgument(.literal("test"))]
            var place = CommandsPlan.OwnJail(
                profile: "p", launcher: launcher, identity: try System.status(launcher, followSymlink: true).identity,
                arguments: ["clawjail", "run", "--profile", "p", "--"], name: "chat-npm")
            place.launcher = try realPath(launcher)
            var other = place
            other.identity = FileIdentity(device: 1, inode: 1)
            var second = rule
            second.name = "npm2"
            let fixture = try RunnerFixture([rule, second], places: [.ownJail(place), .ownJail(other)])
            let outcome = try fixture.run(["test"])
            #expect(outcome.output == "run --name chat-npm-1 --profile p -- /usr/bin/npm test\n", "\(outcome)")
            let replaced = try fixture.run(["test"], rule: 1)
            #expect(replaced.report?.hasBegun == false)
            #expect(replaced.report?.text.contains("clawjail was replaced") == true, "\(replaced)")
        }
    }
}

private func realPath(_ path: String) throws -> String {
    URL(fileURLWithPath: path).resolvingSymlinksInPath().path
}

extension RunnerFixture {
    /// Of calls that have no caller here.
    func pumpReports(into reports: inout [CommandReport]) throws {
        let end = System.monotonicNanoseconds() + 60_000_000_000
        while reports.isEmpty, System.monotonicNanoseconds() < end {
            var entries = runner.pollEntries
            try System.poll(&entries, milliseconds: 100)
            try runner.handle(System.PollResult(entries))
            reports += runner.takeReports()
        }
    }
}
