import Foundation
import Testing

/// Hard limits hold, and are reported under their own names. Serialized: some of them are about load.
@Suite(.serialized) struct LimitTests {
    /// A shell in bounds of its own.
    private func jail(_ caller: Caller, _ limits: String, _ more: String = "") throws -> Jail {
        try Jail(caller, "{ extends: 'session', process: { programs: ['PROBE'] }, limits: { \(limits) } \(more) }".json)
    }

    private func expectNamed(_ finished: Finished, _ message: String, _ key: String) {
        let lines = finished.errorLines.filter { $0.hasPrefix("clawjail: ") }
        #expect(lines.contains { $0.contains(message) && $0.contains(key) }, "\(finished.errors)")
    }

    @Test(.needs("python3"), arguments: Caller.all) func `memory`(caller: Caller) throws {
        let jail = try jail(caller, "memory: '64M'")
        let finished = try jail.run(command: ["/usr/bin/python3", "-c", "x = bytearray(200 << 20); print('had it')"])
        #expect(finished.status == 137)
        #expect(!finished.text.contains("had it"))
        expectNamed(finished, "memory limit 64M reached", "limits.memory")
        try jail.expectNothingLeft()
        #expect(
            try self.jail(caller, "memory: '400M'").run(command: ["/usr/bin/python3", "-c", "x = bytearray(200 << 20)"])
                .status == 0)
    }

    @Test(arguments: Caller.all) func `memory: a killed child is named while the jail goes on`(caller: Caller) throws {
        let jail = try jail(caller, "memory: '64M'")
        let finished = try jail.script("/usr/bin/perl -e '$x = \"x\" x (200 << 20)'; echo child $?; exit 0")
        #expect(finished.status == 0)
        #expect(finished.text == "child 137\n")
        expectNamed(finished, "memory limit 64M reached", "limits.memory")
    }

    @Test(arguments: Caller.all) func `tmpfs counts as memory`(caller: Caller) throws {
        let jail = try jail(caller, "memory: '32M'")
        let finished = try jail.script("head -c 50000000 /dev/zero > /tmp/big; echo $?")
        expectNamed(finished, "memory limit 32M reached", "limits.memory")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `processes`(caller: Caller) throws {
        let jail = try jail(caller, "processes: 20")
        let finished = try jail.script("for i in $(seq 40); do sleep 2 & done 2>/dev/null; wait", seconds: 40)
        expectNamed(finished, "process limit 20 reached", "limits.processes")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `processor time`(caller: Caller) throws {
        let jail = try jail(caller, "cpus: '0.15'")
        let script = "$end = time + 6; 1 while time < $end; @t = times; print $t[0] + $t[1]"
        let finished = try jail.run("/usr/bin/perl", "-e", script)
        // 6 seconds of 0.15 processors, and what a first period may take; on a busy machine less.
        #expect((Double(finished.text) ?? 99) < 1.3, "\(finished.text)")
        expectNamed(finished, "cpu limit 0.15 reached", "limits.cpus")
        try jail.expectNothingLeft()
    }

    @Test(
        arguments: Caller.all,
        [("/tmp", "filesystem.tmp"), ("/dev/shm", "filesystem.sharedMemory"), ("/home/claw", "filesystem.home")])
    func `sizes of file systems in memory`(caller: Caller, place: (path: String, key: String)) throws {
        let jail = try jail(caller, "memory: '200M'", ", filesystem: { tmp: '4M', sharedMemory: '4M', home: '4M' }")
        let finished = try jail.script("head -c 8000000 /dev/zero > \(place.path)/big; stat -c %s \(place.path)/big")
        #expect((Int(finished.lines.last ?? "") ?? 99_999_999) <= 4 << 20)
        expectNamed(finished, "size limit 4M of \(place.path) reached", place.key)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `the size of /data is watched, and ends the jail`(caller: Caller) throws {
        let jail = try jail(caller, "memory: '200M'", ", filesystem: { data: { size: '4M' } }")
        defer { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name)") }
        let finished = try jail.script(
            "head -c 8000000 /dev/zero > /data/big; echo written; sleep 30; echo too late", seconds: 25)
        #expect(finished.status == 137)
        #expect(finished.text == "written\n")
        expectNamed(finished, "size limit 4M of /data reached", "filesystem.data.size")
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `names of /data that are not text are counted too, and so are many`(
        caller: Caller
    ) throws {
        for script in [
            "d=/data/$(printf '\\377'); mkdir $d; head -c 8000000 /dev/zero > $d/big",
            "mkdir /data/d; cd /data/d; perl -e 'for (1..20000) { open my $f, \">\", $_ }'",
        ] {
            let jail = try jail(caller, "memory: '200M'", ", filesystem: { data: { size: '4M' } }")
            defer { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name)") }
            #expect(try jail.script(script + "; sleep 30", seconds: 25).status == 137)
        }
    }

    @Test(.enabled(if: Caller.all.contains(.user))) func `what is hidden in /data counts as too much`() throws {
        let jail = try jail(.user, "memory: '200M'", ", filesystem: { data: { size: '4M' } }")
        defer { _ = try? shell("chmod -R u+rwx \"$1\"; rm -rf \"$1\"", "\(jail.stateDirectory)/data/\(jail.name)") }
        let finished = try jail.script("mkdir /data/d; chmod 0 /data/d; sleep 30", seconds: 25)
        #expect(finished.status == 137)
        expectNamed(finished, "size limit 4M of /data reached", "filesystem.data.size")
    }

    @Test(arguments: Caller.all) func `open files`(caller: Caller) throws {
        let finished = try jail(caller, "openFiles: 32").run(
            "/usr/bin/perl", "-e", "while (open(my $f, '<', '/dev/null')) { push @f, $f } print scalar @f")
        #expect((20...32).contains(Int(finished.text) ?? 0), "\(finished.text)")
    }

    @Test(arguments: Caller.all) func `the size of a file`(caller: Caller) throws {
        let finished = try jail(caller, "fileSize: '1M'").script(
            "head -c 3000000 /dev/zero > /tmp/f; stat -c %s /tmp/f")
        #expect(finished.text == "1048576\n")
    }

    @Test(arguments: Caller.all) func `limits larger than the host are refused`(caller: Caller) throws {
        let jail = try jail(caller, "memory: '900T'")
        try jail.run("/bin/true").expectRefusal(78, "limits.memory is 900T", "the host has")
        try jail.expectNothingLeft()
    }

    @Test(.needsRoot) func `without a group to make groups in, an ordinary user is refused`() throws {
        var jail = try Jail(.user)
        jail.isDelegated = false
        try jail.run("/bin/true").expectRefusal(78, "may not make cgroups", "optional: [\"cgroup\"]")
        var optional = try Jail(.user, "{ extends: 'session', optional: ['cgroup'] }".json)
        optional.isDelegated = false
        let finished = try optional.run("/bin/true")
        #expect(finished.status == 0)
        #expect(finished.errors.hasPrefix("clawjail: left out, as the profile allows: cgroup: "))
        #expect(finished.errorLines.count == 1)
    }

    @Test(arguments: Caller.all) func `after everything nothing is left among the control groups`(caller: Caller) throws
    {
        let jail = try Jail(caller)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 68"])
        // There is one for each controller, below our own.
        #expect(try jail.cgroups.count >= 1)
        running.signal(15)
        _ = try running.wait()
        try jail.expectNothingLeft()
    }
}
