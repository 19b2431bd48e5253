import Foundation
import Glibc
import Testing

/// A log whose disk runs full while its jail is busy: nothing that was let through is missing in it.
@Suite(.serialized, .needsRoot, .needs("curl")) struct DiskFullTests {
    /// A jail whose every request is let through, and recorded, on a disk with room for some hundred records.
    private struct Busy {
        let jail: Jail
        let log: AuditLogFiles
        private let origin: Origin

        /// Each line that it says is a request that was let through, and answered.
        static let script = "echo up; while :; do curl -s -m 5 -o /dev/null -w '%{http_code}\\n' "

        init(_ caller: Caller, onFull: String) throws {
            origin = try Origin("here")
            jail = try Jail(
                caller,
                Profiles.session(
                    "audit: { onFull: '\(onFull)' }, network: { allow: [{ hosts: ['127.0.0.1'], "
                        + "ports: [\(origin.port)], schemes: ['http'] }], allowPrivate: ['127.0.0.1/32'] }"))
            log = AuditLogFiles(jail: jail)
            let top = "\(jail.stateDirectory)/audit"
            try shell("umask 077; mkdir -p \"$1/$2\"", top, jail.name)
            try shell("mount -t tmpfs -o size=\(Self.size),mode=700 tmpfs \"$1/$2\"", top, jail.name)
            if caller == .user {
                try shell("chown -R \"$1\" \"$2\"", String(try Host.user.get().uid), jail.stateDirectory)
            }
        }

        /// Room for one reservation, and not for another after it.
        private static let size = "192k"

        func start() throws -> Running {
            try jail.startAndAwait(
                "up",
                command: [
                    "/bin/sh", "-c", "\(Self.script) 'http://127.0.0.1:\(origin.port)/[1-40]'; done",
                ])
        }

        func makeRoom() throws {
            #expect(try shell("mount -o remount,size=64m \"$1\"", log.directory).status == 0)
        }

        func clear() {
            _ = try? shell("umount -l \"$1\"", log.directory)
            log.remove()
        }
    }

    private func answered(_ running: Running) -> Int {
        running.text.split(separator: "\n").count { $0 == "200" }
    }

    private func allowed(_ log: AuditLogFiles) throws -> Int {
        try log.records().count { $0["event"] as? String == "network" && $0["verdict"] as? String == "allowed" }
    }

    @Test(arguments: Caller.all) func `a full disk stops the jail, which says why, and its last words still fit`(
        caller: Caller
    ) throws {
        let busy = try Busy(caller, onFull: "stop")
        defer { busy.clear() }
        let running = try busy.start()
        let finished = try running.wait(60)
        #expect(finished.errors.contains("audit: "), "\(finished.errors)")
        #expect(finished.errors.contains("No space left on device"), "\(finished.errors)")
        #expect(finished.errors.contains("audit.onFull says that the jail is to stop"), "\(finished.errors)")
        #expect(finished.status != 0)
        let report = try busy.log.report()
        // Signed up to the end: nothing is torn, and nothing missing.
        #expect(report.status == 0 && report.kinds.isEmpty && report.signed == report.records, "\(report)")
        let events = try busy.log.records().compactMap { $0["event"] as? String }
        #expect(events.contains("audit-full") && events.contains("exited"), "\(events.suffix(5))")
        #expect(answered(running) > 50)
        #expect(try allowed(busy.log) >= answered(running))
        try busy.jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `by its profile it stands still while the disk is full, and goes on with room`(
        caller: Caller
    ) throws {
        let busy = try Busy(caller, onFull: "pause")
        defer { busy.clear() }
        let running = try busy.start()
        #expect(
            eventually(60) { running.errorText.contains("audit.onFull says that the jail is to pause") },
            "\(running.errorText)")
        let list = { try busy.jail.start(words: ["ps"]).wait().text }
        #expect(try eventually(10) { try list().contains("paused") })
        let before = answered(running)
        usleep(500_000)
        #expect(answered(running) == before && running.status == nil)
        // Whoever looks meanwhile finds whole records.
        let meanwhile = try busy.log.report()
        #expect(meanwhile.isIntact && Set(meanwhile.kinds).isSubset(of: ["unclosed", "unsigned"]), "\(meanwhile)")
        try busy.makeRoom()
        #expect(
            eventually(10) { running.errorText.contains("the log is written again; nothing is missing") },
            "\(running.errorText)")
        #expect(eventually(10) { answered(running) > before + 20 }, "\(before) \(answered(running))")
        running.signal(SIGTERM)
        #expect(try running.wait(20).status == 143)
        let report = try busy.log.report()
        #expect(report.status == 0 && report.kinds.isEmpty && report.signed == report.records, "\(report)")
        #expect(try allowed(busy.log) >= answered(running))
        let events = try busy.log.records().compactMap { $0["event"] as? String }
        for event in ["audit-full", "paused", "resumed", "exited"] { #expect(events.contains(event), "\(event)") }
        try busy.jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `killed while the disk is full, it has what was let through until then`(
        caller: Caller
    ) throws {
        let busy = try Busy(caller, onFull: "pause")
        defer { busy.clear() }
        let running = try busy.start()
        #expect(eventually(60) { running.errorText.contains("is to pause") }, "\(running.errorText)")
        let before = answered(running)
        #expect(try eventually(10) { try allowed(busy.log) >= before })
        running.signal(SIGKILL)
        try running.wait()
        let report = try busy.log.report()
        #expect(report.isIntact && Set(report.kinds).isSubset(of: ["unclosed", "unsigned"]), "\(report)")
        #expect(try allowed(busy.log) >= before)
        // Nothing runs that is not recorded.
        try busy.jail.run("/bin/true").expectRefusal(125, "audit: ", "No space left on device", "make room there")
        try busy.makeRoom()
        #expect(try busy.jail.run("/bin/true").status == 0)
        #expect(try busy.log.report().isIntact)
    }

    /// Of a file that may not grow further the kernel takes as much as it may have, and no more.
    @Test(arguments: Caller.all) func `a record that was cut off is named as a torn tail, and the log goes on after it`(
        caller: Caller
    ) throws {
        let busy = try Busy(caller, onFull: "stop")
        defer { busy.clear() }
        try busy.makeRoom()
        let running = try busy.start()
        let limit = "setpriv --reuid=\"$1\" --regid=\"$2\" --clear-groups prlimit --pid \"$3\" --fsize=60001:60001"
        let user = try Host.user.get()
        let ids = caller == .root ? (0, 0) : (user.uid, user.gid)
        try #require(try shell(limit, String(ids.0), String(ids.1), String(running.pid)).status == 0)
        let finished = try running.wait(60)
        #expect(finished.status == 125 && finished.errors.contains("File too large"), "\(finished.errors)")
        let report = try busy.log.report()
        #expect(report.isIntact && Set(report.kinds) == ["torn", "unclosed", "unsigned"], "\(report)")
        #expect(try busy.log.records().count == report.records && report.records > 50)
        #expect(try busy.jail.run("/bin/true").status == 0)
        let after = try busy.log.report()
        #expect(after.isIntact && after.launches == 2 && after.kinds.contains("torn"), "\(after)")
        try busy.jail.expectNothingLeft()
    }
}
