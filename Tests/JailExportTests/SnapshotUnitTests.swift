import JailCore
import JailPolicy
import Testing

@testable import JailExport

struct `Units of nightly snapshots` {
    private static func unit(_ change: (inout SnapshotUnit) -> Void = { _ in }) -> SnapshotUnit {
        var profile = Profile(name: "stateful")
        profile.filesystem.data = DataRule(size: 1 << 20)
        var unit = SnapshotUnit(
            program: "/usr/bin/clawjail", name: "demo", user: "clawjail", profileName: "stateful", profile: profile)
        change(&unit)
        return unit
    }

    private static func values(_ name: String, _ text: String) -> [String] {
        text.split(separator: "\n").filter { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
    }

    @Test func `the service makes a snapshot, and only then removes old ones`() {
        let unit = Self.unit()
        #expect(
            Self.values("ExecStart", unit.service) == [
                "/usr/bin/clawjail data snapshot --profile stateful -- demo",
                "/usr/bin/clawjail data prune --keep 7 --days 30 -- demo",
            ])
        #expect(Self.values("Type", unit.service) == ["oneshot"] && Self.values("User", unit.service) == ["clawjail"])
        #expect(unit.serviceName == "demo-snapshot.service" && unit.timerName == "demo-snapshot.timer")
        #expect(
            Self.values("ExecStart", Self.unit { ($0.keep, $0.days) = (3, 0) }.service)[1].contains("--keep 3 --days 0")
        )
        // Who has it is found where the jail's own unit puts it.
        for name in ["RuntimeDirectory", "StateDirectory"] {
            #expect(Self.values(name, unit.service) == ["clawjail-clawjail"])
            #expect(Self.values(name + "Mode", unit.service) == ["0700"])
        }
        // The directory of the jails that run is not this service's to remove.
        #expect(Self.values("RuntimeDirectoryPreserve", unit.service) == ["yes"])
        // Only the timer starts it.
        #expect(!unit.service.contains("[Install]"))
    }

    @Test func `the timer is nightly, spread, and makes up for nights that were missed`() {
        let timer = Self.unit().timer
        #expect(Self.values("OnCalendar", timer) == ["*-*-* 03:00:00"])
        #expect(Self.values("RandomizedDelaySec", timer) == ["1h"] && Self.values("Persistent", timer) == ["true"])
        #expect(Self.values("WantedBy", timer) == ["timers.target"])
        // A timer starts the service of its own name.
        #expect(Self.values("Unit", timer).isEmpty)
        for text in [timer, Self.unit().service] { #expect(text.hasPrefix(SystemdUnit.mark)) }
    }

    @Test func `a template saves the jail of its instance`() {
        let unit = Self.unit {
            ($0.name, $0.profileName, $0.profile) = (SystemdUnit.instance, nil, nil)
        }
        #expect(unit.serviceName == "clawjail-snapshot@.service" && unit.timerName == "clawjail-snapshot@.timer")
        #expect(Self.values("ExecStart", unit.service)[0] == "/usr/bin/clawjail data snapshot -- %i")
    }

    @Test func `it is walled in, and sees of the host what it needs`() {
        let service = Self.unit().service
        #expect(Self.values("CapabilityBoundingSet", service) == [""])
        for name in [
            "NoNewPrivileges", "PrivateNetwork", "PrivateDevices", "PrivateUsers", "ProtectHome", "PrivateTmp",
        ] {
            #expect(Self.values(name, service) == ["yes"], "\(name)")
        }
        #expect(Self.values("ProtectSystem", service) == ["strict"])
        #expect(Self.values("RestrictAddressFamilies", service) == ["AF_UNIX"])
        let home = Self.unit { $0.profile?.filesystem.data?.source = "/home/me/state" }.service
        #expect(Self.values("ProtectHome", home) == ["read-only"])
        let temporary = Self.unit { $0.profile?.filesystem.data?.source = "/var/tmp/x" }.service
        #expect(Self.values("PrivateTmp", temporary).isEmpty)
        let root = Self.unit { $0.asRoot = true }.service
        #expect(Self.values("User", root).isEmpty && Self.values("StateDirectory", root) == ["clawjail"])
        #expect(Self.values("PrivateDevices", root).isEmpty)
        #expect(Self.values("CapabilityBoundingSet", root)[0].contains("CAP_SETUID"))
    }

    @Test func `a jail that keeps nothing has no snapshots`() throws {
        #expect(throws: JailError.self) { try Self.unit { $0.profile?.filesystem.data = nil }.check() }
        try Self.unit().check()
        // Of a template nobody knows it yet.
        try Self.unit { $0.profile = nil }.check()
    }
}
