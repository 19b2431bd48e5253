import AuditLog
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `A program whose digest is named` {
    private func plan(_ path: String, _ digest: String, _ identity: FileIdentity?) -> LaunchPlan {
        .bare { plan in
            plan.commands = CommandsPlan(rules: CommandRules(), places: [])
            plan.commands?.checked = [CheckedProgram(path: path, digest: digest, identity: identity)]
        }
    }

    @Test func `is kept from a command, so a jail without one is refused`() {
        let plan = LaunchPlan.bare { plan in
            plan.command.arguments = []
            plan.commands = CommandsPlan(rules: CommandRules(), places: [.jail])
        }
        let error = #expect(throws: JailError.self) { try plan.checkPrograms() }
        #expect(error?.reason.contains("this jail has none") == true)
    }

    @Test func `is the file that was planned, and has this content`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.file("tool", "content")
        let identity = try System.status(path).identity
        let digest = AuditDigest(of: Array("content".utf8)).description
        try plan(path, digest, identity).checkPrograms()
        try plan(path, digest, nil).checkPrograms()
        let other = #expect(throws: JailError.self) {
            try plan(path, digest, FileIdentity(device: identity.device, inode: identity.inode + 1)).checkPrograms()
        }
        #expect(other?.reason.contains("replaced") == true)
        let wrong = #expect(throws: JailError.self) {
            try plan(path, AuditDigest(of: Array("else".utf8)).description, identity).checkPrograms()
        }
        #expect(wrong?.reason.contains("its SHA-256 is \(digest)") == true)
        #expect(throws: JailError.self) { try plan(directory.path, digest, nil).checkPrograms() }
        #expect(throws: JailError.self) { try plan(directory.path + "/none", digest, nil).checkPrograms() }
    }
}
