internal import FilterCompiler
package import JailCore
package import JailPlan

extension SeccompPlan {
    /// The programs, the one over arguments first, since the list that follows it might not allow seccomp(2) itself.
    ///
    /// Computed before the clone: a name that no system call has is found before anything is started. Only a profile
    /// with calls of its own pays for libseccomp here; the others take the table that was made with the program.
    package func prepareFilters() throws(JailError) -> [[UInt64]] {
        let list: [UInt64]
        if additional.isEmpty {
            list = variant == .shell ? CompiledFilters.shell : CompiledFilters.strict
        } else {
            do {
                list = try FilterCompiler.allow(shell: variant == .shell, additional: additional, for: .native)
            } catch {
                throw JailError(.plan, operation: "process.systemCalls", reason: error.description)
            }
        }
        return [CompiledFilters.deny, list]
    }

    /// Installs what ``prepareFilters()`` made. Nothing may follow that the filters refuse: this is the last wall.
    package static func apply(_ filters: [[UInt64]]) throws(SystemError) {
        for filter in filters { try System.installFilter(filter) }
    }
}

/// The filter of the way out's process, which enters it by itself before it has a second thread.
package enum EgressFilter {
    package static func apply() throws(SystemError) { try System.installFilter(CompiledFilters.egress) }
}

/// The filter of the page's process, which enters it by itself before it has a second thread.
package enum PageFilter {
    package static func apply() throws(SystemError) { try System.installFilter(CompiledFilters.page) }
}

/// The filter of the process that watches a jail for `learn`, which enters it when it has seized the jail's init.
package enum TracerFilter {
    package static func apply() throws(SystemError) { try System.installFilter(CompiledFilters.tracer) }
}

/// System calls by the kernel's numbers for this architecture.
package enum SystemCallNames {
    /// The first so many: more than any architecture has.
    package static func table(_ count: Int32 = 512) -> [String?] { (0..<count).map { FilterCompiler.name(of: $0) } }

    /// Calls that are known and refused with EPERM, whatever their arguments are.
    package static var refused: [String] { FilterCompiler.refused }
}

extension FilterCompiler.Architecture {
    #if arch(x86_64)
        static let native = FilterCompiler.Architecture.x86_64
    #elseif arch(arm64)
        static let native = FilterCompiler.Architecture.arm64
    #endif
}
