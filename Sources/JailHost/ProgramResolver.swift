package import JailCore
package import JailPlan
package import JailPolicy

/// Turns `process.programs` and the command into files to show: the programs, their interpreters, loaders, libraries
/// and runtime trees, and every symlink on the way.
package struct ProgramResolver {
    /// What the resolver has to know besides the profile.
    package struct Surroundings {
        /// Absolute directories, in order.
        package var searchPath: [String]
        /// Canonical; relative paths of the command line start here.
        package var workingDirectory: String
        package var reach: Reach
        package var boundaries: Boundaries
        /// The canonical source of `/workspace`, if the jail has one.
        package var workspace: String?
        /// Where clawjail keeps the jails' own `/data`.
        package var ownData: String?

        package init(
            searchPath: String?, workingDirectory: String, reach: Reach, boundaries: Boundaries,
            workspace: String? = nil, ownData: String? = nil
        ) {
            self.workspace = workspace
            self.ownData = ownData
            self.searchPath = Self.directories(searchPath)
            self.workingDirectory = workingDirectory
            self.reach = reach
            self.boundaries = boundaries
        }

        /// The caller's PATH without relative entries (they would mean the working directory), and then the
        /// directories that every host has.
        static func directories(_ searchPath: String?) -> [String] {
            let usual = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
            var result: [String] = []
            for directory in (searchPath ?? "").split(separator: ":").map(String.init) + usual
            where directory.utf8.first == 0x2F && !result.contains(directory) {
                result.append(directory)
            }
            return result
        }
    }

    let profile: Profile
    let surroundings: Surroundings
    /// Canonical host paths that the payload may write to.
    let writableSources: [String]
    var tree: HostTree
    var libraries = LibrarySearch()
    var closure = ProgramClosure()
    /// By canonical path; sorted and thinned out at the end.
    var files: [String: VisibleFile] = [:]
    var symlinks: Set<VisibleSymlink> = []
    /// The first page of each program looked at.
    var starts: [String: [UInt8]] = [:]
    /// Canonical directories of rules such as `/usr/bin/`.
    var listedDirectories: [String] = []

    package init(profile: Profile, surroundings: Surroundings, tree: HostTree) {
        self.profile = profile
        self.surroundings = surroundings
        writableSources = Self.writableSources(profile.filesystem, surroundings)
        self.tree = tree
    }

    /// Resolves the rules of a profile with the root `minimal`, and the command.
    package mutating func resolve(command: [String]) throws(JailError) -> ProgramClosure {
        // Directories first: what lies in one needs nothing of its own.
        for rule in profile.process.programs where rule.isDirectory { try addDirectory(rule) }
        for rule in profile.process.programs where !rule.isDirectory { try add(rule) }
        try addLauncher()
        try addLocalTime()
        try resolve(command)
        try addCommands()
        return finish()
    }

    /// The host's time zone: a symlink into the time zones that every jail has, or a copy of one of them.
    private mutating func addLocalTime() throws(JailError) {
        guard let zone = try tree.resolve("/etc/localtime"), zone.status.kind == .regular else { return }
        if zone.path.isInside("/usr/share/zoneinfo") {
            symlinks.formUnion(zone.symlinks)
        } else if zone.symlinks.isEmpty {
            show(zone, isExecutable: false)
        }
    }

    /// The tree walker with all it has learnt, for whoever looks at the host next.
    package var hostTree: HostTree { tree }

    private mutating func add(_ rule: ProgramRule) throws(JailError) {
        guard let found = try find(rule.name) else {
            guard rule.mayBeMissing else { throw missing(rule) }
            closure.missing.append(rule.name)
            return
        }
        try addProgram(found, name: rule.name, depth: 0)
        let program = ResolvedProgram(name: rule.name, path: found.path, realPath: found.resolved.path)
        if !closure.programs.contains(program) { closure.programs.append(program) }
    }

    func missing(_ rule: ProgramRule) -> JailError {
        JailError(
            .host,
            reason: "program '\(rule.name.printable)' of profile '\(profile.name.printable)' is not installed",
            hint: "install it, or write \"\(rule.name.printable)?\" in process.programs if it may be missing")
    }

    /// Shows a program and all that it needs to start.
    mutating func addProgram(_ found: FoundProgram, name: String, depth: Int) throws(JailError) {
        show(found.resolved, isExecutable: true)
        if listedDirectories.contains(where: { found.resolved.path.isInside($0) }) { return }
        let start = try self.start(of: found.resolved.path, name: name)
        if ElfFile.isElf(start) {
            try addElf(found, name: name)
        } else if start.starts(with: Array("#!".utf8)) {
            try addScript(found, start: start, name: name, depth: depth)
        } else {
            throw JailError(
                .host, path: found.resolved.path,
                reason: "program '\(name.printable)' is neither an ELF file nor a script with '#!'",
                status: ExitStatus.notExecutable)
        }
        try addRuntime(of: found)
    }

    mutating func start(of path: String, name: String) throws(JailError) -> [UInt8] {
        if let known = starts[path] { return known }
        do throws(MalformedFile) {
            let start = try RandomAccess.opening(path).readSome(at: 0, most: 512).bytes
            starts[path] = start
            return start
        } catch {
            throw JailError(
                .host, path: path, reason: "program '\(name.printable)' cannot be examined: \(error.reason)")
        }
    }

    /// Adds a file or directory under its real path, with the symlinks that led to it.
    mutating func show(_ resolved: HostTree.Resolved, isExecutable: Bool) {
        symlinks.formUnion(resolved.symlinks)
        let wasExecutable = files[resolved.path]?.isExecutable ?? false
        files[resolved.path] = VisibleFile(
            path: resolved.path, identity: resolved.status.identity, isDirectory: resolved.status.isDirectory,
            isExecutable: isExecutable || wasExecutable)
    }

    /// Shows a path if it exists.
    mutating func showIfPresent(_ path: String, isExecutable: Bool = false) throws(JailError) {
        guard let resolved = try tree.resolve(path), resolved.status.kind == .regular || resolved.status.isDirectory
        else { return }
        show(resolved, isExecutable: isExecutable)
    }

    /// Sorted, without what a shown directory holds anyway.
    mutating func finish() -> ProgramClosure {
        let directories = Set(files.values.lazy.filter(\.isDirectory).map(\.path))
        func isInside(_ path: String) -> Bool {
            var directory = path
            while directory != "/" {
                directory = Paths.parent(directory)
                if directories.contains(directory) { return true }
            }
            return false
        }
        closure.files = files.values.filter { !isInside($0.path) }.sorted { $0.path < $1.path }
        closure.symlinks = symlinks.filter { !isInside($0.path) }.sorted { $0.path < $1.path }
        return closure
    }
}
