import Foundation
import Testing

/// Jails that stand still, and what they use.
@Suite struct PauseTests {
    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(20)
    }

    @Test(arguments: Caller.all) func `pause and resume`(caller: Caller) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        let paused = try clawjail(jail, "pause", jail.name)
        #expect(paused.status == 0 && paused.errors.isEmpty, "\(paused.errors)")
        try clawjail(jail, "exec", jail.name, "--", "/bin/true").expectRefusal(121, "is paused", "clawjail resume")
        #expect(try clawjail(jail, "ps").text.contains("paused"))
        #expect(try clawjail(jail, "resume", jail.name).status == 0)
        #expect(try clawjail(jail, "exec", jail.name, "--", "/bin/echo", "on").text == "on\n")
        #expect(try clawjail(jail, "pause", jail.name).status == 0)
        // A signal reaches nobody who stands still: the jail goes on for it.
        running.signal(15)
        #expect(try running.wait(10).status == 143)
        try jail.expectNothingLeft()
    }

    /// Whether anything below a process has used a processor within a moment.
    private func isBusy(_ pids: [Int32]) throws -> Bool {
        func used() -> [String] {
            pids.map { pid in
                let text = (try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8)) ?? ""
                return text.split(separator: " ").dropFirst(13).prefix(2).joined(separator: " ")
            }
        }
        let before = used()
        usleep(200_000)
        return used() != before
    }

    @Test(arguments: Caller.all) func `processes that fork without end all stand still, and go on`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, Profiles.session("optional: ['cgroup'], limits: { processes: 100 }"))
        // Shells and vfork(2), at the same time.
        let busy =
            "while :; do /bin/true; done & while :; do (:) & wait; done & while :; do env true; done & echo up; wait"
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", busy])
        for _ in 0..<5 {
            let paused = try clawjail(jail, "pause", jail.name)
            #expect(paused.status == 0, "\(paused.errors)")
            let below = try Tree.descendants(of: running.pid).filter { Tree.isAlive($0) }
            let inside = below.filter { pid in
                let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
                // In a namespace of its own, and not its first process.
                let numbers =
                    status.split(separator: "\n").first { $0.hasPrefix("NSpid:") }?.split(separator: "\t") ?? []
                return numbers.count > 2 && numbers.last != "1"
            }
            #expect(inside.count >= 3)
            #expect(try !isBusy(inside))
            #expect(try clawjail(jail, "ps").text.contains("paused"))
            #expect(try clawjail(jail, "resume", jail.name).status == 0)
        }
        let child = try Tree.descendants(of: running.pid)
        #expect(eventually(5) { (try? isBusy(child)) ?? false })
        running.signal(15)
        #expect(try running.wait(10).status == 143)
        try jail.expectNothingLeft()
    }

    @Test(.needs("python3"), arguments: Caller.all) func `one that has a timer continue it is stopped again`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller)
        // SIGEV_SIGNAL with SIGCONT, see timer_create(2).
        let program = """
            import ctypes, time
            libc = ctypes.CDLL(None)
            class Event(ctypes.Structure):
                _fields_ = [('value', ctypes.c_void_p), ('signo', ctypes.c_int), ('notify', ctypes.c_int), ('pad', ctypes.c_char * 64)]
            timer = ctypes.c_void_p()
            assert libc.timer_create(1, ctypes.byref(Event(None, 18, 0)), ctypes.byref(timer)) == 0
            assert libc.timer_settime(timer, 0, (ctypes.c_long * 4)(0, 700000000, 0, 700000000), None) == 0
            print('up', flush=True)
            while True: time.sleep(0.01)
            """
        let running = try jail.startAndAwait("up", command: ["/usr/bin/python3", "-c", program])
        #expect(try clawjail(jail, "pause", jail.name).status == 0)
        if !FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers") {
            #expect(eventually(5) { running.errorText.contains("went on by itself") }, "\(running.errorText)")
        }
        #expect(try clawjail(jail, "ps").text.contains("paused"))
        running.signal(9)
        _ = try running.wait(10)
    }

    @Test(arguments: Caller.all) func `figures are the kernel's`(caller: Caller) throws {
        let profile = Profiles.session("limits: { memory: '64M', processes: 20, cpus: '0.5' }")
        let jail = try Jail(caller, profile)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        let finished = try clawjail(jail, "stats", jail.name, "--json")
        let object = try JSONSerialization.jsonObject(with: finished.output) as? [String: Any]
        let memory = object?["memory"] as? [String: Any]
        let processes = object?["processes"] as? [String: Any]
        #expect(memory?["limit"] as? Int == 64 << 20, "\(finished.text) \(finished.errors)")
        // Jail init, and the command.
        #expect(processes?["current"] as? Int == 2 && processes?["limit"] as? Int == 21, "\(finished.text)")
        #expect((object?["cpu"] as? [String: Any])?["limitMilliCPUs"] as? Int == 500)
        #expect(try clawjail(jail, "stats").text.contains(jail.name))
        running.signal(15)
        _ = try running.wait()
        try clawjail(jail, "stats", jail.name).expectRefusal(120, "no jail named")
    }

    @Test func `there is nothing to pause where nothing runs`() throws {
        let jail = try Jail(.user)
        for word in ["pause", "resume", "stats"] {
            try clawjail(jail, word, "there-is-none").expectRefusal(120, "no jail named")
        }
    }
}
