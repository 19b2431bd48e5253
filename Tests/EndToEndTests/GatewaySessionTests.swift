import Foundation
import Glibc
import Testing

@Suite struct GatewaySessionTests {
    @Test(arguments: Caller.all)
    func `a jail has sessions made, and neither sees the other nor the jail`(caller: Caller) throws {
        let gateway = try GatewayJail(caller)
        defer { gateway.clear() }
        let finished = try gateway.script(
            """
            echo mine > /data/boxes/a/file; echo secret > /data/secret; sleep 61.5 & export TOKEN=hidden
            clawjail session create --id a --workspace /data/boxes/a:/workspace --label chat=7
            clawjail session create --id b --workspace /data/boxes/b:/workspace:ro
            clawjail session exec a -- sh -c 'sleep 62.5 >/dev/null 2>&1 & cat /workspace/file; echo theirs > /workspace/new'
            cat /data/boxes/a/new
            clawjail session exec b -- sh -c 'ls -A /workspace; echo x 2>/dev/null > /workspace/x || echo read-only'
            clawjail session exec b -- sh -c 'ls / /data 2>&1; cat /proc/[0-9]*/cmdline; env' | tr '\\0' ' ' > /data/seen
            clawjail session exec b -- ls /run/clawjail 2>&1
            clawjail session list
            clawjail session inspect a
            """)
        #expect(finished.status == 0)
        #expect(finished.lines.prefix(4) == ["a", "b", "mine", "theirs"], "\(finished.text)")
        #expect(finished.text.contains("\nread-only\n"))
        #expect(finished.text.contains("\"chat\": \"7\""))
        #expect(finished.lines.contains { $0.hasPrefix("a   session  running") }, "\(finished.text)")
        let seen = try String(contentsOfFile: gateway.data + "/seen", encoding: .utf8)
        for hidden in ["61.5", "62.5", "secret", "hidden", "boxes"] { #expect(!seen.contains(hidden), "\(seen)") }
        #expect(seen.contains("/data"), "ls says that it is not there")
        try gateway.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `asking again gives the same session, another one is refused`(caller: Caller)
        throws
    {
        let gateway = try GatewayJail(caller, most: 2)
        defer { gateway.clear() }
        let finished = try gateway.script(
            """
            make() { clawjail session create "$@" >/dev/null 2>>/data/errors; echo $?; }
            make --id a --workspace /data/boxes/a:/workspace
            make --id a --workspace /data/boxes/a:/workspace
            make --id a --workspace /data/boxes/b:/workspace
            make --id b --workspace /data/boxes/b:/workspace
            make --id c --workspace /data/boxes/c:/workspace
            make --id a --workspace /data/boxes/a:/workspace
            clawjail session remove b; echo $?
            make --id c --workspace /data/boxes/c:/workspace
            clawjail session exec nobody -- true 2>/dev/null; echo $?
            clawjail session remove nobody 2>/dev/null; echo $?
            """)
        #expect(finished.lines == ["0", "0", "122", "0", "123", "0", "0", "0", "120", "0"], "\(finished.errors)")
        let errors = try String(contentsOfFile: gateway.data + "/errors", encoding: .utf8)
        #expect(errors.contains("raise sessions.most of profile 'test'"))
    }

    @Test(arguments: Caller.all)
    func `what the profile does not allow is refused, told outside, and named`(caller: Caller) throws {
        let gateway = try GatewayJail(caller, workspaces: ["/data/boxes", "/data/skills:ro"])
        defer { gateway.clear() }
        let events = Scratch.file("events")
        try Scratch.write("", to: events, mode: 0o666)
        var jail = gateway.jail
        jail.before = "exec 9>>'\(events)'"
        let finished = try jail.script(
            """
            mkdir -p /data/boxes/a /data/skills/s
            make() { clawjail session create --id a "$@" 2>&1; echo $?; }
            make --workspace /data/other:/workspace
            make --workspace /data/skills/s:/workspace
            make --memory 513M
            make --profile shell
            make --user root
            make --env A=b
            make --workspace /data/boxes/a:/workspace --ro /data/skills/s:/workspace/s --ro /etc:/workspace/etc
            """, ["--status-fd", "9"], seconds: 60)
        let lines = finished.lines
        try #require(lines.count == 14, "\(finished.text)")
        for index in 0..<7 { #expect(lines[2 * index + 1] == "123", "\(lines[2 * index])") }
        #expect(lines[0].contains("'/data/other' is in none of this jail's sessions.workspaces; to allow it: add"))
        #expect(lines[2].contains("without ':ro' in sessions.workspaces of profile 'test'"))
        #expect(lines[4].contains("raise limits.memory"))
        #expect(lines[12].contains("'/etc' is in none"))
        #expect(finished.errors.contains("clawjail: session refused: '/data/other' is in none"))
        let told = try String(contentsOfFile: events, encoding: .utf8).split(separator: "\n").filter {
            $0.contains("\"verdict\":\"refused\"")
        }
        #expect(told.count == 4, "\(told)")
        #expect(told.allSatisfy { $0.contains("\"status\":123") && $0.contains("\"key\":") })
    }

    @Test(arguments: Caller.all) func `operators see sessions under their jail's name`(caller: Caller) throws {
        let gateway = try GatewayJail(caller)
        defer { gateway.clear() }
        try gateway.detach(
            "clawjail session create --id a --workspace /data/boxes/a:/workspace && "
                + "clawjail session create --id b --workspace /data/boxes/b:/workspace")
        let name = gateway.jail.name
        let rows = try gateway.operate("ps").lines.compactMap { $0.split(separator: " ").first }
        #expect(Set(rows).isSuperset(of: ["\(name)", "\(name)/a", "\(name)/b"]), "\(rows)")
        // As root there are others' sessions too, which may be anywhere in their lives.
        if caller == .user { #expect(try gateway.operate("session", "list").text.contains("\(name)/b")) }
        #expect(try gateway.operate("session", "inspect", "\(name)/a").text.contains("\"running\": true"))
        #expect(try gateway.operate("exec", "\(name)/a", "--", "pwd").text == "/workspace\n")
        #expect(try gateway.operate("session", "exec", "\(name)/a", "--", "/bin/sh", "-c", "exit 9").status == 9)
        #expect(try gateway.operate("session", "remove", "\(name)/a").status == 0)
        #expect(try !gateway.operate("ps").text.contains("\(name)/a"))
        // Whoever clears up after himself leaves those of a jail alone.
        if caller == .user {
            #expect(try gateway.operate("session", "prune", "--idle", "0s", "--age", "0s").status == 0)
            #expect(try gateway.operate("exec", "\(name)/b", "--", "true").status == 0)
        }
        for other in ["\(name)/zzz", "zzz/a"] {
            #expect(try gateway.operate("session", "inspect", other).status == 120)
        }
        for other in ["\(name)/../\(name)", "\(name)/b/c", "/b", "\(name)/"] {
            #expect(try gateway.operate("session", "inspect", other).status == 64, "\(other)")
        }
        #expect(try gateway.operate("stop", name).status == 0)
        try gateway.expectNothingLeft()
    }

    @Test(.needsRoot) func `root's rights lead nowhere that the jail's user may not go`() throws {
        let shared = try Scratch.directory("shared", owner: 0)
        for (name, mode) in [("closed", mode_t(0o700)), ("open", 0o755)] {
            unsafe mkdir("\(shared)/\(name)", 0o755)
            unsafe mkdir("\(shared)/\(name)/inner", 0o755)
            unsafe chmod("\(shared)/\(name)", mode)
        }
        let gateway = try GatewayJail(.root, workspaces: ["/shared:ro"], files: "read: ['\(shared):/shared']")
        defer { gateway.clear() }
        let finished = try gateway.script(
            """
            for way in open/inner closed/inner; do
                clawjail session create --id a --workspace /shared/$way:/workspace:ro >/dev/null 2>&1; echo $?
            done
            """)
        #expect(finished.lines == ["0", "123"], "\(finished.text)\(finished.errors)")
    }

    @Test(arguments: Caller.all)
    func `what the jail can write is no program in a session, also where that may only read`(caller: Caller) throws {
        let gateway = try GatewayJail(caller)
        defer { gateway.clear() }
        let finished = try gateway.script(
            """
            cp /usr/bin/true /data/boxes/a/program; chmod 755 /data/boxes/a/program
            clawjail session create --id a --workspace /data/boxes/a:/workspace >/dev/null
            clawjail session create --id b --workspace /data/boxes/a:/workspace:ro >/dev/null
            clawjail session create --id c --agent /data/boxes/b:/agent --ro /data/boxes/a:/agent/programs >/dev/null
            for at in a:/workspace b:/workspace c:/agent/programs; do
                clawjail session exec ${at%:*} -- ${at#*:}/program 2>/dev/null; echo $?
            done
            ls -d /data/boxes/b/programs
            clawjail session exec c -- sh -c 'echo x > /agent/y && ! echo x > /agent/programs/y' 2>/dev/null; echo $?
            """)
        #expect(
            finished.lines == ["126", "126", "126", "/data/boxes/b/programs", "0"], "\(finished.text)\(finished.errors)"
        )
    }

    // MARK: Ends

    /// A jail with two sessions, each of which runs something.
    private func busy(_ caller: Caller) throws -> (gateway: GatewayJail, sessions: [Int32]) {
        let gateway = try GatewayJail(caller)
        try gateway.detach(
            "for id in a b; do clawjail session create --id $id --workspace /data/boxes/$id:/workspace; "
                + "clawjail session exec $id -- sh -c 'sleep 300 >/dev/null 2>&1 &'; done")
        return (gateway, [try gateway.supervisor(of: "a"), try gateway.supervisor(of: "b")])
    }

    @Test(arguments: Caller.all) func `the jail's end takes its sessions with it`(caller: Caller) throws {
        let (gateway, sessions) = try busy(caller)
        defer { gateway.clear() }
        let all = try sessions + sessions.flatMap { try Tree.descendants(of: $0) }
        #expect(all.count > 4)
        #expect(try gateway.operate("stop", gateway.jail.name).status == 0)
        // All of them are gone by the time that stop returns.
        #expect(all.allSatisfy { !Tree.isAlive($0) })
        #expect(try gateway.groups.isEmpty)
        try gateway.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `so does a supervisor that is killed`(caller: Caller) throws {
        let (gateway, sessions) = try busy(caller)
        defer { gateway.clear() }
        let maker = try gateway.maker()
        let all = try sessions + sessions.flatMap { try Tree.descendants(of: $0) } + [maker]
        kill(try gateway.supervisor(), SIGKILL)
        #expect(eventually(10) { all.allSatisfy { !Tree.isAlive($0) } })
        // Sessions clear up after themselves, and the next start after their jail.
        let next = try gateway.jail.run("/bin/true")
        #expect(next.status == 0, "\(next.errors)")
        try gateway.expectNothingLeft()
    }

    @Test(arguments: Caller.all)
    func `without its maker a jail goes on, without sessions`(caller: Caller) throws {
        let (gateway, sessions) = try busy(caller)
        defer { gateway.clear() }
        kill(try gateway.maker(), SIGKILL)
        #expect(eventually(10) { sessions.allSatisfy { !Tree.isAlive($0) } })
        let supervisor = try gateway.supervisor()
        let asked = try gateway.operate(
            "exec", gateway.jail.name, "--", "clawjail", "session", "create", "--id", "n", "--workspace",
            "/data/boxes/a:/workspace")
        #expect(asked.status == 125)
        #expect(asked.errors.contains("their maker is gone"))
        let log = try String(
            contentsOfFile: "\(gateway.jail.stateDirectory)/logs/\(gateway.jail.name).log", encoding: .utf8)
        #expect(log.contains("the maker of sessions ended, and every session with it"))
        #expect(Tree.isAlive(supervisor))
        #expect(try gateway.operate("stop", gateway.jail.name).status == 0)
        try gateway.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `a session that is killed is cleared, and can be made again`(caller: Caller)
        throws
    {
        let (gateway, sessions) = try busy(caller)
        defer { gateway.clear() }
        kill(sessions[0], SIGKILL)
        let directory = "\(gateway.jail.runtimeDirectory)/\(gateway.jail.name)/sessions"
        #expect(eventually(10) { !FileManager.default.fileExists(atPath: "\(directory)/a") })
        let name = gateway.jail.name
        let again = try gateway.operate(
            "exec", name, "--", "clawjail", "session", "create", "--id", "a", "--workspace", "/data/boxes/a:/workspace")
        #expect(again.status == 0, "\(again.errors)")
        #expect(try gateway.operate("exec", "\(name)/a", "--", "true").status == 0)
        #expect(Tree.isAlive(sessions[1]))
        #expect(try gateway.operate("stop", name).status == 0)
        try gateway.expectNothingLeft()
    }

    // MARK: The profile

    @Test func `the sessions' profile is looked for at the jail's start`() throws {
        let inner = try Jail(Caller.all[0], "{ extends: 'session', sessions: { profile: 'session' } }".json)
        #expect(try inner.run("/bin/true").status == 0)
        let wrong = try Jail(Caller.all[0], "{ extends: 'session', sessions: { profile: 'nowhere' } }".json)
        try wrong.run("/bin/true").expectRefusal(78, "no profile is called 'nowhere'")
    }
}
