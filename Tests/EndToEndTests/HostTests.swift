import Foundation
import Testing

/// Hosts on which a jail cannot be: one line that says why, and nothing left.
@Suite struct HostTests {
    private func expectRefusal(
        _ finished: Finished, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect([78, 125].contains(finished.status), "\(finished.errors)", sourceLocation: sourceLocation)
        #expect(finished.errorLines.count == 1, "\(finished.errors)", sourceLocation: sourceLocation)
        #expect(finished.errors.hasPrefix("clawjail: "), "\(finished.errors)", sourceLocation: sourceLocation)
        #expect(finished.output.isEmpty, sourceLocation: sourceLocation)
        for part in parts {
            #expect(finished.errors.contains(part), "\(finished.errors)", sourceLocation: sourceLocation)
        }
    }

    @Test(.needsRoot, arguments: Caller.all) func `a runtime directory on a full disk`(caller: Caller) throws {
        var jail = try Jail(caller)
        let user = try Host.user.get()
        let place = caller == .root ? "/run" : jail.home
        jail.hostChange = """
            mount -t tmpfs -o size=4k,mode=755\(caller == .root ? "" : ",uid=\(user.uid),gid=\(user.gid)") none '\(place)' \
            && head -c 4096 /dev/zero > '\(place)/full'
            """
        expectRefusal(try jail.run("/bin/echo", "ran"), "No space left on device")
        #expect(try jail.cgroups.isEmpty)
        // Not even a directory can be made.
        jail.hostChange =
            "mount -t tmpfs -o nr_inodes=1,mode=755\(caller == .root ? "" : ",uid=\(user.uid),gid=\(user.gid)") none '\(place)'"
        expectRefusal(try jail.run("/bin/echo", "ran"), "No space left on device")
        #expect(try jail.cgroups.isEmpty)
    }

    @Test(.needsRoot, arguments: Caller.all) func `a host without /proc`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.hostChange = "umount -l /proc"
        expectRefusal(try jail.run("/bin/echo", "ran"), "/proc")
        try jail.expectNothingLeft()
    }

    @Test(.needsRoot, arguments: Caller.all) func `a host whose /proc is partly masked`(caller: Caller) throws {
        var jail = try Jail(caller)
        // As container engines and ProtectKernelTunables= do it.
        jail.hostChange =
            "mount --bind -o ro /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys && mount -t tmpfs none /proc/acpi 2>/dev/null || mount -t tmpfs none /proc/irq"
        let finished = try jail.run("/bin/echo", "ran")
        expectRefusal(finished, "proc", "masked")
        try jail.expectNothingLeft()
    }

    @Test(.needsRoot, arguments: Caller.all) func `a host without /sys/fs/cgroup`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.hostChange = "umount -l /sys/fs/cgroup"
        jail.isDelegated = false
        expectRefusal(try jail.run("/bin/echo", "ran"), "cgroup")
    }

    @Test(.needsRoot) func `a host where user namespaces are used up`() throws {
        var jail = try Jail(.root)
        // A user namespace of its own in which no more can be made.
        let script = "echo 0 > /proc/sys/user/max_user_namespaces; exec \"$@\""
        jail.wrapper = ["unshare", "--user", "--map-current-user", "--keep-caps", "/bin/sh", "-c", script, "sh"]
        expectRefusal(try jail.run("/bin/echo", "ran"), "user namespaces", "none left")
        try jail.expectNothingLeft()
    }

    @Test(.needs("bwrap"), arguments: Caller.all) func `inside a container of bubblewrap`(caller: Caller) throws {
        // The parent must be there as well, and in a user namespace the host's root is nobody.
        var jail = try Jail(caller, Self.alone(limits: "memory: '64M'"))
        jail.wrapper = ["bwrap", "--unshare-all", "--bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
        expectRefusal(try jail.run("/bin/echo", "ran"), "container")
        #expect(try jail.cgroups.isEmpty)
    }

    @Test(arguments: Caller.all) func `inside a jail of its own`(caller: Caller) throws {
        let program = try Host.clawjail
        let inner = try Jail(.user, Self.alone(limits: ""))
        let jail = try Jail(
            caller,
            "{ extends: 'session', process: { programs: ['\(program)'] }, filesystem: { read: ['\(inner.profile)'] } }"
                .json)
        let words = [program, "run", "--profile", inner.profile, "--", "/bin/echo", "ran"]
        expectRefusal(try jail.run(command: words), "clone3", "inside a jail")
        try jail.expectNothingLeft()
    }

    /// A profile without a parent.
    private static func alone(limits: String) -> String {
        "{ process: { programs: ['/usr/bin/'], shell: true }, limits: { \(limits) } }".json
    }
}
