import Testing

@testable import FilterCompiler

/// The filter of the way out, evaluated.
struct `System calls of the way out` {
    typealias Decision = FilterMachine.Decision
    static let byArgument = ["clone", "socket", "mmap", "mprotect", "prctl", "ioctl"]

    static func decide(
        _ name: String, _ arguments: [UInt64] = [], _ architecture: FilterCompiler.Architecture = .x86_64
    ) throws -> Decision? {
        let machine = FilterMachine(program: try FilterCompiler.egress(for: architecture))
        guard let number = architecture.number(of: name) else { return nil }
        return try machine.decide(.init(number: number, architecture: architecture.token, arguments: arguments))
    }

    @Test(arguments: FilterCompiler.Architecture.allCases)
    func `are those of the list, for every number there is`(architecture: FilterCompiler.Architecture) throws {
        let machine = FilterMachine(program: try FilterCompiler.egress(for: architecture))
        var expected: [UInt32: Decision] = [:]
        for name in SystemCallList.egress { expected[architecture.number(of: name) ?? .max] = .allow }
        for name in SystemCallList.egressRefused { expected[architecture.number(of: name) ?? .max] = .errno(1) }
        for name in Self.byArgument { expected[architecture.number(of: name) ?? .max] = nil }
        let skipped = Set(Self.byArgument.compactMap { architecture.number(of: $0) })
        expected[.max] = nil
        for number in UInt32(0)...1023 where !skipped.contains(number) {
            let decision = try machine.decide(.init(number: number, architecture: architecture.token))
            #expect(decision == expected[number] ?? .errno(38), "\(architecture) \(number)")
        }
    }

    @Test(arguments: [
        "open", "openat", "openat2", "execve", "execveat", "ptrace", "kill", "tkill", "tgkill", "fork", "vfork",
        "clone3",
        "unshare", "setns", "mount", "io_uring_setup", "bpf", "process_vm_readv", "pidfd_getfd", "pidfd_open", "chdir",
        "unlink", "mkdir", "keyctl", "userfaultfd", "seccomp", "socketpair", "shmat", "personality", "setuid",
    ])
    func `leave out whatever reaches files, programs and other processes`(name: String) throws {
        let decision = try Self.decide(name)
        #expect(decision == .errno(1) || decision == .errno(38))
    }

    @Test(arguments: FilterCompiler.Architecture.allCases)
    func `are more than those of the page, which reaches nobody`(architecture: FilterCompiler.Architecture) throws {
        let machine = FilterMachine(program: try FilterCompiler.page(for: architecture))
        func decide(_ name: String, _ arguments: [UInt64] = []) throws -> Decision {
            let number = try #require(architecture.number(of: name))
            return try machine.decide(.init(number: number, architecture: architecture.token, arguments: arguments))
        }
        for name in ["accept4", "listen", "read", "write", "futex"] { #expect(try decide(name) == .allow, "\(name)") }
        for name in ["connect", "bind", "memfd_create", "socketpair"] {
            #expect(try decide(name) == .errno(38), "\(name)")
        }
        for family: UInt64 in [1, 2, 10, 16] { #expect(try decide("socket", [family, 1]) == .errno(38)) }
        for name in ["openat", "execve", "kill"] { #expect(try decide(name) == .errno(1), "\(name)") }
    }

    @Test func `make threads, and no process or namespace`() throws {
        let thread: UInt64 = 0x3D_0F00
        #expect(try Self.decide("clone", [thread]) == .allow)
        for flags: UInt64 in [
            17, 0, thread | 0x1000_0000, thread | 0x2_0000, thread | 0x4000_0000, thread | 0x200_0000,
            thread & ~0x1_0000, thread & ~0x100,
        ] {
            #expect(try Self.decide("clone", [flags]) == .errno(38), "\(String(flags, radix: 16))")
        }
    }

    @Test func `never map memory that can be executed`() throws {
        for call in ["mmap", "mprotect"] {
            for protection: UInt64 in [0, 1, 3] { #expect(try Self.decide(call, [0, 4096, protection]) == .allow) }
            for protection: UInt64 in [4, 5, 7] { #expect(try Self.decide(call, [0, 4096, protection]) == .errno(38)) }
        }
    }

    @Test func `make sockets to origins and resolvers, and no others`() throws {
        for family: UInt64 in [2, 10] {
            for kind: UInt64 in [1, 2, 0x80801, 0x80802] {
                #expect(try Self.decide("socket", [family, kind, 0]) == .allow)
            }
            #expect(try Self.decide("socket", [family, 3, 0]) == .errno(38))
        }
        #expect(try Self.decide("socket", [16, 3, 0]) == .allow)
        for (family, kind, last): (UInt64, UInt64, UInt64) in [(16, 3, 9), (1, 1, 0), (17, 3, 0), (40, 1, 0)] {
            #expect(try Self.decide("socket", [family, kind, last]) == .errno(38))
        }
    }
}
