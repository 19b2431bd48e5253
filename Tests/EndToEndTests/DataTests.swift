import Foundation
import Glibc
import Testing

@Suite struct DataTests {
    static let stateful = "{ extends: 'session', filesystem: { data: { size: '10M' } } }".json

    @Test(arguments: Caller.all) func `/data outlives the jail, and is the payload's`(caller: Caller) throws {
        let jail = try Jail(caller, Self.stateful)
        let source = "\(jail.stateDirectory)/data/\(jail.name)"
        defer { try? FileManager.default.removeItem(atPath: source) }
        let first = try jail.script("stat -c '%u %g %a' /data; pwd; echo kept > /data/file; mkdir -p /data/a/b")
        #expect(first.lines == ["1000 1000 700", "/data"], "\(first.errors)")
        let second = try jail.script("cat /data/file; stat -c %u /data/a/b")
        #expect(second.lines == ["kept", "1000"])
        var status = stat()
        #expect(unsafe stat("\(source)/file", &status) == 0)
        #expect(status.st_uid == (try Host.user.get().uid))
        // Another jail's is another directory.
        let other = try Jail(caller, Self.stateful)
        defer { try? FileManager.default.removeItem(atPath: "\(other.stateDirectory)/data/\(other.name)") }
        #expect(try other.script("ls /data").text == "")
    }

    @Test(
        .enabled(
            if: Host.isRoot && Host.path(of: "mkfs.ext4") != nil
                && FileManager.default.fileExists(atPath: "/dev/loop-control")))
    func `nothing that the payload makes in an image is in the way of its next start`() throws {
        let jail = try Jail(
            .root, "{ extends: 'session', filesystem: { data: { size: '10M', mustEnforceSize: true } } }".json)
        defer { try? FileManager.default.removeItem(atPath: "\(jail.stateDirectory)/data/\(jail.name).img") }
        let first = try jail.script("ls /data; mkdir -p /data/lost+found/x && echo made")
        // Some containers have loop devices in name only.
        guard first.status != 125 else { return }
        #expect(first.lines == ["made"], "\(first.errors)")
        #expect(try jail.script("ls /data/lost+found").lines == ["x"])
    }

    @Test(arguments: Caller.all) func `a data directory can be named`(caller: Caller) throws {
        let data = try Scratch.directory("data", mode: 0o700)
        let jail = try Jail(
            caller,
            "{ extends: 'session', filesystem: { data: { size: '10M', source: '\(data)', target: '/state' } } }".json)
        #expect(try jail.script("echo x > /state/file; pwd").text == "/state\n")
        #expect(FileManager.default.fileExists(atPath: "\(data)/file"))
    }

    // MARK: Binds

    @Test(arguments: Caller.all) func `a read-only bind below a writable one stays read-only`(caller: Caller) throws {
        let workspace = try Scratch.directory("workspace")
        let skills = try Scratch.directory("skills")
        try shell(
            "mkdir \"$1/skills\"; chmod 777 \"$1/skills\"; echo original > \"$2/skill\"; chmod 666 \"$2/skill\"; chmod 777 \"$2\"",
            workspace, skills)
        let jail = try Jail(caller, Profiles.session("filesystem: { read: ['\(skills):/workspace/skills'] }"))
        let script = """
            cd /workspace; echo new > beside && echo wrote beside
            echo x > skills/skill || echo not into; touch skills/more || echo not beside it
            mv skills away || echo not away; rmdir skills || echo not gone; cat skills/skill
            """
        let finished = try jail.script("exec 2>/dev/null; " + script, ["--workspace", workspace])
        #expect(finished.lines == ["wrote beside", "not into", "not beside it", "not away", "not gone", "original"])
        #expect(try String(contentsOfFile: "\(skills)/skill", encoding: .utf8) == "original\n")
    }

    @Test(arguments: Caller.all) func `a target that is a symlink in a writable tree is refused`(caller: Caller) throws
    {
        let workspace = try Scratch.directory("workspace")
        let shown = try Scratch.directory("shown")
        for target in ["/etc", "/", "../../../etc", "/proc", "/workspace/other"] {
            unsafe unlink("\(workspace)/link")
            unsafe symlink(target, "\(workspace)/link")
            let jail = try Jail(caller, Profiles.session("filesystem: { read: ['\(shown):/workspace/link'] }"))
            try jail.run(["--workspace", workspace], command: ["/bin/echo", "ran"]).expectRefusal(
                125, "/workspace/link")
            let deeper = try Jail(caller, Profiles.session("filesystem: { read: ['\(shown):/workspace/link/ssl'] }"))
            try deeper.run(["--workspace", workspace], command: ["/bin/echo", "ran"]).expectRefusal(
                125, "/workspace/link")
            try jail.expectNothingLeft()
        }
    }

    @Test(arguments: Caller.all) func `a workspace is writable, or not, as the profile has it`(caller: Caller) throws {
        let workspace = try Scratch.directory("workspace")
        let script = "touch /workspace/file 2>/dev/null && echo wrote || echo not"
        #expect(try Jail(caller).script(script, ["--workspace", workspace]).text == "wrote\n")
        let readOnly = try Jail(caller, Profiles.session("filesystem: { workspace: 'readOnly' }"))
        #expect(
            try readOnly.script("rm -f /workspace/file 2>/dev/null; " + script, ["--workspace", workspace]).text
                == "not\n")
        #expect(FileManager.default.fileExists(atPath: "\(workspace)/file"))
    }

    @Test(arguments: Caller.all) func `files are made as the caller's user, and not for everybody`(caller: Caller)
        throws
    {
        let workspace = try Scratch.directory("workspace")
        _ = try Jail(caller).script(
            "touch /workspace/file; mkdir /workspace/dir; chmod u+s /workspace/file", ["--workspace", workspace])
        var status = stat()
        #expect(unsafe stat("\(workspace)/file", &status) == 0)
        #expect(status.st_uid == (try Host.user.get().uid))
        #expect(status.st_mode & 0o777 == 0o644)
    }
}
