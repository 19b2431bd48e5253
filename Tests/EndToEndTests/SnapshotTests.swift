import Foundation
import Glibc
import Testing

/// `clawjail data`.
@Suite struct SnapshotTests {
    private let jail: Jail
    private var data: String { "\(jail.stateDirectory)/data/\(jail.name)" }
    private var snapshots: String { "\(jail.stateDirectory)/snapshots/\(jail.name)" }

    init() throws { jail = try Jail(Caller.all.first ?? .user, DataTests.stateful) }

    private func clear(_ jail: Jail) {
        for part in ["data", "snapshots"] {
            let path = "\(jail.stateDirectory)/\(part)/\(jail.name)"
            _ = try? shell("chmod -R u+rwx \"$1\" 2>/dev/null; rm -rf \"$1\"", path)
        }
    }

    private func clawjail(_ jail: Jail, _ words: String...) throws -> Finished {
        try jail.start(words: words).wait(30)
    }

    private func ids(_ jail: Jail) throws -> [String] {
        try clawjail(jail, "data", "list", jail.name).lines.dropFirst().compactMap {
            $0.split(separator: " ").first.map(String.init)
        }
    }

    @Test(arguments: Caller.all) func `everything hostile is saved and comes back`(caller: Caller) throws {
        let jail = try Jail(caller, DataTests.stateful)
        defer { clear(jail) }
        let made = try jail.script(
            """
            cd /data; echo one > file; ln file hard; ln -s /etc/shadow link; mkfifo pipe; truncate -s 1T sparse
            mkdir -p shut/deep; echo in > shut/deep/file; chmod 0 shut/deep/file shut/deep shut; touch 'new
            line' ; mkdir many; for i in $(seq 200); do echo $i > many/$i; done
            python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")' 2>/dev/null; echo made
            """)
        #expect(made.lines.last == "made", "\(made.errors)")
        let saved = try clawjail(jail, "data", "snapshot", jail.name)
        #expect(saved.status == 0 && saved.text.contains("consistent"), "\(saved.errors)")
        let id = try #require(try ids(jail).first)
        #expect(try clawjail(jail, "data", "verify", jail.name).text == "\(id): good\n")
        #expect(try jail.script("cd /data; echo two > file; touch later; chmod 700 shut; rm -r many").status == 0)
        let restored = try clawjail(jail, "data", "restore", jail.name, id)
        #expect(restored.status == 0, "\(restored.errors)")
        let seen = try jail.script(
            """
            cd /data; cat file; stat -c %h hard; readlink link; stat -c '%F' pipe; stat -c '%s' sparse; ls many | wc -l
            ls later socket 2>/dev/null; stat -c %a shut; chmod 700 shut shut/deep; chmod 600 shut/deep/file; cat shut/deep/file
            stat -c '%a %u' /data; du -s -B1M /data | cut -f1
            """)
        let lines = ["one", "2", "/etc/shadow", "fifo", "\(UInt64(1) << 40)", "200", "0", "in", "700 1000"]
        #expect(seen.lines.dropLast() == lines[...], "\(seen.text) \(seen.errors)")
        // MiB: what was sparse is sparse.
        #expect(seen.lines.last.flatMap { Int($0) }.map { $0 <= 2 } == true, "\(seen.text)")
        // The state before is a snapshot as well.
        #expect(try ids(jail).count == 2)
        #expect(try clawjail(jail, "data", "prune", jail.name, "--keep", "1").text == "removed \(id)\n")
        #expect(try ids(jail).count == 1)
    }

    @Test(arguments: Caller.all) func `what is done with the data stands in the jail's log, whether or not it runs`(
        caller: Caller
    ) throws {
        let jail = try Jail(caller, DataTests.stateful)
        let log = AuditLogFiles(jail: jail)
        defer {
            clear(jail)
            log.remove()
        }
        #expect(try jail.script("echo one > /data/f").status == 0)
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; exec sleep 60"])
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        running.signal(SIGTERM)
        _ = try running.wait(10)
        let id = try #require(try ids(jail).first)
        #expect(try clawjail(jail, "data", "restore", jail.name, id).status == 0)
        let records = try log.records()
        let actions = records.filter { $0["event"] as? String == "data" }.compactMap { $0["action"] as? String }
        #expect(actions == ["snapshot", "snapshot", "restore", "restored"])
        // One log, one chain: two launches, and two in which nothing ran.
        let report = try log.report()
        #expect(report.status == 0 && report.kinds.isEmpty && report.launches == 4, "\(report)")
        try jail.expectNothingLeft()
        // What cannot be recorded is not done.
        try FileManager.default.removeItem(atPath: log.directory)
        try Data().write(to: URL(fileURLWithPath: log.directory))
        let refused = try clawjail(jail, "data", "restore", jail.name, id)
        #expect(refused.status == 125 && refused.errors.contains("audit: "), "\(refused.errors)")
        #expect(try ids(jail).count == 3)
    }

