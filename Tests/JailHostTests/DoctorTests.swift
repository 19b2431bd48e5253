import JailCore
import JailHost
import JailPlan
import Testing

@Suite struct DoctorTests {
    private func check(_ name: String, _ change: (inout Doctor.Readings) -> Void) throws -> Doctor.Check {
        var readings = Doctor.Readings()
        readings.kernelRelease = "6.1.0-13-amd64"
        change(&readings)
        return try #require(Doctor(readings).checks.first { $0.name == name })
    }

    @Test(arguments: [
        ("6.1.0-13-amd64", Doctor.Status.ok), ("5.15.0", .ok), ("5.14.21", .missing), ("4.18.0-553", .missing),
        ("10.0", .ok), ("odd", .missing),
    ])
    func `the kernel must be 5.15 or newer`(release: String, status: Doctor.Status) throws {
        #expect(try check("kernel") { $0.kernelRelease = release }.status == status)
    }

    @Test(arguments: [
        ("/proc/sys/user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
            "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
        ),
        ("/proc/self/status:Seccomp", "2", "--security-opt seccomp=unconfined"),
    ])
    func `each switch against user namespaces has its own remedy`(path: String, value: String, remedy: String) throws {
        let found = try check("user namespaces") {
            $0.trial = System.NamespaceTrial(user: .notPermitted)
            $0.lines[path] = value
        }
        #expect(found.status == .missing)
        #expect(found.remedy?.contains(remedy) == true)
        #expect(found.finding.contains("(errno 1)"))
    }

    @Test func `id maps that cannot be written count as no user namespaces`() throws {
        let found = try check("user namespaces") { $0.trial = System.NamespaceTrial(maps: .notPermitted) }
        #expect(found.finding.contains("writing its id maps failed"))
        #expect(found.status == .missing)
    }

    @Test func `a masked proc is told apart inside and outside of containers`() throws {
        let outside = try check("fresh /proc") { $0.trial = System.NamespaceTrial(freshProc: .notPermitted) }
        #expect(outside.remedy?.contains("ProtectKernelTunables=") == true)
        let inside = try check("fresh /proc") {
            $0.trial = System.NamespaceTrial(freshProc: .notPermitted)
            $0.present = ["/.dockerenv"]
        }
        #expect(inside.remedy?.contains("systempaths=unconfined") == true)
        let untried = try check("fresh /proc") { $0.trial = System.NamespaceTrial(user: .notPermitted) }
        #expect(untried.status == .missing)
    }

    @Test func `Landlock is absent, switched off, too old, or fine`() throws {
        #expect(try check("Landlock") { $0.landlockABI = 2 }.status == .ok)
        #expect(try check("Landlock") { $0.landlockABI = 1 }.finding.contains("too old"))
        let off = try check("Landlock") { $0.lines["/sys/kernel/security/lsm"] = "capability,yama" }
        #expect(off.remedy == "add lsm=landlock,capability,yama to the kernel's boot line")
        #expect(try check("Landlock") { _ in }.remedy?.contains("CONFIG_SECURITY_LANDLOCK") == true)
    }

