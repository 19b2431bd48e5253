import Foundation
import Glibc
import Testing

/// Bad input: one line, the right status, nothing started, nothing left.
@Suite struct ProfileRefusalTests {
    private func refuse(
        _ caller: Caller, _ profile: String, _ status: Int32 = 78, _ parts: String..., options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let jail = try Jail(caller, profile.json)
        let finished = try jail.run(options, command: ["/bin/echo", "ran"])
        finished.expectRefusal(status, sourceLocation: sourceLocation)
        for part in parts {
            #expect(finished.errors.contains(part), "\(finished.errors)", sourceLocation: sourceLocation)
        }
        try jail.expectNothingLeft(sourceLocation: sourceLocation)
    }

    // MARK: The file

    @Test(arguments: Caller.all) func `a profile that is not there`(caller: Caller) throws {
        var jail = try Jail(caller)
        jail.profile = "no-such-profile"
        try jail.run("/bin/true").expectRefusal(78, "no-such-profile", "known profiles")
        jail.profile = "/not/there.json5"
        try jail.run("/bin/true").expectRefusal(78, "no such file")
    }

    @Test func `a profile that cannot be read`() throws {
        let jail = try Jail(.user)
        unsafe chmod(jail.profile, 0o000)
        try jail.run("/bin/true").expectRefusal(78, jail.profile)
    }

    @Test(arguments: Caller.all) func `a profile that everybody may write to`(caller: Caller) throws {
        let jail = try Jail(caller)
        unsafe chmod(jail.profile, 0o666)
        try jail.run("/bin/true").expectRefusal(78, jail.profile)
    }

    @Test(.needsRoot, arguments: Caller.all) func `a profile of somebody else's`(caller: Caller) throws {
        let jail = try Jail(caller)
        unsafe chown(jail.profile, 1, 1)
        try jail.run("/bin/true").expectRefusal(78, jail.profile)
    }

    @Test(arguments: Caller.all) func `a profile that is a FIFO or a directory`(caller: Caller) throws {
        let jail = try Jail(caller)
        unsafe unlink(jail.profile)
        unsafe mkfifo(jail.profile, 0o600)
        try jail.run("/bin/true").expectRefusal(78, jail.profile)
        unsafe unlink(jail.profile)
        unsafe mkdir(jail.profile, 0o755)
        try jail.run("/bin/true").expectRefusal(78, jail.profile)
    }

    // MARK: The text

    @Test(arguments: Caller.all) func `what is not JSON5, with line and column`(caller: Caller) throws {
        try refuse(caller, "{ extends: 'session',\n process: { programs: [ } }", 78, "test.json5:2")
        try refuse(caller, "", 78, "test.json5")
        try refuse(caller, "\u{0}", 78, "test.json5")
        try refuse(caller, String(repeating: "[", count: 100_000), 78, "test.json5")
    }

    @Test(arguments: Caller.all) func `a key that is not known, with the nearest that is`(caller: Caller) throws {
        try refuse(caller, "{ extends: 'session',\n limits: { memroy: '1G' } }", 78, "test.json5:2", "memroy", "memory")
    }

    @Test(arguments: Caller.all) func `a key twice, and a value of the wrong kind`(caller: Caller) throws {
        try refuse(caller, "{ extends: 'session', limits: { memory: '1G', memory: '2G' } }", 78, "memory")
        try refuse(caller, "{ extends: 'session', limits: { memory: ['1G'] } }", 78, "limits.memory")
    }

    @Test func `profiles that extend one another`() throws {
        let jail = try Jail(.user)
        let directory = "\(jail.home)/.config/clawjail/profiles"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Scratch.write("{ extends: 'bbb' }".json, to: "\(directory)/aaa.json5")
        try Scratch.write("{ extends: 'aaa' }".json, to: "\(directory)/bbb.json5")
        var circular = jail
        circular.profile = "aaa"
        try circular.run("/bin/true").expectRefusal(78, "goes in a circle", "aaa → bbb → aaa")
    }

