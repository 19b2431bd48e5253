import JailPolicy
import Testing

@testable import JailLearning

@Suite("Permissions that nobody uses")
struct UnusedTests {
    static let text = """
        { process: { programs: ['node', 'git', '/opt/tools/'], systemCalls: ['mbind', 'ustat'] },
          filesystem: { read: ['/srv/a', '/srv/b'], write: ['/srv/w'] },
          network: { allow: [{ preset: 'npm' }, { hosts: ['a.org'] }, { hosts: ['b.org'], methods: ['POST'] }], listen: [80, 81] } }
        """

    func used(_ subjects: Observation.Subject...) -> [Observation] { subjects.map { Observation($0, .used) } }

    private func find(_ change: (inout UnusedPermissions.Watched) -> Void) throws -> UnusedPermissions {
        var watched = UnusedPermissions.Watched()
        watched.rulesReason = "no log"
        change(&watched)
        return UnusedPermissions.find(in: try profile(Self.text), watched)
    }

    @Test func `are rules that have decided nothing, by their label`() throws {
        let found = try find {
            $0.rules = ["network.allow[0] (preset npm)": 3, "network.allow[2]": 0, "network.allow[20]": 1]
        }
        #expect(found.unused.map(\.key) == ["network.allow", "network.allow"])
        #expect(found.unused.map(\.value).contains { $0.contains("b.org") })
        #expect(!found.unused.map(\.value).contains { $0.contains("npm") })
    }

    @Test func `are none of what nobody watched`() throws {
        let found = try find { _ in }
        #expect(found.unused.isEmpty)
        let keys = found.unwatched.map(\.key)
        for key in [
            "network.allow", "process.programs", "process.systemCalls", "network.listen", "filesystem.read",
            "filesystem.write", "limits",
        ] { #expect(keys.contains(key), "\(key)") }
    }

    @Test func `are programs and files of which learn has recorded others of the kind`() throws {
        let found = try find {
            $0.used = used(
                .program("/usr/bin/node"), .program("/opt/tools/x"), .file(path: "/srv/a/1", access: .read),
                .bind(port: 80))
        }
        #expect(
            found.unused.map(\.text) == [
                "process: { programs: [\"git\"] }", "network: { listen: [81] }", "filesystem: { read: [\"/srv/b\"] }",
                "filesystem: { write: [\"/srv/w\"] }",
            ])
        // Of system calls nothing was recorded as used, which is no proof.
        #expect(
            found.unwatched.contains { $0.key == "process.systemCalls" && $0.reason.contains("nothing of the kind") })
    }

    @Test func `are not what was denied`() throws {
        let found = try find { $0.used = used(.program("node")) + [Observation(.program("git"), .denied)] }
        #expect(found.unused.map(\.value) == ["\"git\"", "\"/opt/tools/\""])
    }
}
