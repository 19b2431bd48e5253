import JailCore
import JailPolicy
import Testing

@testable import JailExport

struct `A unit of systemd` {
    static func unit(_ change: (inout SystemdUnit) -> Void = { _ in }) -> SystemdUnit {
        var unit = SystemdUnit(
            program: "/usr/bin/clawjail", name: "demo", user: "clawjail", profileName: "p", profile: Profile(name: "p"),
            command: ["node", "/srv/gateway.js"])
        change(&unit)
        return unit
    }

    static func text(_ unit: SystemdUnit) -> String { (try? unit.text) ?? "" }

    /// The values of a setting, in order.
    static func values(_ name: String, _ unit: SystemdUnit) -> [String] {
        Self.text(unit).split(separator: "\n").filter { $0.hasPrefix(name + "=") }.map {
            String($0.dropFirst(name.count + 1))
        }
    }

    @Test func `it starts the jail, and waits for its word`() {
        let unit = Self.unit()
        #expect(
            Self.values("ExecStart", unit)
                == ["/usr/bin/clawjail run --name demo --profile p -- node /srv/gateway.js"])
        #expect(Self.values("Type", unit) == ["notify"] && Self.values("NotifyAccess", unit) == ["main"])
        #expect(Self.values("User", unit) == ["clawjail"] && Self.values("Delegate", unit) == ["yes"])
        #expect(Self.values("Restart", unit) == ["always"])
        #expect(Self.values("RestartPreventExitStatus", unit) == ["78 64"])
        #expect(Self.values("KillMode", unit) == ["mixed"] && Self.values("OOMPolicy", unit) == ["continue"])
        #expect(Self.values("WatchdogSec", unit) == ["60s"] && Self.values("WatchdogSignal", unit) == ["SIGTERM"])
        #expect(Self.text(unit).hasPrefix(SystemdUnit.mark) && unit.fileName == "demo.service")
        #expect(Self.values("WatchdogSec", Self.unit { $0.watchdog = 0 }).isEmpty)
    }

    @Test(arguments: [
        (RestartRules.Occasion.failure, "on-failure"), (.unhealthy, "on-failure"), (.always, "always"),
    ])
    func `a profile's restart becomes the manager's`(on: RestartRules.Occasion, restart: String) {
        let unit = Self.unit {
            $0.profile?.restart.on = on
            $0.profile?.restart.delay = 1500
            $0.profile?.restart.longest = 10_000
            $0.profile?.restart.most = 3
            $0.profile?.restart.within = 3_600_000
        }
        #expect(Self.values("Restart", unit) == [restart] && Self.values("RestartSec", unit) == ["1500ms"])
        #expect(Self.values("StartLimitBurst", unit) == ["4"])
        #expect(Self.values("StartLimitIntervalSec", unit) == ["3600s"])
        #expect(Self.values("RestartPreventExitStatus", unit) == ["78 64"])
        // Lines that systemd 252 does not know are for the reader alone.
        #expect(Self.text(unit).contains("#   RestartSteps=3\n#   RestartMaxDelaySec=10s\n"))
        #expect(Self.values("RestartSteps", unit).isEmpty)
        // Who asks for failures alone is not ended for being unhealthy, unless somebody says so.
        #expect(Self.values("WatchdogSec", unit) == (on == .failure ? [] : ["60s"]))
        var told = unit
        told.watchdog = 5000
        #expect(Self.values("WatchdogSec", told) == ["5s"])
    }

    @Test func `places are the user's, for nobody else`() {
        let unit = Self.unit { $0.user = "agents" }
        for name in ["RuntimeDirectory", "StateDirectory"] {
            #expect(Self.values(name, unit) == ["clawjail-agents"] && Self.values(name + "Mode", unit) == ["0700"])
        }
        #expect(Self.values("RuntimeDirectoryPreserve", unit) == ["yes"] && Self.values("UMask", unit) == ["0077"])
    }

    @Test func `times suit the gateway and the profile`() {
        #expect(Self.values("TimeoutStopSec", Self.unit()) == ["330s"])
        #expect(Self.values("TimeoutStartSec", Self.unit()) == ["90s"])
        let slow = Self.unit {
            $0.profile?.process.stopGrace = 600_000
            $0.profile?.health = HealthRules(.tcp(port: 1))
            $0.profile?.health?.startPeriod = 120_500
        }
        #expect(Self.values("TimeoutStopSec", slow) == ["630s"])
        #expect(Self.values("TimeoutStartSec", slow) == ["151s"])
    }

    @Test func `a template takes profile and command from its instance`() {
        let unit = Self.unit {
            $0.name = SystemdUnit.instance
            $0.profileName = SystemdUnit.instance
            $0.profile = nil
            $0.command = []
        }
        #expect(
            Self.values("ExecStart", unit)
                == ["/usr/bin/clawjail run --name %i --profile %i -- $CLAWJAIL_COMMAND"])
        #expect(Self.values("EnvironmentFile", unit) == ["-/etc/clawjail/agents/%i.env"])
        #expect(unit.fileName == "clawjail@.service")
    }

    @Test func `started by root it names the user to the jail, and keeps the rights that take it there`() {
        let unit = Self.unit { $0.asRoot = true }
        #expect(Self.values("User", unit).isEmpty && Self.values("PrivateUsers", unit).isEmpty)
        #expect(Self.values("ExecStart", unit)[0].contains("--user clawjail --"))
        #expect(Self.values("RuntimeDirectory", unit) == ["clawjail"])
        #expect(Self.values("CapabilityBoundingSet", unit)[0].contains("CAP_SYS_ADMIN"))
        #expect(Self.values("CapabilityBoundingSet", Self.unit()) == [""])
    }

    @Test(arguments: [
        ("plain", "plain"), ("/a-b_c.d:e=f,@", "/a-b_c.d:e=f,@"), ("a b", "\"a b\""), ("", "\"\""),
        ("100%", "100%%"), ("%i", "%%i"), ("$HOME", "$$HOME"), ("a\"b\\", "\"a\\\"b\\\\\""), ("it's", "\"it's\""),
        (";", "\";\""), ("a\nUser=root", "\"a\\x0aUser=root\""), ("é", "\"\\xc3\\xa9\""),
    ])
    func `no word of a command means anything to systemd`(word: String, text: String) {
        #expect(UnitText.quoted(word) == text)
        #expect(
            Self.values("ExecStart", Self.unit { $0.command = ["x", word] })
                == ["/usr/bin/clawjail run --name demo --profile p -- x \(text)"])
    }

    @Test func `the program's own path has no variables in it`() {
        let unit = Self.unit { $0.program = "/opt/a$b 100%/clawjail" }
        #expect(Self.values("ExecStart", unit)[0].hasPrefix("\"/opt/a$b 100%%/clawjail\" run "))
    }

    /// A list of paths has no escapes but those of quotes, and knows no variables; the path of a credential is the rest of its
    /// line. Both were read back by systemd 252.
    @Test(arguments: [
        ("/srv/a-b", "/srv/a-b", "/srv/a-b"), ("/srv/a b", "\"/srv/a b\"", "/srv/a b"),
        ("/srv/100%i", "/srv/100%%i", "/srv/100%%i"), ("/srv/a$b", "/srv/a$b", "/srv/a$b"),
        ("/srv/zoë", "/srv/zoë", "/srv/zoë"), ("/srv/a\"b", "\"/srv/a\\\"b\"", "/srv/a\"b"),
        ("/srv/a\\b", "\"/srv/a\\\\b\"", "/srv/a\\b"), ("/srv/it's", "\"/srv/it's\"", "/srv/it's"),
    ])
    func `no path means anything else to systemd`(path: String, listed: String, last: String) throws {
        let credential = try #require(SystemdUnit.Credential(name: "token", path: path))
        let unit = Self.unit {
            $0.profile?.filesystem.write = [BindRule(source: path, target: "/w")]
            $0.credentials = [credential]
        }
        #expect(Self.values("ReadWritePaths", unit) == [listed])
        #expect(Self.values("LoadCredential", unit) == ["token:\(last)"])
    }

    @Test func `credentials that secrets come from are loaded, unless they are named with a path`() throws {
        func unit(_ credentials: [SystemdUnit.Credential]) -> SystemdUnit {
            Self.unit {
                for name in ["hub", "mine"] {
                    var binding = SecretBinding(name: name, hosts: [], place: .bearer)
                    binding.source = .credential("\(name).key")
                    $0.profile?.secrets.bindings.append(binding)
                }
                $0.credentials = credentials
            }
        }
        let given = try #require(SystemdUnit.Credential(name: "mine.key", path: "/etc/mine"))
        #expect(
            Self.values("LoadCredentialEncrypted", unit([given])) == ["hub.key:/etc/credstore.encrypted/hub.key"])
        #expect(Self.values("LoadCredential", unit([given])) == ["mine.key:/etc/mine"])
        #expect(Self.values("LoadCredentialEncrypted", unit([])).count == 2)
    }

    /// A backslash at the end of a line joins the next one to it, and a blank there is none of the path's.
    @Test func `a path that no unit can name makes none`() throws {
        for path in ["/srv/a\nUser=root", "/srv/a\rb", "/srv/a\u{7F}"] {
            let unit = Self.unit { $0.profile?.filesystem.write = [BindRule(source: path, target: "/w")] }
            #expect(throws: JailError.self) { try unit.text }
        }
        for path in ["/srv/a\nUser=root", "/srv/a\\", "/srv/a "] {
            let credential = try #require(SystemdUnit.Credential(name: "token", path: path))
            let unit = Self.unit { $0.credentials = [credential] }
            #expect(throws: JailError.self) { try unit.text }
        }
    }

    @Test(arguments: ["", "a:b", "a b", "%i", "\"a", "a\\", ".a", "a/b", String(repeating: "a", count: 65)])
    func `a credential's name is plain`(name: String) {
        #expect(SystemdUnit.Credential(name: name, path: "/etc/t") == nil)
        #expect(SystemdUnit.Credential(name: "API_key-1.txt", path: "/etc/t") != nil)
    }

    /// They mask /proc or the cgroup tree, or take calls away that a jail is made with.
    @Test(arguments: [
        "ProtectKernelTunables", "ProtectKernelLogs", "ProtectControlGroups", "ProtectHostname", "ProcSubset",
        "RestrictNamespaces", "RestrictSUIDSGID", "MemoryDenyWriteExecute", "PrivateNetwork", "RemoveIPC",
    ])
    func `what a jail cannot stand is not set, and the unit says so`(name: String) {
        for unit in [Self.unit(), Self.unit { $0.asRoot = true }] {
            #expect(Self.values(name, unit).isEmpty)
            #expect(Self.text(unit).contains("# ") && Self.text(unit).contains(name))
        }
    }

    @Test func `what the profile writes can be written, and what it needs is not hidden`() throws {
        let plain = Self.unit()
        #expect(Self.values("ProtectHome", plain) == ["yes"] && Self.values("PrivateTmp", plain) == ["yes"])
        #expect(Self.values("ReadWritePaths", plain).isEmpty)
        let unit = Self.unit {
            $0.profile?.filesystem.write = [BindRule(source: "/home/a b", target: "/w")]
            $0.profile?.filesystem.data = DataRule(size: 1)
            $0.profile?.filesystem.data?.source = "/srv/data"
            $0.command = ["node", "/tmp/x.js"]
        }
        #expect(Self.values("ReadWritePaths", unit) == ["\"/home/a b\"", "/srv/data"])
        #expect(Self.values("ProtectHome", unit).isEmpty && Self.values("PrivateTmp", unit).isEmpty)
    }

    @Test func `commands on the host have what they need of it`() {
        var rule = CommandRule(name: "x", program: "/tmp/x")
        rule.place = .host("logs")
        rule.workingDirectory = "/home/logs"
        let unit = Self.unit { $0.profile?.commands.rules = [rule] }
        #expect(Self.values("ProtectHome", unit).isEmpty && Self.values("PrivateTmp", unit).isEmpty)
        #expect(Self.values("IPAddressDeny", unit).isEmpty)
        rule.place = .jail
        let inside = Self.unit { $0.profile?.commands.rules = [rule] }
        #expect(Self.values("ProtectHome", inside) == ["yes"] && Self.values("IPAddressDeny", inside) == ["any"])
    }

    @Test func `a jail that lets nothing out gets no address either`() throws {
        #expect(Self.values("IPAddressDeny", Self.unit()) == ["any"])
        #expect(Self.values("IPAddressAllow", Self.unit()) == ["localhost"])
        let everywhere = try PublishedPort.parse("0.0.0.0:1:1")
        let wide = Self.unit { $0.profile?.network.publish = [everywhere] }
        #expect(Self.values("IPAddressDeny", wide).isEmpty)
        #expect(Self.values("IPAddressDeny", Self.unit { $0.profile = nil }).isEmpty)
    }
}