    @Test func `cgroups without delegation name the command that gets it`() throws {
        let found = try check("cgroups") { $0.cgroup = .unavailable(reason: "no") }
        #expect(found.remedy?.contains("systemd-run --user --scope -p Delegate=yes") == true)
        let partly = try check("cgroups") { $0.cgroup = .v2(directory: "/x", controllers: ["memory", "pids"]) }
        #expect(partly.status == .limited)
        #expect(partly.finding.hasSuffix("; not cpu"))
        #expect(
            try check("cgroups") { $0.cgroup = .v2(directory: "/x", controllers: ["memory", "pids", "cpu"]) }.status
                == .ok)
    }

    @Test func `a scope of the service manager is as good, if the manager answers and has it all`() throws {
        func found(_ controllers: Set<String>, silence: String? = nil, manager: ScopeOffer.Manager = .user) throws
            -> Doctor.Check
        {
            try check("cgroups") {
                $0.cgroup = .scope(
                    ScopeOffer(manager: manager, socket: "/s", controllers: controllers, reason: "not ours"))
                $0.managerSilence = silence
            }
        }
        let all: Set<String> = ["memory", "pids", "cpu"]
        #expect(try found(all).status == .ok)
        #expect(
            try found(all).finding
                == "version 2; not ours: the user service manager gives each jail a scope, with cpu memory pids")
        let partly = try found(["memory", "pids"])
        #expect(partly.status == .limited && partly.finding.hasSuffix("; not cpu"))
        #expect(partly.remedy?.contains("Delegate=cpu memory pids io") == true)
        #expect(partly.remedy?.contains("user@.service.d/delegate.conf") == true)
        #expect(try found(["memory", "pids"], manager: .system).remedy == "boot without cgroup_disable=cpu")
        let silent = try found(all, silence: "Connection refused")
        #expect(silent.status == .limited && silent.finding.contains("gives no other: Connection refused"))
        #expect(silent.remedy?.contains("Delegate=yes") == true)
    }

    @Test func `a user's manager that ends at logout is a limit`() throws {
        func found(_ present: Set<String>) -> Doctor.Check? {
            var readings = Doctor.Readings()
            readings.cgroup = .scope(ScopeOffer(manager: .user, socket: "/s", controllers: [], reason: "r"))
            readings.userName = "alice"
            readings.present = present
            return Doctor(readings).checks.first { $0.name == "lingering" }
        }
        #expect(found([])?.remedy == "sudo loginctl enable-linger alice")
        #expect(found(["/var/lib/systemd/linger/alice"])?.status == .ok)
        #expect(!Doctor(Doctor.Readings()).checks.contains { $0.name == "lingering" })
    }

    @Test func `a handler of core dumps and an open ptrace are limits`() throws {
        #expect(
            try check("core dumps") { $0.lines["/proc/sys/kernel/core_pattern"] = "|/usr/lib/handler %p" }.status
                == .limited)
        #expect(try check("core dumps") { $0.lines["/proc/sys/kernel/core_pattern"] = "core" }.status == .ok)
        #expect(try check("ptrace") { $0.lines["/proc/sys/kernel/yama/ptrace_scope"] = "0" }.remedy != nil)
        #expect(try check("ptrace") { $0.lines["/proc/sys/kernel/yama/ptrace_scope"] = "1" }.status == .ok)
    }

    private func appArmor(
        uid: UInt32 = 1000, restricts: String? = "1", label: String = "unconfined", trial: Errno? = nil,
        hasProfile: Bool = false
    ) throws -> Doctor.Check {
        try check("AppArmor") {
            $0.caller.uid = uid
            $0.lines["/sys/module/apparmor/parameters/enabled"] = "Y"
            $0.lines["/proc/sys/kernel/apparmor_restrict_unprivileged_userns"] = restricts
            $0.lines["/proc/self/attr/apparmor/current"] = label
            $0.trial = System.NamespaceTrial(maps: trial)
            if hasProfile { $0.present = ["/etc/apparmor.d/clawjail"] }
        }
    }

    @Test func `AppArmor is a limit only where it restricts this caller`() throws {
        #expect(try appArmor(trial: .notPermitted).status == .limited)
        #expect(try appArmor().status == .limited)
        #expect(try appArmor(uid: 0).status == .ok)
        #expect(try appArmor(restricts: "0").status == .ok)
        #expect(try appArmor(restricts: nil).finding == "in force; clawjail runs unconfined")
        #expect(try check("AppArmor") { $0.caller.uid = 1000 }.finding == "not in force")
    }

    @Test func `the profile for clawjail is recognised, and named where it is missing`() throws {
        let loaded = try appArmor(label: "clawjail (unconfined)")
        #expect(loaded.status == .ok && loaded.finding.contains("allows them here: clawjail runs as 'clawjail (unconf"))
        #expect(try appArmor(label: "clawjail (unconfined)", trial: .notPermitted).status == .limited)
        #expect(try appArmor().remedy?.contains("make install") == true)
        #expect(
            try appArmor(hasProfile: true).remedy?.hasPrefix("sudo apparmor_parser -r /etc/apparmor.d/clawjail") == true
        )
        let confined = try appArmor(restricts: "0", label: "lxc//&outer (enforce)")
        #expect(confined.finding == "in force; clawjail runs in the profile 'lxc//&outer'")
    }

    @Test func `groups that cannot be dropped give the command as the remedy`() throws {
        let found = try check("groups") { $0.groups = .impossible(reason: "no helper: apt install uidmap") }
        #expect(found.finding == "no helper")
        #expect(found.remedy?.hasPrefix("apt install uidmap") == true)
    }

    @Test func `this host is examined without leaving anything behind`() throws {
        let before = (try System.readFile("/proc/self/mountinfo", limit: 1 << 24), children())
        let doctor = try Doctor.examine(searchPath: "/usr/bin")
        let after = (try System.readFile("/proc/self/mountinfo", limit: 1 << 24), children())
        #expect(before == after)
        #expect(doctor.checks.count == 16)
        #expect(doctor.checks.first { $0.name == "kernel" }?.status == .ok)
        for check in doctor.checks {
            #expect(!check.finding.isEmpty && !check.finding.contains("\n") && !check.why.isEmpty)
            if check.status == .missing { #expect(check.remedy != nil, "\(check.name)") }
        }
    }

    @Test func `text and JSON say the same`() throws {
        var readings = Doctor.Readings()
        readings.programs = [("node", nil)]
        let checks = Doctor(readings).checks
        let text = Doctor.text(checks)
        let json = Doctor.json(checks).text()
        for check in checks {
            #expect(text.contains(check.finding))
            #expect(json.contains("\"name\":\"\(check.name)\",\"status\":\"\(check.status.rawValue)\""))
        }
        #expect(text.contains("do:  sudo apt install nodejs"))
    }

    private func children() -> String {
        (try? System.readFile("/proc/self/task/\(System.processID)/children")).map {
            String(decoding: $0, as: UTF8.self)
        } ?? ""
    }
}
