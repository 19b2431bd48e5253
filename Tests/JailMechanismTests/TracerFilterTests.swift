import Testing

@testable import FilterCompiler

/// The filter of what watches a jail for `learn`, evaluated.
struct `System calls of the tracer` {
    typealias Decision = FilterMachine.Decision

    static func decide(
        _ name: String, _ arguments: [UInt64] = [], _ architecture: FilterCompiler.Architecture = .x86_64
    ) throws -> Decision? {
        let machine = FilterMachine(program: try FilterCompiler.tracer(for: architecture))
        guard let number = architecture.number(of: name) else { return nil }
        return try machine.decide(.init(number: number, architecture: architecture.token, arguments: arguments))
    }

    @Test(arguments: FilterCompiler.Architecture.allCases)
    func `are those of the list, for every number there is`(architecture: FilterCompiler.Architecture) throws {
        let machine = FilterMachine(program: try FilterCompiler.tracer(for: architecture))
        let allowed = Set(SystemCallList.tracer.compactMap { architecture.number(of: $0) })
        let skipped = Set(["ptrace", "mmap", "mprotect"].compactMap { architecture.number(of: $0) })
        for number in UInt32(0)...1023 where !skipped.contains(number) {
            let decision = try machine.decide(.init(number: number, architecture: architecture.token))
            #expect(decision == (allowed.contains(number) ? .allow : .errno(38)), "\(architecture) \(number)")
        }
    }

    @Test(arguments: [
        "open", "openat", "openat2", "creat", "execve", "execveat", "kill", "tkill", "tgkill", "fork", "vfork", "clone",
        "clone3", "socket", "connect", "sendmsg", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "unlink",
        "rename", "mkdir", "mount", "setns", "seccomp", "setresuid", "capset",
    ])
    func `open nothing, reach nobody and start nothing`(name: String) throws {
        #expect(try Self.decide(name) == .errno(38))
    }

    @Test(arguments: FilterCompiler.Architecture.allCases)
    func `look at what is traced, and change nothing of it`(architecture: FilterCompiler.Architecture) throws {
        // PEEKDATA, CONT, SYSCALL, GETEVENTMSG, LISTEN, GET_SYSCALL_INFO
        for request: UInt64 in [2, 7, 24, 0x4201, 0x4208, 0x420E] {
            #expect(try Self.decide("ptrace", [request], architecture) == .allow)
        }
        // TRACEME, POKETEXT, POKEDATA, POKEUSER, KILL, SINGLESTEP, SETREGS, SETFPREGS, ATTACH, DETACH, SETOPTIONS,
        // SETSIGINFO, SETREGSET, SEIZE, INTERRUPT, SETSIGMASK, SECCOMP_GET_FILTER, SET_SYSCALL_INFO
        for request: UInt64 in [
            0, 4, 5, 6, 8, 9, 13, 15, 16, 17, 0x4200, 0x4203, 0x4205, 0x4206, 0x4207, 0x420B, 0x420C, 0x4212,
        ] {
            #expect(try Self.decide("ptrace", [request], architecture) == .errno(38), "\(request)")
        }
    }
}
