import JailPolicy
import Testing

@testable import JailLearning

@Suite("Suggestions")
struct SuggestionTests {
    static let offline =
        "{ process: { programs: ['node'] }, filesystem: { tmp: '64M' }, limits: { memory: '512M', cpus: 1.5 } }"

    func suggest(
        _ observations: [Observation], _ text: String = offline, on host: HostLook = host()
    ) throws -> Suggestions {
        Suggestions.make(from: observations, profile: try profile(text), host: host)
    }

    // MARK: Files

    @Test func `a file that is read is shown, read-only`() throws {
        let found = try suggest(denied(.file(path: "/srv/a", access: .read)), on: host(files: ["/srv/a"]))
        #expect(found.texts == ["filesystem: { read: [\"/srv/a\"] }"])
    }

    @Test func `three files of one directory are the directory, two are two`() throws {
        let paths = ["/usr/share/dict/a", "/usr/share/dict/b", "/usr/share/dict/c"]
        let all = paths.map { Observation(.file(path: $0, access: .read), .denied) }
        #expect(try suggest(all, on: host(files: paths)).texts == ["filesystem: { read: [\"/usr/share/dict\"] }"])
        #expect(try suggest(Array(all.prefix(2)), on: host(files: paths)).texts.count == 2)
    }

    @Test(arguments: ["/usr/share", "/etc", "/home/ann", "/home/ann/.ssh", "/opt/app/private"])
    func `some directories never are`(directory: String) throws {
        let paths = ["a", "b", "c"].map { "\(directory)/\($0)" }
        let found = try suggest(
            paths.map { Observation(.file(path: $0, access: .read), .denied) }, on: host(files: paths))
        #expect(!found.texts.contains { $0.contains("[\"\(directory)\"]") }, "\(found.texts)")
    }

