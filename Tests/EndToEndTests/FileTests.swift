import Foundation
import Testing

@Suite struct FileTests {
    @Test(arguments: Caller.all) func `nothing of the host's can be written`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller))
        for place in ["/", "/usr", "/etc", "/dev", "/run", "/home"] {
            #expect(probe.result("create in \(place)") == "errno EROFS", "\(place)")
        }
        for file in ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sysrq-trigger"] {
            #expect(probe.result("write \(file)") != "ok", "\(file)")
        }
        for place in ["/tmp", "/dev/shm", "/home/claw"] {
            #expect(probe.result("create in \(place)") == "ok", "\(place)")
        }
    }

    @Test(arguments: Caller.all) func `nothing that was written can be executed`(caller: Caller) throws {
        let workspace = try Scratch.directory("workspace")
        let probe = try Probe.inside(
            Jail(caller), options: ["--workspace", workspace], arguments: ["--execute", "/workspace"])
        for place in ["/tmp", "/dev/shm", "/home/claw", "/workspace"] {
            #expect(probe.result("execute from \(place)") == "errno EACCES", "\(place)")
            #expect(probe.result("map executable from \(place)").hasPrefix("errno "), "\(place)")
            #expect(probe.result("make device in \(place)").hasPrefix("errno "), "\(place)")
        }
        #expect(probe.result("create in /workspace") == "ok")
    }

    @Test func `a profile can allow to execute what was written`() throws {
        let profile = "{ extends: 'session', process: { programs: ['PROBE'] }, filesystem: { executeWritable: true } }"
            .json
        let probe = try Probe.inside(Jail(Caller.all[0], profile))
        #expect(probe.result("execute from /tmp") == "ok")
        #expect(probe.result("make device in /tmp").hasPrefix("errno "))
    }

    @Test(arguments: Caller.all) func `every mount is nosuid, and writable ones are noexec`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller), arguments: ["--facts"])
        #expect(probe.mounts.count > 10)
        for mount in probe.mounts {
            let options = (mount["options"] ?? "").split(separator: ",")
            let target = mount["target"] ?? "?"
            #expect(options.contains("nosuid"), "\(target)")
            if !target.hasPrefix("/dev/") { #expect(options.contains("nodev"), "\(target)") }
            if options.contains("rw") {
                #expect(options.contains("noexec"), "\(target)")
                #expect(["/tmp", "/dev/shm", "/home/claw", "/dev/pts"].contains(target), "\(target)")
            }
            #expect(mount["propagation"] == "", "\(target)")
        }
        #expect(probe.mount("/")?["options"]?.hasPrefix("ro,") == true)
    }

    @Test(arguments: Caller.all) func `the tree holds what a jail needs and nothing else`(caller: Caller) throws {
        let probe = try Probe.inside(
            Jail(caller, Profiles.offline),
            arguments: ["--facts", "--list", "/root", "--list", "/sys", "--list", "/run", "--list", "/var"])
        #expect(
            probe.listing("/dev") == [
                "fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty", "urandom",
                "zero",
            ])
        #expect(probe.listing("/home") == ["claw"])
        #expect(probe.listing("/run") == [])
        for absent in ["/root", "/sys"] { #expect(probe.listing(absent) == nil, "\(absent)") }
        let etc = Set(probe.listing("/etc") ?? [])
        #expect(etc.isSuperset(of: ["passwd", "group", "hosts", "resolv.conf", "nsswitch.conf", "hostname"]))
        #expect(etc.isDisjoint(with: ["shadow", "gshadow", "sudoers", "ssh", "machine-id", "environment", "profile"]))
    }

    @Test(arguments: Caller.all) func `files of the host are out of reach`(caller: Caller) throws {
        let secret = Scratch.file("secret")
        try Scratch.write("secret", to: secret)
        let paths = [
            secret, "/etc/shadow", "/etc/machine-id", "/root", "/sys/kernel", "/var/log", "/proc/kcore", "/dev/mem",
            "/dev/kmsg",
        ]
        let probe = try Probe.inside(Jail(caller), arguments: paths.flatMap { ["--read", $0] })
        for path in paths { #expect(probe.result("read \(path)") != "ok", "\(path)") }
        #expect(try Probe.unconfined(["--read", secret]).result("read \(secret)") == "ok")
    }

    @Test func `a strict profile has no shell to be found`() throws {
        let paths = ["/bin/sh", "/usr/bin/bash", "/usr/bin/env", "/usr/bin/perl", "/bin/busybox", "/usr/bin/curl"]
        let probe = try Probe.inside(
            Jail(Caller.all[0], Profiles.offline), arguments: paths.flatMap { ["--read", $0] })
        for path in paths { #expect(probe.result("read \(path)") == "errno ENOENT", "\(path)") }
    }

    /// The wall of Landlock: the mount itself would let it be executed.
    @Test(arguments: Caller.all) func `what is only meant to be read cannot be executed`(caller: Caller) throws {
        let shown = try Scratch.directory("shown")
        try shell("cp /bin/true \"$1/tool\"", shown)
        let more = "filesystem: { read: ['\(shown):/shown'] } }".json
        let arguments = ["--start", "/shown/tool"]
        let strict = try Probe.inside(Jail(caller, Profiles.offline.dropLast() + ", " + more), arguments: arguments)
        #expect(strict.result("start /shown/tool") == "errno EACCES")
        #expect(try Probe.unconfined(["--start", "\(shown)/tool"]).result("start \(shown)/tool") == "ok")
        let shell = try Jail(caller, Profiles.session.dropLast() + ", " + more)
        #expect(try Probe.inside(shell, arguments: arguments).result("start /shown/tool") == "ok")
    }

    /// A clone that stays in its peer group would receive it, writable.
    @Test(.needsRoot) func `what the host mounts later does not appear inside`() throws {
        let shown = try Scratch.directory("shown")
        let jail = try Jail(.root, Profiles.session("filesystem: { read: ['\(shown):/shown'] }"))
        let script = """
            mount --make-rshared / && mount -t tmpfs none '\(shown)' && mkdir '\(shown)/later' || exit 90
            chmod 755 '\(shown)' '\(shown)/later'
            "$@" & pid=$!
            for i in $(seq 200); do [ -S '\(jail.runtimeDirectory)/\(jail.name)/control.sock' ] && break; sleep 0.02; done
            sleep 0.3
            mount -t tmpfs none '\(shown)/later' && touch '\(shown)/later/mounted' || exit 91
            wait $pid
            """
        var wrapped = jail
        wrapped.wrapper = ["unshare", "-m", "/bin/sh", "-c", script, "sh"]
        let finished = try wrapped.script("sleep 1; ls /shown/later; echo end")
        #expect(finished.status == 0, "\(finished.errors)")
        #expect(finished.text == "end\n")
    }
}
