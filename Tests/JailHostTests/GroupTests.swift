import JailPlan
import Testing

@testable import JailHost

struct `Groups of the host` {
    private static let file = """
        root:x:0:
        adm:x:4:syslog,ann
        ann:x:1000:
        docker:x:99:bob,ann,bob
        again:x:99:ann
        broken:x:5
        :x:6:ann
        sign:x:+7:ann
        wide:x:4294967295:ann
        """

    @Test func `are those that list a user, each once, besides its own`() {
        let groups = Groups(group: Array(Self.file.utf8))
        let ann = Accounts(passwd: Array("ann:x:1000:1000::/home/ann:/bin/sh\n".utf8)).users[0]
        #expect(groups.supplementary(of: ann).map(\.name) == ["adm", "docker"])
        #expect(groups.supplementary(of: ann).map(\.gid) == [4, 99])
        #expect(groups.name(of: 1000) == "ann" && groups.name(of: 7) == nil)
    }
}
