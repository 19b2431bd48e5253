import CLinux
import JailCore
import JailPrivileges
import TestSupport
import Testing

@testable import JailPlan

@Suite(.timeLimit(.minutes(1)))
struct `Given up privileges` {
    static let sets = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"]
    static let none = "0000000000000000"

    @Test func `all five sets are empty, and the secure bits locked`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: .user) {
                for set in ["CapPrm", "CapEff", "CapBnd"] { try require(try processStatus(set) != Self.none, set) }
                try Privileges.dropCapabilities()
                for set in Self.sets { try requireEqual(try processStatus(set), Self.none) }
                // noroot, no_setuid_fixup, no keep_caps, no ambient raise, each with its lock.
                try requireEqual(cl_prctl(27, 0, 0, 0, 0), 0xEF)
            }
        }
    }

    @Test func `an identity without the right to drop them is refused`() async {
        await #expect(processExitsWith: .success) {
            try Child.run {
                if System.effectiveUserID == 0 {
                    try System.setGroup(65534)
                    try System.setUser(65534)
                }
                try requireFailure(.notPermitted) { () throws(SystemError) in try Privileges.dropCapabilities() }
            }
        }
    }

    @Test func `no_new_privs is set and read back`() async {
        await #expect(processExitsWith: .success) {
            try Child.run {
                try requireEqual(try processStatus("NoNewPrivs"), "0")
                try Privileges.forbidNewPrivileges()
                try requireEqual(try processStatus("NoNewPrivs"), "1")
                try requireEqual(try System.hasNoNewPrivileges(), true)
            }
        }
    }

    @Test func `a supervisor keeps what it is given, and nothing else`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: .user) {
                try Privileges.keepOnly(.overrideAccess)
                try requireEqual(try processStatus("CapEff"), "0000000000000002")
                try requireEqual(try processStatus("CapPrm"), "0000000000000002")
                try requireEqual(try processStatus("CapInh"), Self.none)
                try requireFailure(.notPermitted) { () throws(SystemError) in try System.setHostName("x") }
            }
        }
    }

    @Test func `limits are lowered and cannot be raised again`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: .user) {
                try Privileges.apply([
                    .init(resource: .openFiles, value: 32), .init(resource: .core, value: 0),
                    .init(resource: .fileSize, value: 4096),
                ])
                try requireEqual(try System.limit(.openFiles).hard, 32)
                try requireEqual(try System.limit(.core).hard, 0)
                try requireEqual(try System.limit(.fileSize).soft, 4096)
                try requireFailure(.notPermitted) { () throws(SystemError) in
                    try System.setLimit(.openFiles, soft: 33, hard: 33)
                }
                // A limit above the caller's own does not raise it.
                try Privileges.apply([.init(resource: .openFiles, value: 1000)])
                try requireEqual(try System.limit(.openFiles).hard, 32)
            }
        }
    }
}
