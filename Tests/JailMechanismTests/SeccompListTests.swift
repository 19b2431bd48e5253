internal import CSeccomp
import Testing

@testable import FilterCompiler
@testable import JailSeccomp

extension FilterCompiler.Architecture {
    /// AUDIT_ARCH_* of linux/audit.h.
    var token: UInt32 { self == .x86_64 ? 0xC000_003E : 0xC000_00B7 }

    /// The number of a call; nil if this architecture has none of that name.
    func number(of name: String) -> UInt32? {
        if let number = SystemCallList.numbers[name] { return UInt32(number) }
        let number = unsafe seccomp_syscall_resolve_name_arch(token, name)
        return number < 0 ? nil : UInt32(number)
    }
}

/// The compiled lists, evaluated for every number there is.
struct `Lists of system calls` {
    typealias Decision = FilterMachine.Decision
    static let notThere = Decision.errno(38)
    static let notPermitted = Decision.errno(1)
    static let noFamily = Decision.errno(97)
    /// Which are free or not by their arguments; here with all of them zero.
    static let byArgument: [String: Decision] = [
        "clone": .allow, "socket": noFamily, "socketpair": notThere, "prctl": notThere, "personality": .allow,
        "ioctl": .allow, "execveat": .allow, "memfd_create": notThere,
    ]
    static let cases = FilterCompiler.Architecture.allCases.flatMap { architecture in
        [false, true].map { (architecture, $0) }
    }

    @Test(arguments: cases)
    func `decide on every number as the list says`(architecture: FilterCompiler.Architecture, shell: Bool) throws {
        let machine = FilterMachine(program: try FilterCompiler.allow(shell: shell, for: architecture))
        var expected: [UInt32: Decision] = [:]
        for name in SystemCallList.refused { expected[architecture.number(of: name) ?? .max] = Self.notPermitted }
        for name in SystemCallList.allowed { expected[architecture.number(of: name) ?? .max] = .allow }
        for (name, decision) in Self.byArgument { expected[architecture.number(of: name) ?? .max] = decision }
        if shell { expected[architecture.number(of: "memfd_create") ?? .max] = .allow }
        expected[.max] = nil
        #expect(expected.count > 200)
        for number in UInt32(0)...1023 {
            let decision = try machine.decide(.init(number: number, architecture: architecture.token))
            #expect(decision == expected[number] ?? Self.notThere, "\(architecture) \(number)")
        }
    }

    @Test(arguments: cases)
    func `end a process that calls as another architecture`(
        architecture: FilterCompiler.Architecture, shell: Bool
    ) throws {
        let programs = [
            try FilterCompiler.allow(shell: shell, for: architecture), try FilterCompiler.deny(for: architecture),
        ]
        let other: FilterCompiler.Architecture = architecture == .x86_64 ? .arm64 : .x86_64
        for machine in programs.map(FilterMachine.init) {
            // i386, arm, the other 64-bit one, and none at all.
            for token: UInt32 in [0x4000_0003, 0x4000_0028, other.token, 0] {
                #expect(try machine.decide(.init(number: 0, architecture: token)) == .kill)
            }
            guard architecture == .x86_64 else { continue }
            // x32: the same calls with a bit set.
            for number: UInt32 in [0, 1, 59, 500, 1023] {
                #expect(
                    try machine.decide(.init(number: 0x4000_0000 | number, architecture: architecture.token)) == .kill)
            }
        }
    }

    @Test func `each name is a call of one of the two architectures, and is in one list only`() {
        let listed = SystemCallList.allowed + SystemCallList.refused + Self.byArgument.keys
        for name in listed {
            #expect(FilterCompiler.Architecture.allCases.contains { $0.number(of: name) != nil }, "\(name)")
        }
        #expect(Set(listed).count == listed.count)
    }

    @Test func `what was compiled at build time is what the compiler says now`() throws {
        let native = FilterCompiler.Architecture.native
        #expect(CompiledFilters.strict == (try FilterCompiler.allow(shell: false, for: native)))
        #expect(CompiledFilters.shell == (try FilterCompiler.allow(shell: true, for: native)))
        #expect(CompiledFilters.deny == (try FilterCompiler.deny(for: native)))
        #expect(CompiledFilters.strict != CompiledFilters.shell)
    }

    @Test func `a name that no call has is an error`() {
        #expect(throws: FilterCompiler.CompileError.self) {
            try FilterCompiler.allow(shell: false, additional: ["no_such_call"], for: .x86_64)
        }
    }
}
