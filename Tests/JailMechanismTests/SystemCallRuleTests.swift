import Testing

@testable import FilterCompiler

/// What the rules say of a call, against the filters that are compiled from them.
struct `Rules of system calls` {
    struct Case: Sendable, CustomTestStringConvertible {
        var architecture: FilterCompiler.Architecture
        var shell: Bool
        var additional: [String]
        var testDescription: String { "\(architecture) \(shell ? "shell" : "strict") \(additional)" }
    }

    static let cases = FilterCompiler.Architecture.allCases.flatMap { architecture in
        [false, true].flatMap { shell in
            [[], ["unshare", "clone", "socket", "openat2", "io_uring_setup", "memfd_create", "prctl"]].map {
                Case(architecture: architecture, shell: shell, additional: $0)
            }
        }
    }

    /// Where the rules draw their lines, and a few beside them.
    private static let values: [UInt64] = [
        0, 1, 2, 3, 8, 9, 10, 15, 16, 17, 40, 0o100, 0o755, 0o1755, 0o2000, 0o4000, 0o4755, 0o102_1000, 0x541B, 0x5412,
        0x1_0000_5412, 0x1000, 0x2_0000, 0x1000_0000, 0x7E02_0000, 0xFFFF_FFFF, 0x1_0000_0001, .max,
    ]

    @Test(arguments: cases)
    func `decide as the filters do, whatever the arguments are`(_ kind: Case) throws {
        let rules = SystemCallRules(shell: kind.shell, additional: kind.additional)
        // In the order in which the kernel asks them.
        let machines = [
            FilterMachine(
                program: try FilterCompiler.allow(
                    shell: kind.shell, additional: kind.additional, for: kind.architecture)),
            FilterMachine(program: try FilterCompiler.deny(for: kind.architecture)),
        ]
        var random = SystemRandomNumberGenerator()
        let names = Set((rules.list + rules.denied).map(\.call) + ["bpf", "keyctl", "userfaultfd"])
        for name in names {
            guard let number = kind.architecture.number(of: name) else { continue }
            for _ in 0..<60 {
                let arguments = (0..<6).map { _ in Self.values.randomElement(using: &random) ?? 0 }
                let answers = try machines.map {
                    try $0.decide(.init(number: number, architecture: kind.architecture.token, arguments: arguments))
                }
                let answer = answers.first { $0 != .allow } ?? .allow
                let expected: FilterMachine.Decision =
                    switch rules.decide(name, arguments) {
                    case .allow: .allow
                    case .errno(let code): .errno(UInt32(code))
                    }
                #expect(answer == expected, "\(name) \(arguments)")
            }
        }
    }
}
