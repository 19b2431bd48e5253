import Foundation
import Glibc
import Testing

@Suite struct SignalTests {
    /// Longer than anything here waits.
    static let longGrace = Profiles.session("process: { stopGrace: '10m' }")
    static let shortGrace = Profiles.session("process: { stopGrace: '500ms' }")
    /// What ignores SIGTERM; its children do so too.
    static let stubborn = ["/bin/sh", "-c", "trap '' TERM; echo up; sleep 60; sleep 60"]

    @Test(arguments: Caller.all) func `SIGTERM is passed on, and the command's answer returned`(caller: Caller) throws {
        let jail = try Jail(caller)
        let command = ["/bin/bash", "-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done"]
        let running = try jail.startAndAwait("up", command: command)
        running.signal(SIGTERM)
        let finished = try running.wait()
        #expect(finished.status == 3)
        #expect(finished.lines.last == "bye")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all, [SIGHUP, SIGUSR1, SIGUSR2, SIGINT, SIGQUIT])
    func `other signals reach the command as they are`(caller: Caller, signal: Int32) throws {
        let command = [
            "/bin/bash", "-c",
            "for s in HUP INT QUIT USR1 USR2; do trap \"echo got $s; exit 4\" $s; done; echo up; while :; do sleep 0.1; done",
        ]
        let running = try Jail(caller).startAndAwait("up", command: command)
        running.signal(signal)
        let finished = try running.wait()
        #expect(finished.status == 4)
        let names = [SIGHUP: "HUP", SIGINT: "INT", SIGQUIT: "QUIT", SIGUSR1: "USR1", SIGUSR2: "USR2"]
        #expect(finished.lines.last == "got \(names[signal] ?? "?")")
    }

    @Test(arguments: Caller.all) func `SIGINT goes to the command's whole group`(caller: Caller) throws {
        // The child says that it is up: a signal that comes before there is one goes to the shell alone.
        let command = [
            "/bin/bash", "-c", "trap 'echo shell' INT; /bin/sh -c 'echo up; exec sleep 30'; echo after $?",
        ]
        let running = try Jail(caller).startAndAwait("up", command: command)
        running.signal(SIGINT)
        // The shell's trap runs once its child has ended, and that one ended by the signal.
        let finished = try running.wait(10)
        #expect(finished.lines.suffix(2) == ["shell", "after 130"])
    }

    @Test(arguments: Caller.all) func `a second SIGTERM kills what ignores the first`(caller: Caller) throws {
        let jail = try Jail(caller, Self.longGrace)
        let running = try jail.startAndAwait("up", command: Self.stubborn)
        running.signal(SIGTERM)
        moment(0.1)
        #expect(running.status == nil)
        // Two that wait for a process that has not come to reading them are one to the kernel: see signal(7).
        let isKilled = eventually(5) {
            running.signal(SIGTERM)
            return eventually(0.3) { running.status != nil }
        }
        #expect(isKilled && running.status == 137)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `what ignores SIGTERM is killed after its grace`(caller: Caller) throws {
        let jail = try Jail(caller, Self.shortGrace)
        let running = try jail.startAndAwait("up", command: Self.stubborn)
        let start = Date()
        running.signal(SIGTERM)
        #expect(try running.wait(10).status == 137)
        let time = Date().timeIntervalSince(start)
        #expect(time > 0.4 && time < 5, "\(time) s")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `the end of the command is the end of all`(caller: Caller) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait(
            "up", command: ["/bin/bash", "-c", "(trap '' TERM HUP; setsid sleep 61) & sleep 0.3; echo up; sleep 0.5"])
        let processes = try Tree.descendants(of: running.pid)
        #expect(processes.count >= 3)
        #expect(try running.wait(5).status == 0)
        for process in processes { #expect(!Tree.isAlive(process), "\(process)") }
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a killed supervisor takes the jail with it, and the next start clears up`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "trap '' TERM; echo up; sleep 62"])
        let processes = try Tree.descendants(of: running.pid)
        #expect(processes.count >= 2)
        running.signal(SIGKILL)
        #expect(try running.wait().status == 137)
        #expect(eventually(3) { !processes.contains(where: Tree.isAlive) })
        // It could not clear up itself.
        #expect(FileManager.default.fileExists(atPath: "\(jail.runtimeDirectory)/\(jail.name)"))
        // Of version 2 a service manager may have been quicker.
        if !FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers") {
            #expect(try !jail.cgroups.isEmpty)
        }
        #expect(try jail.run("/bin/true").status == 0)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a killed init is reported`(caller: Caller) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 63"])
        // The command speaks a moment before init tells the supervisor that it runs.
        moment(0.2)
        let inits = Tree.children(of: running.pid)
        try #require(inits.count == 1)
        kill(inits[0], SIGKILL)
        let finished = try running.wait(5)
        #expect(finished.status == 137)
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.hasPrefix("clawjail: "))
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `no signal from inside reaches init`(caller: Caller) throws {
        let finished = try Jail(caller).script("kill -9 1; kill -TERM 1; kill -USR1 1; sleep 0.2; echo still here")
        #expect(finished.status == 0)
        #expect(finished.text == "still here\n")
    }

    @Test(arguments: Caller.all) func `orphans are reaped`(caller: Caller) throws {
        let script =
            "for i in 1 2 3 4 5; do (sleep 0.1 &) ; done; sleep 0.6; grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l"
        #expect(try Jail(caller).script(script).text.trimmingCharacters(in: .whitespacesAndNewlines) == "0")
    }
}
