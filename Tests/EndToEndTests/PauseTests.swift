import Foundation
import Testing

/// Jails that stand still, and what they use.
@Suite struct PauseTests {
    private static let isUnified = FileManager.default.fileExists(atPath: "/sys/fs/cgroup/cgroup.controllers")

    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(20)
    }

    @Test(arguments: Caller.all) func `pause and resume, where the host can`(caller: Caller) throws {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        let paused = try clawjail(jail, "pause", jail.name)
        guard Self.isUnified else {
            paused.expectRefusal(78, "cannot be paused", "version 2")
            running.signal(15)
            _ = try running.wait()
            return
        }
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