    @Test func `a directory that is asked for as such must lie deep enough`() throws {
        let directories = ["/usr/share", "/home/ann", "/srv/data", "/var/lib/thing"]
        let found = try suggest(
            directories.map { Observation(.file(path: $0, access: .read), .denied) }, on: host(directories: directories)
        )
        #expect(
            found.texts == ["filesystem: { read: [\"/srv/data\"] }", "filesystem: { read: [\"/var/lib/thing\"] }"])
    }

    @Test func `a file that is to be made needs its directory, if that is one of its own`() throws {
        let there = host(directories: ["/var/cache/tool", "/var/cache"])
        let found = try suggest(
            denied(
                .file(path: "/var/cache/tool/x", access: .write), .file(path: "/var/cache/tool/x", access: .read),
                .file(path: "/var/cache/other", access: .write), .file(path: "/nowhere/at/all", access: .write)),
            on: there)
        #expect(found.texts == ["filesystem: { write: [\"/var/cache/tool\"] }"])
        #expect(found.ungrantable.count == 3)
    }

    @Test func `a writable directory shows what is read in it`() throws {
        let found = try suggest(
            denied(.file(path: "/srv/w/a", access: .read), .file(path: "/srv/w/a", access: .write)),
            on: host(files: ["/srv/w/a"]))
        #expect(found.texts == ["filesystem: { write: [\"/srv/w/a\"] }"])
        #expect(found.ranked[0].evidence.count == 2)
    }

    @Test func `what no profile can show is not suggested`() throws {
        let files = ["/etc/shadow", "/proc/kallsyms", "/home/ann/.ssh/id_rsa", "/dev/sda"]
        let found = try suggest(
            files.map { Observation(.file(path: $0, access: .read), .denied) }, on: host(files: files))
        #expect(found.ranked.isEmpty && found.ungrantable.count == 4)
    }

    @Test func `sockets and keys are advised against`() throws {
        let found = try suggest(
            denied(
                .file(path: "/var/run/docker.sock", access: .connect), .file(path: "/srv/tls/server.key", access: .read)
            ),
            on: host(files: ["/srv/tls/server.key"], sockets: ["/var/run/docker.sock"]))
        #expect(found.ranked.count == 2 && found.advised.isEmpty)
        #expect(found.texts[0] == "filesystem: { read: [{ source: \"/var/run/docker.sock\", specialFiles: true }] }")
        #expect(found.ranked[0].advisedAgainst?.contains("root") == true)
    }

    @Test func `places of the jail's own come before those of the host`() throws {
        let observations = denied(
            .file(path: "/dev/shm/x", access: .write), .file(path: "/home/claw/.cache/x", access: .write),
            .file(path: "/data/x", access: .write), .file(path: "/workspace/x", access: .read),
            .file(path: "/tmp/x", access: .execute))
        let found = try suggest(observations)
        #expect(
            found.texts == [
                "filesystem: { sharedMemory: \"16M\" }", "filesystem: { home: \"16M\" }",
                "filesystem: { data: { size: \"256M\" } }", "filesystem: { workspace: \"readOnly\" }",
                "filesystem: { executeWritable: true }",
            ])
        #expect(found.advised.count == 4)
    }

    // MARK: Programs

    @Test func `a program is one element, by the name that it is looked for with`() throws {
        let found = try suggest(
            [Observation(.program("/usr/bin/git"), .denied, program: "node", count: 2)]
                + denied(.program("git"), .program("lsb_release"), .program("node")),
            on: host(programs: ["git", "node"]))
        #expect(found.texts == ["process: { programs: [\"git\"] }"])
        #expect(found.ranked[0].evidence.text == "asked for 3 times by node: the program /usr/bin/git, the program git")
        #expect(found.reasons == ["there is no such program on this host"])
    }

    @Test(arguments: ["sh", "bash", "npm", "pip3.11", "apt-get", "sudo", "docker"])
    func `shells, package managers and what gives rights are advised against`(name: String) throws {
        let found = try suggest(denied(.program(name)), on: host(programs: [name]))
        #expect(found.ranked.count == 1 && found.advised.isEmpty)
    }

    // MARK: System calls and limits

    @Test func `system calls that are not known to be harmless are advised against`() throws {
        let found = try suggest(
            denied(.systemCall("bpf"), .systemCall("mbind"), .systemCall("tomorrow"), .systemCall("ioctl")))
        #expect(found.texts.first == "process: { systemCalls: [\"mbind\"] }")
        #expect(found.advised.count == 1 && found.ranked.count == 3)
        #expect(found.reasons[0].contains("refused for what it was asked with"))
    }

    @Test func `limits are doubled, up to a bound`() throws {
        let observations = denied(
            .limit(name: "memory", value: "512M"), .limit(name: "filesystem.tmp", value: ""),
            .limit(name: "cpus", value: "1.5"), .limit(name: "processes", value: "8"))
        #expect(
            try suggest(observations).texts == [
                "limits: { memory: \"1G\" }", "filesystem: { tmp: \"128M\" }", "limits: { cpus: 3 }",
            ])
        let most = try suggest(denied(.limit(name: "memory", value: "16G")), "{ limits: { memory: '16G' } }")
        #expect(most.ranked.isEmpty && most.reasons.contains { $0.contains("a person") })
    }

    @Test func `a limit that was reached before it was raised is not raised again`() throws {
        let observations = denied(.limit(name: "memory", value: "256M"), .limit(name: "cpus", value: "1"))
        #expect(try suggest(observations) == Suggestions())
        #expect(try suggest(observations + denied(.limit(name: "memory", value: "512M"))).texts.count == 1)
    }

    @Test func `a port can be named only where the profile names ports`() throws {
        let bind = denied(.bind(port: 8080))
        #expect(try suggest(bind, "{ network: { listen: [80] } }").texts == ["network: { listen: [8080] }"])
        #expect(try suggest(bind).ranked.isEmpty)
    }

    // MARK: Order

    @Test func `what stops a program comes first, what is advised against last`() throws {
        let observations =
            [Observation(.systemCall("mbind"), .denied, count: 100)]
            + denied(
                .program("bash"), .file(path: "/srv/a", access: .read), network("POST", "example.org", "/x"),
                .program("git"), .limit(name: "memory", value: ""))
        let found = try suggest(observations, on: host(files: ["/srv/a"], programs: ["git", "bash"]))
        #expect(
            found.ranked.map(\.change.key) == [
                "limits.memory", "process.programs", "network.allow", "process.systemCalls", "filesystem.read",
                "process.programs",
            ])
        #expect(found.ranked.last?.change.value == "\"bash\"")
    }

    @Test func `what was only used is not suggested`() throws {
        #expect(try suggest([Observation(.program("git"), .used)], on: host(programs: ["git"])) == Suggestions())
    }

    @Test func `hostile texts stay texts`() throws {
        let path = "/srv/a\"], write: [\"/srv"
        let found = try suggest(
            denied(.file(path: path, access: .read), .file(path: "/srv/x\n", access: .read), .program("a\"b")),
            on: host(files: [path, "/srv/x\n"], programs: ["a\"b"]))
        let changed = try profile(Self.offline).adding(found.ranked.map(\.change))
        #expect(changed.filesystem.write.isEmpty && changed.filesystem.read.map(\.source) == [path])
    }
}