    @Test(arguments: Caller.all) func `data of a locked-down jail is evidence, and not replaced`(caller: Caller) throws
    {
        let jail = try Jail(caller, DataTests.stateful)
        let log = AuditLogFiles(jail: jail)
        defer {
            clear(jail)
            log.remove()
        }
        #expect(try jail.script("echo one > /data/f").status == 0)
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        let id = try #require(try ids(jail).first)
        let running = try jail.startAndAwait(
            "up", command: ["/bin/sh", "-c", "echo two > /data/f; echo up; exec sleep 60"])
        let locked = try clawjail(jail, "lockdown", jail.name, "--reason", "look", "--no-evidence")
        #expect(locked.status == 0, "\(locked.errors)")
        _ = try running.wait(20)
        try clawjail(jail, "data", "restore", jail.name, id).expectRefusal(78, "is locked down", "clawjail unlock")
        let file = "\(data(jail))/f"
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "two\n")
        // To save it is no change.
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        #expect(try clawjail(jail, "unlock", jail.name, "--reason", "seen").status == 0)
        #expect(try clawjail(jail, "data", "restore", jail.name, id).status == 0)
        #expect(try String(contentsOfFile: file, encoding: .utf8) == "one\n")
    }

    private func data(_ jail: Jail) -> String { "\(jail.stateDirectory)/data/\(jail.name)" }

    @Test(arguments: Caller.all) func `a running jail is not restored, and goes on after it was saved`(caller: Caller)
        throws
    {
        let jail = try Jail(caller, DataTests.stateful)
        defer { clear(jail) }
        let script = "echo up; while :; do date +%N > /data/f; sleep 0.1; done"
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", script])
        let saved = try clawjail(jail, "data", "snapshot", jail.name)
        #expect(saved.status == 0, "\(saved.errors)")
        #expect(saved.text.contains(", consistent") && saved.errors.isEmpty, "\(saved.text) \(saved.errors)")
        #expect(try clawjail(jail, "data", "snapshot", jail.name, "--consistent").status == 0)
        // Who does not stand still is said not to, and is refused where that matters.
        let moving = try clawjail(jail, "data", "snapshot", jail.name, "--no-pause")
        #expect(moving.status == 0 && moving.text.contains("not consistent"), "\(moving.errors)")
        try clawjail(jail, "data", "snapshot", jail.name, "--no-pause", "--consistent")
            .expectRefusal(123, "would not be consistent")
        let id = try #require(try ids(jail).first)
        try clawjail(jail, "data", "restore", jail.name, id).expectRefusal(122, "is running")
        let file = "\(jail.stateDirectory)/data/\(jail.name)/f"
        for milliseconds in [0, 20, 40, 60, 80, 120] {
            let killed = try jail.start(words: ["data", "snapshot", jail.name])
            usleep(useconds_t(milliseconds * 1000))
            killed.signal(SIGKILL)
            _ = try killed.wait(10)
            let before = try String(contentsOfFile: file, encoding: .utf8)
            #expect(
                eventually(5) {
                    let now = try? String(contentsOfFile: file, encoding: .utf8)
                    return now != before && now?.isEmpty == false
                }, "killed after \(milliseconds) ms")
        }
        running.signal(SIGTERM)
        _ = try running.wait(10)
    }

    @Test(
        .enabled(
            if: Host.isRoot && Host.path(of: "mkfs.ext4") != nil
                && FileManager.default.fileExists(atPath: "/dev/loop-control")))
    func `an image is saved while the jail runs, and comes back when it does not`() throws {
        let jail = try Jail(
            .root, "{ extends: 'session', filesystem: { data: { size: '10M', mustEnforceSize: true } } }".json)
        defer {
            clear(jail)
            try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name).img")
        }
        // Some containers have loop devices in name only.
        guard try jail.script("mkdir /data/shut; echo one > /data/shut/f; chmod 0 /data/shut").status != 125 else {
            return
        }
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", "echo up; sleep 60"])
        let saved = try clawjail(jail, "data", "snapshot", jail.name)
        #expect(saved.status == 0, "\(saved.errors)")
        running.signal(SIGTERM)
        _ = try running.wait(10)
        let id = try #require(try ids(jail).first)
        #expect(try jail.script("rm -rf /data/shut; echo two > /data/g").status == 0)
        let restored = try clawjail(jail, "data", "restore", jail.name, id)
        #expect(restored.status == 0, "\(restored.errors)")
        #expect(try jail.script("ls /data; chmod 700 /data/shut; cat /data/shut/f").lines == ["shut", "one"])
        #expect(try ids(jail).count == 2)
    }

    @Test(
        .enabled(
            if: Host.isRoot && Host.path(of: "mkfs.ext4") != nil
                && FileManager.default.fileExists(atPath: "/dev/loop-control")))
    func `a link that the payload puts above its image leads nowhere`() throws {
        let jail = try Jail(
            .root,
            "{ extends: 'session', filesystem: { data: { size: '10M', mustEnforceSize: true, target: '/tmp/a/data' } } }"
                .json)
        defer {
            clear(jail)
            try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name).img")
        }
        // Of the jail's user, on the host: nothing else would be in the way.
        let outside = try Scratch.directory("outside")
        try shell("mkdir -m 700 \"$1/data\"; chown \"$2\" \"$1/data\"", outside, "\(try Host.user.get().uid)")
        guard try jail.script(":").status != 125 else { return }
        let script = "mv /tmp/a /tmp/b; ln -s '\(outside)' /tmp/a; echo up; sleep 60"
        let running = try jail.startAndAwait("up", command: ["/bin/sh", "-c", script])
        let saved = try clawjail(jail, "data", "snapshot", jail.name)
        #expect(saved.status == 125 && saved.errors.contains("openat2"), "\(saved.text) \(saved.errors)")
        #expect(try ids(jail) == [])
        running.signal(SIGTERM)
        _ = try running.wait(10)
    }

    @Test(.enabled(if: Host.isRoot)) func `a full disk leaves no half snapshot, and no other state`() throws {
        var jail = jail
        defer { clear(jail) }
        #expect(try jail.script("head -c 3000000 /dev/urandom > /data/f; echo x > /data/g").status == 0)
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        let id = try #require(try ids(jail).first)
        let original = jail.hostChange
        // What there is moves onto a file system with room for one.
        jail.hostChange = """
            mkdir -p /run/full && mount -t tmpfs -o size=4m none /run/full && cp -a '\(snapshots)/.' /run/full \
            && chmod 700 /run/full && chown --reference='\(snapshots)' /run/full && mount --bind /run/full '\(snapshots)'
            """
        let clawjail = "'\(try Host.clawjail)'"
        let script = """
            \(clawjail) data snapshot \(jail.name); echo $?; \(clawjail) data restore \(jail.name) \(id); echo $?
            ls '\(snapshots)'
            """
        jail.wrapper = ["/bin/sh", "-c", script, "sh"]
        let full = try jail.start(words: []).wait(30)
        jail.wrapper = []
        jail.hostChange = original
        #expect(full.lines.prefix(2) == ["125", "125"], "\(full.text) \(full.errors)")
        #expect(full.lines.dropFirst(2).allSatisfy { !$0.hasSuffix(".new") } && full.lines.count == 5, "\(full.text)")
        #expect(try jail.script("cat /data/g").text == "x\n")
    }

    @Test func `whenever a restore is killed, one whole state is there, and the other in a snapshot`() throws {
        defer { clear(jail) }
        #expect(try jail.script("for i in $(seq 300); do echo one > /data/$i; done").status == 0)
        #expect(try clawjail(jail, "data", "snapshot", jail.name).status == 0)
        let one = try #require(try ids(jail).first)
        #expect(try jail.script("for i in $(seq 300); do echo two > /data/$i; done").status == 0)
        let start = ContinuousClock.now
        #expect(try clawjail(jail, "data", "restore", jail.name, one).status == 0)
        let whole = ContinuousClock.now - start
        #expect(try clawjail(jail, "data", "restore", jail.name, try #require(try ids(jail).last)).status == 0)
        var seen: Set<String> = []
        for round in 0..<24 {
            let running = try jail.start(words: ["data", "restore", jail.name, one])
            usleep(useconds_t((whole * (round + 1) / 20) / .microseconds(1)))
            running.signal(SIGKILL)
            _ = try running.wait(10)
            let state = try shell("cat \"$1\"/* | sort | uniq -c | tr -s ' '; ls \"$1\" | wc -l", data).text
            #expect(state.contains("300 one\n300\n") || state.contains("300 two\n300\n"), "round \(round): \(state)")
            let isOld = state.contains("two")
            seen.insert(isOld ? "old" : "new")
            #expect(try clawjail(jail, "data", "verify", jail.name).status == 0)
            // The state that is not there any more is in a snapshot.
            if !isOld {
                let last = try #require(try ids(jail).last)
                let back = try clawjail(jail, "data", "restore", jail.name, last)
                #expect(back.status == 0, "\(back.errors)")
                #expect(try shell("cat \"$1\"/* | sort -u", data).text == "two\n")
            }
        }
        #expect(seen == ["old", "new"])
        #expect(try clawjail(jail, "data", "restore", jail.name, one).status == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: data + "/..").filter { $0.contains(jail.name) }
        #expect(left == [jail.name])
    }
}
