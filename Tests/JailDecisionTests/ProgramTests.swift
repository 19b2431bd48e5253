import JailCore
import JailDecision
import JailPlan
import JailPolicy
import Testing

struct `Decisions about programs, calls and ports` {
    @Test func `a listed program is found, with the loader that runs it`() throws {
        let decisions = try Setting().decisions()
        let decision = decisions.program("node")
        #expect(decision.isAllowed)
        #expect(decision.source == ProfileSource("process.programs", "node"))
        #expect(decision.notes.contains("found as '/usr/bin/node'"))
        #expect(decisions.program("/bin/node").isAllowed)
    }

    @Test func `without its loader a program does not start`() throws {
        var setting = Setting()
        setting.facts.closure.files.removeAll { $0.path == Setting.loader }
        let decision = try setting.decisions().program("node")
        #expect(!decision.isAllowed && decision.reason.contains("interpreter"))
    }

    @Test func `a program that is missing is listed by its name, and a shell with a warning`() throws {
        var setting = Setting()
        setting.host.programs = ["jq": "/usr/bin/jq", "bash": "/usr/bin/bash"]
        let decisions = try setting.decisions()
        let missing = decisions.program("jq")
        #expect(missing.change?.text == "process: { programs: [\"jq\"] }")
        #expect(missing.notes.isEmpty)
        #expect(decisions.program("bash").notes.contains { $0.contains("any command line") })
        #expect(decisions.program("nowhere").change == nil)
    }

    @Test func `calls are judged by what is compiled`() {
        func decide(_ call: String, _ argument: String? = nil, shell: Bool = false, _ more: [String] = []) -> Decision {
            SystemCallDecision.decide(call, argument, shell: shell, additional: more).decision
        }
        #expect(decide("read").isAllowed)
        #expect(decide("io_uring_setup").change?.text == "process: { systemCalls: [\"io_uring_setup\"] }")
        #expect(decide("io_uring_setup").errno == .notImplemented)
        #expect(decide("unshare").errno == .notPermitted)
        #expect(decide("unshare").notes.contains { $0.hasPrefix("advised against") })
        #expect(decide("io_uring_setup", nil, ["io_uring_setup"]).source?.value == "io_uring_setup")
        #expect(decide("ioctl").isAllowed)
        #expect(!decide("ioctl", "TIOCSTI").isAllowed)
        #expect(decide("ioctl", "TIOCSTI").change == nil)
        #expect(!decide("clone", "CLONE_NEWUSER").isAllowed)
        #expect(decide("openat2").obstacle != nil)
        #expect(decide("memfd_create", "0").change?.text == "process: { shell: true }")
        #expect(decide("memfd_create", "0", shell: true).isAllowed)
        #expect(decide("memfd_create", "MFD_NOEXEC_SEAL").isAllowed)
        #expect(decide("no_such_call").obstacle != nil)
    }

    @Test func `ports need no rule, unless the profile has a list of them`() throws {
        var setting = Setting()
        #expect(try setting.decisions().bind(8080).isAllowed)
        #expect(try setting.decisions().bind(80).obstacle != nil)
        setting.profile.network.listen = [18789]
        #expect(try setting.decisions().bind(18789).isAllowed)
        let refused = try setting.decisions().bind(8080)
        #expect(refused.change?.text == "network: { listen: [8080] }")
    }
}
