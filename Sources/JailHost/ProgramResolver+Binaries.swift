internal import JailCore
internal import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// How often a script's interpreter may itself be a script, see execve(2).
    private static let deepestScript = 4

    /// Libraries that glibc loads by name while a program runs: for pthread_cancel, and for names of hosts and users.
    private static let loadedLater = ["libgcc_s.so.1", "libnss_files.so.2", "libnss_dns.so.2", "libresolv.so.2"]

    /// The one locale that every host has, which programs with `LANG=C.UTF-8` load.
    private static let locale = "/usr/lib/locale/C.utf8"

    mutating func addElf(_ found: FoundProgram, name: String) throws(JailError) {
        let elf: ElfFile
        do throws(MalformedFile) {
            elf = try libraries.elf(at: found.resolved.path)
        } catch {
            throw JailError(
                .host, path: found.resolved.path,
                reason: "program '\(name.printable)' cannot be run here: \(error.reason)",
                status: ExitStatus.notExecutable)
        }
        if let interpreter = elf.interpreter {
            guard let loader = try tree.resolve(interpreter), loader.status.kind == .regular else {
                throw lacks(name, interpreter)
            }
            show(loader, isExecutable: true)
        }
        let origin = Paths.parent(found.resolved.path)
        let object = LibrarySearch.Object(path: found.resolved.path, origin: origin, elf: elf, inherited: [])
        try addLibraries(of: object, name: name, mayLack: false)
        guard Paths.lastComponent(elf.interpreter ?? "").hasPrefix("ld-linux") else { return }
        try showIfPresent(Self.locale)
        for library in Self.loadedLater {
            guard let found = try libraries.find(library, for: nil, in: &tree) else { continue }
            try show(found)
            try addLibraries(of: found.object, name: name, mayLack: true)
        }
    }

    /// The libraries of a loaded object, and theirs, breadth first as the loader maps them.
    mutating func addLibraries(of object: LibrarySearch.Object, name: String, mayLack: Bool) throws(JailError) {
        var loaded: Set<String> = []
        var queue = [object]
        var next = 0
        while next < queue.count {
            let current = queue[next]
            next += 1
            // A name that is loaded already is not searched again, whoever asks for it.
            for library in current.elf.needed where loaded.insert(library).inserted {
                guard let found = try libraries.find(library, for: current, in: &tree) else {
                    if mayLack { continue }
                    throw lacks(name, library)
                }
                if let soname = found.object.elf.soname { loaded.insert(soname) }
                try show(found)
                queue.append(found.object)
            }
        }
    }

    private mutating func show(_ found: LibrarySearch.Found) throws(JailError) {
        show(found.resolved, isExecutable: false)
        if found.needsCache { try showIfPresent(LibrarySearch.cachePath) }
    }

    private func lacks(_ name: String, _ library: String) -> JailError {
        JailError(
            .host,
            reason: "program '\(name.printable)' needs the library '\(library.printable)', which is not installed",
            hint: "install it, or take '\(name.printable)' out of process.programs")
    }

    mutating func addScript(
        _ found: FoundProgram, start: [UInt8], name: String, depth: Int
    ) throws(JailError) {
        guard depth < Self.deepestScript else {
            throw JailError(
                .host, path: found.resolved.path,
                reason:
                    "program '\(name.printable)' is a script for a script for a script: more than the kernel follows")
        }
        guard let shebang = Shebang(start) else {
            throw JailError(
                .host, path: found.resolved.path,
                reason: "program '\(name.printable)' is a script whose first line names no absolute interpreter",
                status: ExitStatus.notExecutable)
        }
        for interpreter in shebang.programs {
            guard let program = try find(interpreter) else {
                throw JailError(
                    .host, path: found.resolved.path,
                    reason:
                        "program '\(name.printable)' is a script for '\(interpreter.printable)', "
                        + "which is not installed",
                    hint: "install it, or take '\(name.printable)' out of process.programs")
            }
            try bring(program, for: name)
            try addProgram(program, name: interpreter, depth: depth + 1)
        }
        try addPackage(of: found, name: name)
    }

    /// Notes that an interpreter comes along, or refuses if it is a shell that the profile does not grant.
    private mutating func bring(_ program: FoundProgram, for name: String) throws(JailError) {
        if try isListed(program) { return }
        let shell = Paths.lastComponent(program.path)
        if Self.shells.contains(shell) || Self.shells.contains(Paths.lastComponent(program.resolved.path)),
            !profile.process.shell
        {
            throw JailError(
                .host,
                reason: "program '\(name.printable)' of profile '\(profile.name.printable)' is a script for "
                    + "'\(shell.printable)', which is not in its programs",
                hint: "name the program that the script starts, or add \"\(shell.printable)\" to process.programs")
        }
        let note = "'\(name.printable)' is a script: '\(program.path.printable)' comes along"
        if !closure.notes.contains(note) { closure.notes.append(note) }
    }

    /// A script of a package needs the package: the tree around it.
    private mutating func addPackage(of found: FoundProgram, name: String) throws(JailError) {
        guard let directory = try packageTree(around: found.resolved.path) else { return }
        show(directory, isExecutable: false)
        // What root installed and nobody else may change is as trustworthy as the program; other trees are searched.
        if directory.status.uid != 0 || directory.status.mode & 0o022 != 0 {
            try refuseSpecialFiles(in: directory.path, of: "program '\(name.printable)'")
        }
    }
}
