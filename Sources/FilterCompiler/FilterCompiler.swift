internal import CSeccomp
internal import Glibc

/// Compiles the jail's seccomp filters with libseccomp into classic BPF, see seccomp(2) and seccomp_export_bpf(3).
///
/// There are two, both in force. `allow` is the list of what may be called at all. `deny` looks at arguments of calls
/// that are otherwise free: the kernel reads only the low 32 bits of an ioctl's number, so a comparison for inequality
/// could be passed with a high bit set, and only a masked comparison for equality is safe.
package enum FilterCompiler {
    package enum Architecture: String, CaseIterable, Sendable {
        case x86_64, arm64

        /// AUDIT_ARCH_* of linux/audit.h.
        fileprivate var token: UInt32 {
            switch self {
            case .x86_64: 0xC000_003E
            case .arm64: 0xC000_00B7
            }
        }
    }

    package struct CompileError: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    /// What may be called. `shell` allows executable memory files; `additional` are names beyond the list.
    package static func allow(
        shell: Bool, additional: [String] = [], for architecture: Architecture
    ) throws(CompileError) -> [UInt64] {
        var builder = try Builder.make(defaultAction: errno(ENOSYS), architecture)
        for rule in SystemCallRules.list(shell: shell, additional: additional) { try builder.add(rule) }
        return try builder.export()
    }

    /// Arguments that no jail may pass.
    package static func deny(for architecture: Architecture) throws(CompileError) -> [UInt64] {
        var builder = try Builder.make(defaultAction: allowAction, architecture)
        for rule in SystemCallRules.denied { try builder.add(rule) }
        return try builder.export()
    }

    /// The number of a call on the architecture that this program runs on; nil: it has none of that name.
    package static func number(of name: String) -> Int32? {
        let number = unsafe seccomp_syscall_resolve_name(name)
        return number >= 0 ? number : SystemCallList.numbers[name]
    }

    /// What the way out may call: everything that files, programs and other processes would need is not there.
    package static func egress(for architecture: Architecture) throws(CompileError) -> [UInt64] {
        var builder = try loop(SystemCallList.egress, for: architecture)
        // Streams and datagrams to origins and resolvers; of netlink the addresses of this host.
        for family: UInt64 in [2, 10] {
            for kind: UInt64 in [1, 2] {
                try builder.add(allowAction, "socket", equal(0, family), masked(1, mask: 0xF, equals: kind))
            }
        }
        try builder.add(allowAction, "socket", equal(0, 16), equal(2, 0))
        return try builder.export()
    }

    /// What the page to decide on may call: less than the way out, for it only answers, on sockets that it was given.
    package static func page(for architecture: Architecture) throws(CompileError) -> [UInt64] {
        try loop(SystemCallList.page, for: architecture).export()
    }

    /// What an event loop needs, with threads, besides what it is for.
    private static func loop(_ list: [String], for architecture: Architecture) throws(CompileError) -> Builder {
        var builder = try Builder.make(defaultAction: errno(ENOSYS), architecture)
        for name in list { try builder.add(allowAction, name) }
        for name in SystemCallList.egressRefused { try builder.add(errno(EPERM), name) }
        // Threads, and nothing else: CLONE_VM, FS, FILES, SIGHAND, THREAD and SYSVSEM, and no namespace.
        let thread: UInt64 = 0x0005_0F00
        try builder.add(allowAction, "clone", masked(0, mask: 0x7E02_0000 | thread, equals: thread))
        // No page is ever both written and executed: there is no code but the program's.
        for call in ["mmap", "mprotect"] { try builder.add(allowAction, call, masked(2, mask: 0x4, equals: 0)) }
        // Its own name, and names of its memory.
        for option: UInt64 in [15, 0x5356_4D41] { try builder.add(allowAction, "prctl", equal(0, option)) }
        // FIONREAD and FIONBIO, which libraries use on sockets.
        for request: UInt64 in [0x541B, 0x5421] {
            try builder.add(allowAction, "ioctl", masked(1, mask: 0xFFFF_FFFF, equals: request))
        }
        return builder
    }

    /// What the process may call that watches a jail for `learn`: to look at what it traces, and at what names of files lead
    /// to; no file can be opened, and nobody reached.
    package static func tracer(for architecture: Architecture) throws(CompileError) -> [UInt64] {
        var builder = try Builder.make(defaultAction: errno(ENOSYS), architecture)
        for name in SystemCallList.tracer { try builder.add(allowAction, name) }
        for request in SystemCallList.tracerRequests { try builder.add(allowAction, "ptrace", equal(0, request)) }
        for call in ["mmap", "mprotect"] { try builder.add(allowAction, call, masked(2, mask: 0x4, equals: 0)) }
        return try builder.export()
    }

    /// The kernel's name of a call of the architecture that this runs on; nil: it has none.
    package static func name(of number: Int32) -> String? {
        guard let text = unsafe seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else {
            return SystemCallList.numbers.first { $0.value == number }?.key
        }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }

    /// Calls that get EPERM, and not ENOSYS as all others that are not in the list.
    package static var refused: [String] { SystemCallList.refused }

    // MARK: libseccomp

    private static let allowAction: UInt32 = 0x7FFF_0000
    private static let killProcess: UInt32 = 0x8000_0000
    private static func errno(_ code: Int32) -> UInt32 { 0x0005_0000 | UInt32(code) }

    private static func equal(_ argument: UInt32, _ value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_EQ, datum_a: value, datum_b: 0)
    }
    private static func masked(_ argument: UInt32, mask: UInt64, equals value: UInt64) -> scmp_arg_cmp {
        scmp_arg_cmp(arg: argument, op: SCMP_CMP_MASKED_EQ, datum_a: mask, datum_b: value)
    }

    private static func compare(_ condition: SystemCallRule.Condition) -> scmp_arg_cmp {
        switch condition {
        case .equal(let argument, let value): equal(argument, value)
        case .greater(let argument, let value):
            scmp_arg_cmp(arg: argument, op: SCMP_CMP_GT, datum_a: value, datum_b: 0)
        case .masked(let argument, let mask, let value): masked(argument, mask: mask, equals: value)
        }
    }

    @safe
    private struct Builder: ~Copyable {
        private let context: UnsafeMutableRawPointer
        private let architecture: Architecture

        private init(_ context: UnsafeMutableRawPointer, _ architecture: Architecture) {
            unsafe self.context = context
            self.architecture = architecture
        }

        static func make(defaultAction: UInt32, _ architecture: Architecture) throws(CompileError) -> Builder {
            guard let context = unsafe seccomp_init(defaultAction) else {
                throw CompileError(description: "seccomp_init failed")
            }
            let builder = unsafe Builder(context, architecture)
            if seccomp_arch_native() != architecture.token {
                try check(unsafe seccomp_arch_add(context, architecture.token), "seccomp_arch_add")
                try check(unsafe seccomp_arch_remove(context, seccomp_arch_native()), "seccomp_arch_remove")
            }
            // Another architecture's calls (32-bit, x32) end the process: nothing legitimate makes them.
            try check(
                unsafe seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, FilterCompiler.killProcess),
                "seccomp_attr_set")
            // A binary tree over the numbers.
            try check(unsafe seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2), "seccomp_attr_set")
            return builder
        }

        /// __NR_SCMP_ERROR
        private let unknown: Int32 = -1

        deinit { unsafe seccomp_release(context) }

        mutating func add(_ rule: SystemCallRule) throws(CompileError) {
            let action =
                switch rule.action {
                case .allow: FilterCompiler.allowAction
                case .errno(let code): FilterCompiler.errno(code)
                }
            try add(action, rule.call, rule.conditions.map(FilterCompiler.compare))
        }

        mutating func add(_ action: UInt32, _ name: String, _ arguments: scmp_arg_cmp...) throws(CompileError) {
            try add(action, name, arguments)
        }

        private mutating func add(_ action: UInt32, _ name: String, _ arguments: [scmp_arg_cmp]) throws(CompileError) {
            // Whether this architecture has it: a pseudo number says that the call exists, and not here.
            let resolved = unsafe seccomp_syscall_resolve_name_arch(architecture.token, name)
            guard resolved == unknown || resolved >= 0 else { return }
            // The library takes numbers of the architecture that it runs on, and translates them by their names.
            var number = unsafe seccomp_syscall_resolve_name(name)
            if resolved == unknown {
                guard let known = SystemCallList.numbers[name] else {
                    throw CompileError(description: "no system call is called '\(name)'")
                }
                number = known
            }
            let result = unsafe seccomp_rule_add_array(
                context, action, number, UInt32(arguments.count), arguments)
            try Self.check(result, "seccomp_rule_add(\(name))")
        }

        consuming func export() throws(CompileError) -> [UInt64] {
            // A pipe holds 64 KiB, and the kernel takes at most 4096 instructions of 8 bytes.
            var ends: [Int32] = [-1, -1]
            guard unsafe pipe(&ends) == 0 else { throw CompileError(description: "pipe failed") }
            defer { close(ends[0]) }
            let result = unsafe seccomp_export_bpf(context, ends[1])
            close(ends[1])
            try Self.check(result, "seccomp_export_bpf")
            var program = [UInt64](repeating: 0, count: 4097)
            var size = 0
            while true {
                let count = unsafe program.withUnsafeMutableBytes {
                    unsafe read(
                        ends[0], UnsafeMutableRawBufferPointer(rebasing: $0[size...]).baseAddress, $0.count - size)
                }
                guard count >= 0 else { throw CompileError(description: "the filter could not be read back") }
                if count == 0 { break }
                size += count
            }
            guard size > 0, size % 8 == 0, size / 8 <= 4096 else {
                throw CompileError(description: "the filter has \(size) bytes")
            }
            program.removeSubrange((size / 8)...)
            return program
        }

        private static func check(_ result: Int32, _ call: String) throws(CompileError) {
            guard result >= 0 else { throw CompileError(description: "\(call): error \(-result)") }
        }
    }
}
