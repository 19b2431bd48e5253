import Foundation
import Testing

@Suite struct PrivilegeTests {
    @Test(arguments: Caller.all) func `the payload has no capability`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller), arguments: ["--facts"])
        for set in ["effective", "permitted", "inheritable", "bounding", "ambient"] {
            #expect(probe.capabilities[set] == "0000000000000000", "\(set)")
        }
        // And uid 0 would mean nothing: noroot and no_setuid_fixup, locked.
        #expect(((probe.number("identity", "secureBits") ?? 0) & 0xF) == 0xF)
    }

    @Test(arguments: Caller.all) func `no program gains privileges`(caller: Caller) throws {
        #expect(try Probe.inside(Jail(caller), arguments: ["--facts"]).text("process", "noNewPrivileges") == "1")
    }

    @Test(arguments: Caller.all) func `the payload is uid 1000 and in no other group`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller), arguments: ["--facts"])
        #expect(probe.uids == ["1000", "1000", "1000", "1000"])
        #expect(probe.gids == ["1000", "1000", "1000", "1000"])
        #expect(probe.groups.isEmpty)
    }

    @Test(.needsRoot) func `root's payload is the named user on the host`() throws {
        let jail = try Jail(.root)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 30"])
        let user = try Host.user.get()
        let processes = try shell("ps -o user:32= -o args= -e").lines.filter { $0.hasSuffix(" sleep 30") }
        #expect(processes.contains { $0.hasPrefix(user.name) })
        running.signal(SIGTERM)
        #expect(try running.wait().status == 143)
    }

    @Test(arguments: Caller.all) func `every namespace is the jail's own`(caller: Caller) throws {
        let inside = try Probe.inside(Jail(caller), arguments: ["--facts"]).namespaces
        let outside = try Probe.unconfined(["--facts"]).namespaces
        for (kind, id) in outside { #expect(inside[kind] != nil && inside[kind] != id, "\(kind)") }
        #expect(inside.count == 8)
    }

    @Test(arguments: Caller.all) func `neither scheduling nor limits can be raised`(caller: Caller) throws {
        let probe = try Probe.inside(Jail(caller))
        #expect(probe.result("real-time scheduling") == "errno EPERM")
        #expect(probe.result("nice -5") == "errno EACCES")
        #expect(probe.result("raise limit") == "errno EPERM")
    }
}