    // MARK: What it names

    @Test(arguments: Caller.all) func `a program that is not installed`(caller: Caller) throws {
        try refuse(
            caller, "{ extends: 'session', process: { programs: ['no-such-program'] } }", 78, "no-such-program", "?")
    }

    @Test(arguments: Caller.all) func `a source that is not there`(caller: Caller) throws {
        try refuse(caller, "{ extends: 'session', filesystem: { read: ['/not/there'] } }", 78, "/not/there")
    }

    @Test(arguments: Caller.all) func `a source that is a symlink`(caller: Caller) throws {
        let link = Scratch.file("link")
        unsafe symlink("/usr/share", link)
        try refuse(
            caller, "{ extends: 'session', filesystem: { read: ['\(link)'] } }", 78, link, "symlink", "/usr/share")
        try refuse(caller, "{ extends: 'session', filesystem: { write: ['\(link)/doc:/doc'] } }", 78, "symlink")
    }

    @Test(arguments: Caller.all) func `a source with a socket, a FIFO or a device in it`(caller: Caller) throws {
        let directory = try Scratch.directory("shown")
        unsafe mkdir("\(directory)/below", 0o755)
        unsafe mkfifo("\(directory)/below/fifo", 0o666)
        try refuse(
            caller, "{ extends: 'session', filesystem: { read: ['\(directory)'] } }", 78, "below/fifo",
            "specialFiles: true")
        unsafe unlink("\(directory)/below/fifo")
        let listeners = try Listeners()
        unsafe rename(listeners.path, "\(directory)/below/socket")
        try refuse(
            caller, "{ extends: 'session', filesystem: { read: ['\(directory)'] } }", 78, "below/socket",
            "specialFiles: true")
        try refuse(caller, "{ extends: 'session' }", 78, "below/socket", options: ["--workspace", directory])
        // Meant, it can be had.
        let jail = try Jail(
            caller,
            "{ extends: 'session', process: { programs: ['PROBE'] }, filesystem: { read: [{ source: '\(directory)', target: '/shown', specialFiles: true }] } }"
                .json)
        #expect(
            try Probe.inside(jail, arguments: ["--socket", "/shown/below/socket"]).result("connect /shown/below/socket")
                == "ok")
    }

    @Test(arguments: Caller.all) func `a source that the jail's user may not reach`(caller: Caller) throws {
        try Host.isRoot
            ? refuse(
                caller,
                "{ extends: 'session', filesystem: { read: ['\(try Scratch.directory("closed", owner: 0, mode: 0o700))'] } }",
                78, "may not reach it")
            : ()
    }

    @Test(arguments: Caller.all) func `sources that would give the host away`(caller: Caller) throws {
        for path in ["/", "/proc", "/sys", "/dev", "/run", "/etc"] {
            try refuse(caller, "{ extends: 'session', filesystem: { write: ['\(path):/shown'] } }")
        }
    }

    @Test(.needsRoot, arguments: Caller.all) func `a data directory of somebody else's`(caller: Caller) throws {
        let data = try Scratch.directory("data", owner: 1)
        try refuse(
            caller, "{ extends: 'session', filesystem: { data: { size: '10M', source: '\(data)' } } }", 78, data,
            "belongs to user id 1")
        let open = try Scratch.directory("data", mode: 0o777)
        try refuse(
            caller, "{ extends: 'session', filesystem: { data: { size: '10M', source: '\(open)' } } }", 78, open,
            "may write")
    }

    @Test(.needsRoot, arguments: Caller.all) func `a root that cannot be read`(caller: Caller) throws {
        let root = try Scratch.directory("root", owner: 0, mode: 0o700)
        try refuse(caller, "{ extends: 'session', filesystem: { root: { directory: '\(root)' } } }", 78, root)
        try refuse(
            caller, "{ extends: 'session', filesystem: { root: { directory: '/not/there' } } }", 78, "/not/there")
    }
}
