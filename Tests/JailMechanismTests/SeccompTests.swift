import CLinux
import JailCore
import JailSeccomp
import TestSupport
import Testing

@testable import FilterCompiler
@testable import JailPlan

@Suite(.timeLimit(.minutes(1)))
struct `The system call filter` {
    static func enter(_ variant: SeccompPlan.Variant, additional: [String] = []) throws {
        let filters = try SeccompPlan(variant: variant, additional: additional).prepareFilters()
        try System.setNoNewPrivileges()
        try SeccompPlan.apply(filters)
    }

    private static func makeRefusedCalls() throws {
        let refused: [Int32] = [
            cl_unshare(0x20000), cl_setns(0, 0), unsafe cl_umount2("/", 2), unsafe cl_pivot_root("/", "/"),
            unsafe cl_fsopen("tmpfs"), cl_fsmount(0, 0), unsafe cl_open_tree(-100, "/", 1), cl_move_mount(0, 0, 0),
            cl_mount_setattr(0, 0, 0, 0, 0), unsafe cl_sethostname("x", 1),
        ]
        try requireEqual(refused, [Int32](repeating: -1, count: refused.count))
        var pidfd: Int32 = -1
        let absent: [Int32] = [
            cl_keyctl_join_anonymous_session(), unsafe cl_clone3(0, -1, &pidfd), makeMemoryFile(1),
            cl_prctl(24, 0, 0, 0, 0),
        ]
        try requireEqual(absent, [Int32](repeating: -38, count: absent.count))
    }

    private static func makeMemoryFile(_ flags: UInt32) -> Int32 { unsafe cl_memfd_create("x", flags) }

    @Test func `both programs are in force`() async {
        await #expect(processExitsWith: .success) {
            try Child.run {
                let before = Int(try processStatus("Seccomp_filters")) ?? 0
                try Self.enter(.strict)
                try requireEqual(try processStatus("Seccomp"), "2")
                try requireEqual(Int(try processStatus("Seccomp_filters")), before + 2)
            }
        }
    }

    /// As root in a new user namespace: what is refused is refused by the filter alone.
    @Test func `refused calls fail, and the process lives on`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .mount, .uts]) {
                try Self.enter(.strict)
                try Self.makeRefusedCalls()
            }
        }
    }

    @Test func `everyday calls still work`() async {
        await #expect(processExitsWith: .success) {
            let host = try TemporaryDirectory()
            let file = try host.file("f", "x")
            let program = try #require(Program.path(of: "true"))
            try Child.run {
                try Self.enter(.strict)
                try requireEqual(try text(file), "x")
                let pair = try System.makeSocketPair(.stream)
                try System.send(pair.first.borrowed, [1])
                _ = try System.makeInternetSocket()
                _ = try System.eventDescriptor()
                let child = try System.spawn(
                    program, arguments: ["true"], environment: [], directory: "/", terminal: nil)
                try requireEqual(try System.wait(forChild: child), .exited(0))
                try require(Self.makeMemoryFile(0x8 | 1) >= 0, "memfd_create with MFD_NOEXEC_SEAL")
            }
        }
    }

    @Test func `a profile's additional calls are let through`() async throws {
        let filters = try SeccompPlan(variant: .strict, additional: ["io_uring_setup", "ptrace"]).prepareFilters()
        #expect(filters.count == 2)
        let machine = FilterMachine(program: try #require(filters.last))
        let native = FilterCompiler.Architecture.current
        func decide(_ name: String) throws -> FilterMachine.Decision {
            try machine.decide(.init(number: try #require(native.number(of: name)), architecture: native.token))
        }
        #expect(try decide("io_uring_setup") == .allow && decide("ptrace") == .allow)
        #expect(try decide("io_uring_enter") == .errno(38) && decide("mount") == .errno(1))
    }

    @Test func `a call that does not exist is refused before anything starts`() {
        let error = failure { () throws(JailError) in
            _ = try SeccompPlan(variant: .strict, additional: ["open_sesame"]).prepareFilters()
        }
        #expect(error?.stage == .plan && error?.operation == "process.systemCalls")
        #expect(error?.reason == "no system call is called 'open_sesame'")
    }
}

extension FilterCompiler.Architecture {
    #if arch(x86_64)
        static let current = FilterCompiler.Architecture.x86_64
    #else
        static let current = FilterCompiler.Architecture.arm64
    #endif
}
