import JailCore
import JailHost
import JailPlan
import JailPolicy
import Testing

@Suite struct HostProgramTests {
    private static let stranger = HostIdentity(name: "x", uid: 4242, gid: 4242)

    private func find(
        _ name: String, writable: [String] = [], payload: HostIdentity = stranger, arguments: [String] = [],
        searchPath: String? = "relative:/nowhere:/usr/bin"
    ) throws(JailError) -> String {
        var profile = Profile(name: "p")
        profile.filesystem.write = writable.map { BindRule(source: $0, target: "/x") }
        var programs = try HostPrograms(
            profile, searchPath: searchPath, caller: System.effectiveUserID, payload: payload,
            stateDirectory: "/var/lib/x")
        let path = try programs.find(name, key: "alerts.command")
        try programs.checkArguments(arguments, key: "alerts.command")
        return path
    }

    private func message(_ body: () throws(JailError) -> String) -> String {
        failure { () throws(JailError) in _ = try body() }?.description ?? ""
    }

    @Test func `a name is looked for on the search path, and what is found is canonical`() throws {
        #expect(try find("env") == "/usr/bin/env")
        #expect(try find("/bin/env") == "/usr/bin/env")
        #expect(message { () throws(JailError) in try find("there-is-none") }.contains("not on the search path"))
        #expect(message { () throws(JailError) in try find("/nowhere/x") }.contains("there is no such file"))
        #expect(message { () throws(JailError) in try find("/etc/passwd") }.contains("not a program"))
        #expect(message { () throws(JailError) in try find("/usr/bin") }.contains("not a program"))
    }

    @Test func `what the jail may write to is nothing to start, nor to start with`() throws {
        #expect(
            message { () throws(JailError) in try find("env", writable: ["/usr"]) }.contains(
                "the jail may write to '/usr'"))
        #expect(
            message { () throws(JailError) in try find("env", writable: ["/bin"]) }.contains("the jail may write to"))
        let script = "/srv/script"
        #expect(
            message { () throws(JailError) in try find("env", writable: ["/srv"], arguments: ["-i", script]) }
                .contains("the jail may write to '/srv'"))
        #expect(
            message { () throws(JailError) in try find("env", arguments: ["/var/lib/x/data/jail/script"]) }
                .contains("the jail may write to '/var/lib/x/data'"))
        #expect(try find("env", arguments: [script]) == "/usr/bin/env")
    }

    @Test func `others must not be able to put another program in its place`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("program", mode: 0o755)
        // /tmp itself is everybody's.
        #expect(message { () throws(JailError) in try find(path) }.contains("may write to '/tmp'"))
    }
}
