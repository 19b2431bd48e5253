import Foundation
import Testing

/// Supplementary groups of an ordinary user, which only newgidmap(1) can take away.
@Suite(.needsRoot) struct GroupTests {
    /// Hides the program, on hosts that have it.
    private static let withoutHelper = "{ [ ! -e /usr/bin/newgidmap ] || mount --bind /dev/null /usr/bin/newgidmap; }"

    private func jail(_ profile: String = Profiles.session, hostChange: String = withoutHelper) throws -> Jail {
        var jail = try Jail(.user, profile)
        jail.groups = "--groups=4,27"
        jail.hostChange = hostChange
        return jail
    }

    @Test func `an ordinary user with other groups is refused`() throws {
        let jail = try jail()
        try jail.run("/bin/true").expectRefusal(78, "newgidmap", "optional: [\"groups\"]")
        try jail.expectNothingLeft()
    }

    @Test func `unless the profile does without, and then that is said`() throws {
        let profile = "{ extends: 'session', process: { programs: ['PROBE'] }, optional: ['groups'] }".json
        let finished = try jail(profile).run(Host.probe, "--facts")
        #expect(finished.status == 0)
        #expect(finished.errorLines.count == 1)
        #expect(finished.errors.hasPrefix("clawjail: left out, as the profile allows: groups: "))
        // Two groups that the map does not show by name.
        #expect(try Probe(finished.output).groups == [65534, 65534])
    }

    @Test(.needs("newgidmap")) func `newgidmap takes them away`() throws {
        let user = try Host.user.get()
        let subordinate = Scratch.file("subgid")
        try Scratch.write("\(user.name):700000:65536\n", to: subordinate)
        let jail = try jail(
            hostChange: "{ [ -e /etc/subgid ] || touch /etc/subgid; } && mount --bind '\(subordinate)' /etc/subgid")
        let probe = try Probe.inside(jail, arguments: ["--facts"])
        #expect(probe.groups.isEmpty)
        #expect(probe.gids == ["1000", "1000", "1000", "1000"])
    }

    @Test func `an ordinary user's own group is no other group`() throws {
        var jail = try jail()
        jail.groups = "--groups=\(try Host.user.get().gid)"
        #expect(try jail.run("/bin/true").status == 0)
    }
}
