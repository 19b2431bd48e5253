import Foundation
import Testing

/// Supplementary groups of an ordinary user, which only newgidmap can take away.
@Suite(.needsRoot) struct GroupTests {
    private var hasHelper: Bool { FileManager.default.fileExists(atPath: "/usr/bin/newgidmap") }

    @Test func `an ordinary user with other groups is refused`() throws {
        guard !hasHelper else { return }
        var jail = try Jail(.user)
        jail.groups = "--groups=4,27"
        try jail.run("/bin/true").expectRefusal(78, "newgidmap", "optional: [\"groups\"]")
        try jail.expectNothingLeft()
    }

    @Test func `unless the profile does without, and then that is said`() throws {
        guard !hasHelper else { return }
        var jail = try Jail(
            .user, "{ extends: 'session', process: { programs: ['PROBE'] }, optional: ['groups'] }".json)
        jail.groups = "--groups=4,27"
        let finished = try jail.run(Host.probe, "--facts")
        #expect(finished.status == 0)
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.hasPrefix("clawjail: left out, as the profile allows: groups: "))
        // Two groups that the map does not show by name.
        #expect(try Probe(finished.output).groups == [65534, 65534])
    }

    @Test func `an ordinary user's own group is no other group`() throws {
        var jail = try Jail(.user)
        jail.groups = "--groups=\(try Host.user.get().gid)"
        #expect(try jail.run("/bin/true").status == 0)
    }
}
