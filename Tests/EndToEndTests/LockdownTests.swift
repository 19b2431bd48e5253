import Foundation
import Glibc
import Testing

/// An emergency: everybody stands still, is cut off, is written down, and ends; and does not come back.
@Suite(.serialized, .needs("zstd", "tar", "python3")) struct LockdownTests {
    /// Jails of one caller that nobody else on this machine sees: `--all` means these.
    private struct Fleet {
        private let jail: Jail
        let profile: String
        let names: [String]

        init(_ caller: Caller, count: Int) throws {
            var jail = try Jail(
                caller,
                """
                { extends: 'session', optional: ['groups'], network: { publish: [] },
                  filesystem: { data: { size: '32M' } }, limits: { processes: 60, memory: '128M' } }
                """.json)
            if caller == .root {
                let place = try Scratch.directory("host", owner: 0, mode: 0o700)
                for name in ["run", "lib"] { unsafe mkdir("\(place)/\(name)", 0o700) }
                try shell("mkdir -p -m 0700 /run/clawjail /var/lib/clawjail")
                jail.hostChange =
                    "mount --bind '\(place)/run' /run/clawjail && mount --bind '\(place)/lib' /var/lib/clawjail"
                state = "\(place)/lib"
            } else {
                state = jail.stateDirectory
            }
            self.jail = jail
            profile = jail.profile
            names = (0..<count).map { "\(jail.name)-\($0)" }
        }

        /// As the host sees it.
        let state: String

        /// What a test that has failed leaves standing.
        func end() { for name in names { _ = try? clawjail("stop", "--kill", name) } }

        func clawjail(_ words: String..., seconds: Double = 120) throws -> Finished {
            try jail.start(words: words).wait(seconds)
        }

        func start(_ name: String, _ options: [String] = [], command: [String]) throws -> Running {
            let user = jail.caller == .root ? ["--user", try Host.user.get().name] : []
            return try jail.start(
                words: ["run", "--profile", profile, "--name", name] + user + options + ["--"] + command)
        }

        func mustStart(_ name: String, _ options: [String] = [], command: [String]) throws {
            let finished = try start(name, ["--detach"] + options, command: command).wait(60)
            guard finished.status == 0 else { throw HarnessError("\(name): \(finished.errors)") }
        }

        func object(_ line: String) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
        }

        /// Unpacks an archive, and the parts of it that are archives.
        func unpack(_ archive: String) throws -> String {
            let directory = try Scratch.directory("evidence", owner: 0)
            let script = """
                cd "$1" && tar -xf "$2" --strip-components=1 && ( for part in files-*.tar.zst; do
                  mkdir "${part%.tar.zst}" && tar -xf "$part" -C "${part%.tar.zst}" || exit 1; done )
                """
            let done = try shell(script, directory, hostPath(archive), seconds: 60)
            guard done.status == 0 else { throw HarnessError("\(done.text) \(done.errors)") }
            return directory
        }

        func hostPath(_ path: String) -> String {
            jail.caller == .root ? state + path.dropFirst("/var/lib/clawjail".count) : path
        }
    }

    /// Forks, writes files, and speaks to itself over the network.
    private static let busy = [
        "/bin/sh", "-c",
        """
        export SECRET_WORD=not-to-be-written-down
        python3 -c 'import socket
        a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(("127.0.0.1", 9999)); open("/data/up", "w")
        while True: a.sendto(b"x", ("127.0.0.1", 9999)); a.recv(9)' &
        while :; do /bin/true; done &
        i=0; while :; do i=$((i+1)); echo $i > /data/new; mv /data/new /data/tick; echo $i > /tmp/new; mv /tmp/new /tmp/tick; echo line $i; done
        """, "--password=not-to-be-written-down",
    ]

    @Test(arguments: Caller.all) func `twenty busy jails stand still, are written down, and end`(caller: Caller) throws
    {
        let fleet = try Fleet(caller, count: 20)
        defer { fleet.end() }
        for name in fleet.names { try fleet.mustStart(name, command: Self.busy) }
        // Busy, all of them: python is slow to start where twenty do so at once.
        let isBusy = eventually(120) {
            fleet.names.allSatisfy {
                FileManager.default.fileExists(atPath: "\(fleet.state)/data/\($0)/up")
                    && FileManager.default.fileExists(atPath: "\(fleet.state)/data/\($0)/tick")
            }
        }
        #expect(isBusy)
        let done = try fleet.clawjail("lockdown", "--all", "--reason", "a drill", "--json")
        #expect(done.status == 0, "\(done.errors) \(done.text)")
        #expect(done.errors.contains("20 of 20 stand still"), "\(done.errors)")
        let outcomes = try done.lines.map(fleet.object)
        #expect(Set(outcomes.compactMap { $0["name"] as? String }) == Set(fleet.names))
        let times = outcomes.compactMap { $0["milliseconds"] as? Int }
        print("all frozen after \(times.max() ?? -1) ms of the command, as \(caller)")
        // All of them, before the first part of any evidence; how fast depends on who else is busy here.
        #expect(times.count == 20)
        for outcome in outcomes {
            #expect(outcome["stopped"] as? Bool == true && outcome["frozen"] as? Bool == true)
            let archive = try #require(outcome["archive"] as? String)
            let digest = try #require(outcome["sha256"] as? String)
            try expectWhole(fleet, archive, digest, outcome["name"] as? String ?? "")
        }
        #expect(try fleet.clawjail("ps").lines.count == 1)
        try expectLocked(fleet)
    }

    private func expectWhole(_ fleet: Fleet, _ archive: String, _ digest: String, _ name: String) throws {
        let path = fleet.hostPath(archive)
        #expect(try shell("sha256sum < \"$1\"; stat -c %a \"$1\"", path).text == "\(digest)  -\n400\n")
        let directory = try fleet.unpack(archive)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let manifest = try fleet.object(String(contentsOfFile: "\(directory)/manifest.json", encoding: .utf8))
        let parts = manifest["parts"] as? [[String: Any]] ?? []
        let names = Set(parts.compactMap { $0["name"] as? String })
        #expect(
            names.isSuperset(of: [
                "state.json", "plan.json", "processes.json", "sockets.txt", "output.log", "files-data.tar.zst",
                "files-tmp.tar.zst",
            ]), "\(names)")
        let sums = parts.map { "\($0["sha256"] ?? "")  \($0["name"] ?? "")" }.joined(separator: "\n") + "\n"
        try sums.write(toFile: "\(directory)/sums", atomically: false, encoding: .utf8)
        #expect(try shell("cd \"$1\" && sha256sum --quiet --check sums", directory).status == 0)
        // Nothing was executed between the first copy and the last, nor afterwards.
        let ticks = try ["data", "tmp"].map {
            try String(contentsOfFile: "\(directory)/files-\($0)/tick", encoding: .utf8)
        }
        #expect(abs((Int(ticks[0].trimmed) ?? 0) - (Int(ticks[1].trimmed) ?? 0)) <= 1, "\(ticks)")
        let data = "\(fleet.state)/data/\(name)/tick"
        if let last = try? String(contentsOfFile: data, encoding: .utf8) { #expect(last == ticks[0]) }
        let found = try shell("grep -rl not-to-be-written-down \"$1\"; true", directory)
        #expect(found.text.isEmpty, "\(found.text)")
        let processes = try String(contentsOfFile: "\(directory)/processes.json", encoding: .utf8)
        #expect(processes.contains("SECRET_WORD") && processes.contains("socket:[") && processes.contains("jail-init"))
    }

    private func expectLocked(_ fleet: Fleet) throws {
        try fleet.start(fleet.names[0], command: ["/bin/true"]).wait().expectRefusal(
            78, "all jails are locked down", "unlock --all")
        try fleet.start("another", ["--detach"], command: ["/bin/true"]).wait().expectRefusal(78, "locked down")
        try fleet.clawjail("unlock", fleet.names[1], "--reason", "one").expectNoMore(0)
        #expect(try fleet.start("another", command: ["/bin/true"]).wait().status == 78)
        try fleet.clawjail("unlock", "there-is-none", "--reason", "x").expectRefusal(120, "is not locked down")
        try fleet.clawjail("unlock", "--all", "--reason", "over").expectNoMore(0)
        for name in ["another", fleet.names[0]] {
            let finished = try fleet.start(name, command: ["/bin/echo", "again"]).wait(30)
            #expect(finished.text == "again\n", "\(finished.errors)")
        }
        let history = try String(contentsOfFile: "\(fleet.state)/lockdown/.history.jsonl", encoding: .utf8)
        #expect(history.split(separator: "\n").count == 21 && history.contains("a drill"))
    }

    @Test(arguments: Caller.all) func `a jail that is kept stays still, is cut off, and can only be killed`(
        caller: Caller
    ) throws {
        let fleet = try Fleet(caller, count: 1)
        defer { fleet.end() }
        let name = fleet.names[0]
        let port = try Listeners.freePort()
        let running = try fleet.start(
            name, ["--publish", "\(port):8000"],
            command: ["/usr/bin/python3", "-u", "-m", "http.server", "8000", "--directory", "/data"])
        defer { running.signal(9) }
        func answers() throws -> Bool {
            try shell(
                "python3 -c 'import sys,urllib.request as r; r.urlopen(sys.argv[1], timeout=3)' http://127.0.0.1:\(port)/"
            )
            .status == 0
        }
        #expect(try eventually(10) { try answers() }, "\(running.errorText)")
        let done = try fleet.clawjail("lockdown", name, "--reason", "look", "--keep", "--no-evidence")
        #expect(done.status == 0 && done.text.contains("stands still after"), "\(done.errors) \(done.text)")
        #expect(try !answers())
        #expect(try fleet.clawjail("ps").text.contains("locked down"))
        for word in ["resume", "pause"] {
            try fleet.clawjail(word, name).expectRefusal(123, "is locked down")
        }
        try fleet.clawjail("exec", name, "--", "/bin/true").expectRefusal(123, "is locked down")
        // What a marker says, or that it is gone, does not let it go on either.
        #expect(try fleet.clawjail("unlock", name, "--reason", "x").status == 0)
        try fleet.clawjail("resume", name).expectRefusal(123, "is locked down")
        // Once more, with evidence: what is there is kept.
        let again = try fleet.clawjail("lockdown", name, "--reason", "again", "--json")
        #expect(again.status == 0, "\(again.errors) \(again.text)")
        #expect(try running.wait(10).status == 78)
        #expect(running.errorText.contains("locked down: look"))
        try fleet.start(name, command: ["/bin/true"]).wait().expectRefusal(78, "jail '\(name)' is locked down")
    }

    @Test(arguments: Caller.all) func `evidence that cannot be kept leaves the jail still, and it can be kept later`(
        caller: Caller
    ) throws {
        let fleet = try Fleet(caller, count: 1)
        defer { fleet.end() }
        let name = fleet.names[0]
        try fleet.mustStart(name, command: Self.busy)
        // Nobody can make a directory where a file is.
        try shell("touch \"$1\"", "\(fleet.state)/evidence")
        let failed = try fleet.clawjail("lockdown", name, "--reason", "x")
        #expect(
            failed.status == 125 && failed.text.contains("NOT DONE") && failed.text.contains("evidence"),
            "\(failed.text)")
        #expect(try fleet.clawjail("ps").text.contains("locked down"))
        try shell("rm \"$1\"", "\(fleet.state)/evidence")
        let done = try fleet.clawjail("lockdown", name, "--reason", "x", "--json")
        #expect(done.status == 0, "\(done.errors) \(done.text)")
        #expect(try fleet.clawjail("ps").lines.count == 1)
    }

    @Test(arguments: Caller.all) func `a supervisor that does not answer is killed, and its jail with it`(
        caller: Caller
    ) throws {
        let fleet = try Fleet(caller, count: 1)
        defer { fleet.end() }
        let name = fleet.names[0]
        let running = try fleet.start(name, command: ["/bin/sh", "-c", "echo up; exec sleep 600"])
        #expect(eventually(10) { running.text.contains("up\n") })
        let inside = try Tree.descendants(of: running.pid)
        running.signal(SIGSTOP)
        let done = try fleet.clawjail("lockdown", name, "--reason", "hangs", "--json")
        let outcome = try fleet.object(done.lines.first ?? "")
        #expect((outcome["remark"] as? String)?.contains("was killed") == true, "\(done.text) \(done.errors)")
        #expect(outcome["archive"] is String && outcome["frozen"] as? Bool == false)
        #expect(try running.wait(10).status == 137)
        #expect(!inside.isEmpty && eventually(5) { !inside.contains { Tree.isAlive($0) } })
        try fleet.start(name, command: ["/bin/true"]).wait().expectRefusal(78, "is locked down")
    }

    @Test(arguments: Caller.all) func `a jail that fills its data with traps is kept all the same`(caller: Caller)
        throws
    {
        let fleet = try Fleet(caller, count: 1)
        defer { fleet.end() }
        let name = fleet.names[0]
        let traps = """
            import os
            os.chdir('/data')
            with open('huge', 'w') as f: f.truncate(1 << 40 if os.statvfs('.').f_blocks > 1 << 22 else 1 << 24)
            with open('/tmp/huge', 'w') as f: f.truncate(1 << 40)
            os.mkfifo('fifo'); os.mkfifo('/tmp/fifo')
            os.symlink('/etc/shadow', 'link'); os.symlink('/', '/tmp/root')
            for n in (b'-rf', b'--checkpoint-action=exec=sh', b'new\\nline', b'\\xff\\xfe', b'x' * 255): open(n, 'w').close()
            os.mkdir('closed', 0)
            deep = os.getcwd()
            for i in range(300): os.mkdir('d' * 60); os.chdir('d' * 60)
            open('bottom', 'w').close()
            print('up', flush=True)
            import time; time.sleep(600)
            """
        try fleet.mustStart(name, command: ["/usr/bin/python3", "-c", traps])
        usleep(1_500_000)
        let done = try fleet.clawjail("lockdown", name, "--reason", "traps", "--json", seconds: 60)
        let outcome = try fleet.object(done.lines.first ?? "")
        #expect(done.status == 0 && outcome["stopped"] as? Bool == true, "\(done.errors) \(done.text)")
        let archive = try #require(outcome["archive"] as? String)
        let listing = try shell(
            "cd \"$1\" && tar -xOf \"$2\" --wildcards '*/files-data.tar.zst' | tar --zstd -tvf - | cut -c1-200 | tail -3; "
                + "stat -c %s \"$2\"", Scratch.root, fleet.hostPath(archive))
        #expect(listing.errors.isEmpty, "\(listing.errors)")
        // A terabyte of nothing takes next to nothing.
        #expect((Int(listing.lines.last ?? "") ?? .max) < 4 << 20, "\(listing.text)")
    }
}

extension String {
    fileprivate var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }
}

extension Finished {
    fileprivate func expectNoMore(_ status: Int32) { #expect(self.status == status, "\(errors)") }
}
