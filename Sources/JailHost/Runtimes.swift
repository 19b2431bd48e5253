internal import JailCore
internal import JailPlan

/// What an interpreter reads while it runs, beyond its libraries: one row for each.
///
/// `{prefix}` is the directory above the program's `bin`, `{version}` the `3.11` of `python3.11`, `{triplet}` as in
/// `/usr/lib/x86_64-linux-gnu`. What is not there is left out.
package struct Runtime: Sendable {
    /// The program's real name without the version at its end.
    package var name: String
    package var trees: [String] = []
    /// Trees of programs.
    package var executableTrees: [String] = []
    /// Directories of native modules (`*.so`), and single programs, whose libraries are needed too.
    package var nativeModules: [String] = []

    package static let table: [Runtime] = [
        Runtime(
            name: "python",
            trees: [
                "{prefix}/lib/python{version}", "{prefix}/lib/python3",
                "{prefix}/local/lib/python{version}/dist-packages",
                "/etc/python{version}",
            ],
            nativeModules: ["{prefix}/lib/python{version}/lib-dynload"]),
        Runtime(
            name: "perl",
            trees: [
                "/etc/perl", "{prefix}/lib/{triplet}/perl", "{prefix}/lib/{triplet}/perl5",
                "{prefix}/lib/{triplet}/perl-base", "{prefix}/share/perl", "{prefix}/share/perl5",
                "{prefix}/local/lib/{triplet}/perl", "{prefix}/local/share/perl", "{prefix}/lib64/perl5",
                "{prefix}/lib/perl5",
            ]),
        Runtime(
            name: "node", trees: ["{prefix}/share/nodejs", "{prefix}/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf"]),
        Runtime(
            name: "git", trees: ["{prefix}/share/git-core"],
            executableTrees: ["{prefix}/lib/git-core", "{prefix}/libexec/git-core"],
            nativeModules: [
                "{prefix}/lib/git-core/git-remote-http", "{prefix}/libexec/git-core/git-remote-http",
            ]),
    ]

    /// The row for a program's real name, and the version in that name.
    package static func matching(_ name: String) -> (runtime: Runtime, version: String)? {
        guard let end = name.lastIndex(where: { !$0.isNumber && $0 != "." }) else { return nil }
        let stem = name[...end]
        guard let runtime = table.first(where: { $0.name == stem }) else { return nil }
        return (runtime, String(name[name.index(after: end)...]))
    }
}

extension ProgramResolver {
    mutating func addRuntime(of found: FoundProgram) throws(JailError) {
        let real = found.resolved.path
        guard let (runtime, named) = Runtime.matching(Paths.lastComponent(real)) else { return }
        let prefix = Paths.parent(Paths.parent(real))
        let version = runtime.name == "python" && !named.contains(".") ? pythonVersion(prefix) ?? named : named
        func path(_ pattern: String) -> String {
            expand(
                pattern, ["prefix": prefix == "/" ? "" : prefix, "version": version, "triplet": LibrarySearch.triplet])
        }
        for tree in runtime.trees { try showIfPresent(path(tree)) }
        for tree in runtime.executableTrees { try showIfPresent(path(tree), isExecutable: true) }
        for module in runtime.nativeModules { try addNativeModules(path(module), name: found.path) }
        if runtime.name == "python" { try addVirtualEnvironment(of: found) }
    }

    private func expand(_ pattern: String, _ values: [String: String]) -> String {
        var result = ""
        var rest = pattern[...]
        while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
            result += rest[..<open]
            result += values[String(rest[rest.index(after: open)..<close])] ?? ""
            rest = rest[rest.index(after: close)...]
        }
        return result + rest
    }

    /// `3.12` from `PREFIX/lib/python3.12`, for a python whose own name does not say.
    private func pythonVersion(_ prefix: String) -> String? {
        guard let directory = try? System.open(prefix + "/lib", [.readOnly, .directory]),
            let names = try? System.names(in: directory.borrowed, limit: 4096)
        else { return nil }
        return names.map(\.name).filter { $0.hasPrefix("python3.") }.max().map { String($0.dropFirst(6)) }
    }

    /// The libraries of modules that the interpreter loads on demand. One whose libraries are missing is one that the
    /// host cannot load either.
    private mutating func addNativeModules(_ path: String, name: String) throws(JailError) {
        guard let resolved = try tree.resolve(path) else { return }
        var modules = [resolved.path]
        if resolved.status.isDirectory {
            guard let directory = try? System.open(resolved.path, [.readOnly, .directory]),
                let names = try? System.names(in: directory.borrowed, limit: 4096)
            else { return }
            modules = names.map(\.name).filter { $0.hasSuffix(".so") }.sorted().map { Paths.join(resolved.path, $0) }
        }
        for module in modules {
            guard let elf = try? libraries.elf(at: module) else { continue }
            let object = LibrarySearch.Object(path: module, origin: Paths.parent(module), elf: elf, inherited: [])
            try addLibraries(of: object, name: name, mayLack: true)
        }
    }

    /// A virtual environment is known by the `pyvenv.cfg` beside the `bin` that the program was started from.
    private mutating func addVirtualEnvironment(of found: FoundProgram) throws(JailError) {
        let environment = Paths.parent(Paths.parent(found.path))
        guard try tree.resolve(Paths.join(environment, "pyvenv.cfg")) != nil else { return }
        try showIfPresent(Paths.join(environment, "pyvenv.cfg"))
        try showIfPresent(Paths.join(environment, "lib"))
        try showIfPresent(Paths.join(environment, "lib64"))
    }
}
