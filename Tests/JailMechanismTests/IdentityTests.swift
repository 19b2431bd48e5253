import CLinux
import JailCore
import JailPolicy
import TestSupport
import Testing

@testable import JailNamespaces
@testable import JailPlan

@Suite(.timeLimit(.minutes(1)))
struct `Identity` {
    @Test func `one id each is mapped, and setgroups is denied for good`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: .user) {
                let words = try text("/proc/self/uid_map").split(whereSeparator: \.isWhitespace)
                try requireEqual(words.count, 3)
                try requireEqual(words.first == "1000" && words.last == "1", true)
                try requireEqual(try text("/proc/self/setgroups"), "deny\n")
                try IdentityPlan.caller.take()
                try requireEqual(System.userID, 1000)
                try requireEqual(System.groupID, 1000)
                try requireFailure(.notPermitted) { () throws(SystemError) in try System.setSupplementaryGroups([]) }
            }
        }
    }

    @Test func `an id beyond the map cannot be had`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: .user) {
                try IdentityPlan.caller.take()
                for id: UInt32 in [0, 1, 65534] {
                    try requireFailure(.invalid) { () throws(SystemError) in try System.setUser(id) }
                    try requireFailure(.invalid) { () throws(SystemError) in try System.setGroup(id) }
                }
            }
        }
    }

    @Test(.needsRoot) func `root's and the caller's groups are dropped`() async {
        await #expect(processExitsWith: .success) {
            var identity = IdentityPlan.caller
            identity.host = HostIdentity(name: "nobody", uid: 65534, gid: 65534)
            identity.groups = .byRoot
            try Child.run(in: .user, as: identity, prepare: { try System.setSupplementaryGroups([4, 5, 6]) }) {
                try requireEqual(try System.supplementaryGroups().count, 3)
                try identity.take()
                try requireEqual(try System.supplementaryGroups(), [])
                try requireEqual(System.effectiveUserID, 1000)
                // Whoever looks from outside sees the user of the plan.
                try requireEqual(try text("/proc/self/uid_map").contains("65534"), true)
            }
        }
    }

    @Test func `ids that are not the caller's are not mapped`() async {
        await #expect(processExitsWith: .success) {
            var identity = IdentityPlan.caller
            identity.host = HostIdentity(name: "root", uid: 0, gid: 0)
            try Child.run {
                if System.effectiveUserID == 0 {
                    try System.setGroup(65534)
                    try System.setUser(65534)
                    // What the kernel cleared with the ids: only a dumpable process owns its own /proc.
                    try System.setDumpable(true)
                }
                let child = try System.clone(.user, into: nil).takePID()
                if child == 0 {
                    var entries: [System.PollEntry] = []
                    try System.poll(&entries, milliseconds: -1)
                    System.exitNow(0)
                }
                do throws(JailError) {
                    try identity.writeMaps(of: child)
                    throw JailError(.plan, reason: "it was written")
                } catch {
                    try? System.kill(child, 9)
                    try requireEqual(error.stage, .identity)
                    try requireEqual(error.operation, "write")
                }
            }
        }
    }
}
