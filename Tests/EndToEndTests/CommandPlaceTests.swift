import Foundation
import Testing

/// Commands that run outside of the jail that asks for them.
@Suite(.serialized) struct CommandPlaceTests {
    private static func profile(_ user: String, _ directory: String) -> String {
        """
        {
          process: { programs: ['env'] },
          filesystem: { workspace: 'readWrite' },
          limits: { memory: '256M', processes: 32, cpus: 1 },
          optional: ['groups'],
          commands: [
            { program: '/usr/bin/cat', arguments: [{ below: '\(directory)' }], where: { host: '\(user)' } },
            { program: '/usr/bin/id', flags: ['-u'], where: { host: '\(user)' } },
            { program: '/usr/bin/sh', name: 'check', flags: [{ names: ['-c'], value: { pattern: '.+' } }],
              workingDirectory: '/workspace/sub', environment: { WHO: 'me' }, where: { profile: 'session' } },
          ],
        }
        """.json
    }

    @Test(.needsRoot) func `as root, one runs on the host as the user that the profile names`() throws {
        let directory = try Scratch.directory("logs", owner: 1, mode: 0o755)
        try Scratch.write("of daemon\n", to: directory + "/own")
        unsafe chown(directory + "/own", 1, 1)
        unsafe chmod(directory + "/own", 0o600)
        unsafe symlink("/etc/hostname", directory + "/out")
        let jail = try Jail(.root, Self.profile("daemon", directory))
        let read = try jail.run("env", "cat", directory + "/own")
        #expect(read.status == 0 && read.text == "of daemon\n", "\(read.errors)")
        #expect(try jail.run("env", "id", "-u").text == "1\n")
        let out = try jail.run("env", "cat", directory + "/out")
        #expect(out.status == 126 && out.text.isEmpty)
        #expect(out.errors.contains("leads out of the directory"), "\(out.errors)")
        #expect(try jail.run("env", "cat", "/etc/hostname").status == 126)
        try jail.expectNothingLeft()
    }

    @Test(arguments: Caller.all) func `one runs in a jail of its own, over the same workspace`(caller: Caller) throws {
        let workspace = try Scratch.directory("workspace")
        try FileManager.default.createDirectory(atPath: workspace + "/sub", withIntermediateDirectories: false)
        try Scratch.write("shared", to: workspace + "/sub/file")
        let user = try Host.user.get()
        unsafe chown(workspace + "/sub", user.uid, user.gid)
        let jail = try Jail(caller, Self.profile(caller == .root ? "daemon" : user.name, "/srv"))
        let finished = try jail.run(
            ["--workspace", workspace],
            command: ["env", "check", "-c", "pwd; cat file; echo $WHO; echo made > new; ls /; exit 5"], seconds: 60)
        #expect(finished.status == 5, "\(finished.errors)")
        #expect(finished.text.hasPrefix("/workspace/sub\nsharedme\n"), "\(finished.text)")
        #expect(!finished.text.contains("home\nroot"), "no file system of the host's")
        #expect(try String(contentsOfFile: workspace + "/sub/new", encoding: .utf8) == "made\n")
        try jail.expectNothingLeft()
    }
}
