internal import JailCore
internal import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// Where the command is executed inside, and its arguments as they hold there.
    mutating func resolve(_ command: [String]) throws(JailError) {
        guard let name = command.first else { return }
        let found = try findCommand(name)
        try requireListed(found, name: name)
        closure.commandPath = found.path
        try noteInterpreters(of: found, name: name)
        // In a listed directory nothing else has brought its symlinks along.
        show(found.resolved, isExecutable: true)
        closure.commandArguments = Array(command.dropFirst())
        try addEntry(interpreter: found)
    }

    /// For the log, which says what executes a script. One that nobody but the payload may read is executed all the same.
    private mutating func noteInterpreters(of found: FoundProgram, name: String) throws(JailError) {
        guard let start = try? start(of: found.resolved.path, name: name) else { return }
        for interpreter in Shebang(start)?.programs ?? [] {
            if let program = try find(interpreter) { closure.commandInterpreters.append(program.path) }
        }
    }

    private mutating func findCommand(_ name: String) throws(JailError) -> FoundProgram {
        // What the profile lists under this name comes before the search path: it is what the profile's author meant.
        if let listed = closure.programs.first(where: { $0.name == name }), let found = try find(listed.path) {
            return found
        }
        if let listed = closure.programs.first(where: { $0.name.hasSuffix("/" + name) }),
            let found = try find(listed.path)
        {
            return found
        }
        if name.utf8.contains(0x2F) {
            let path = Paths.absolute(name, from: surroundings.workingDirectory)
            if let found = try find(path) { return found }
            throw try notExecutable(name, path)
        }
        if let found = try findAnywhere(name) { return found }
        let isOptional = closure.missing.contains(name)
        throw JailError(
            .exec,
            reason: isOptional
                ? "program '\(name.printable)' of profile '\(profile.name.printable)' is not installed"
                : "there is no program '\(name.printable)' in the search path",
            hint: "install it, or give its path", status: ExitStatus.notFound)
    }

    /// Searches without passing over scripts for shells: here it matters only whether the program is there.
    private mutating func findAnywhere(_ name: String) throws(JailError) -> FoundProgram? {
        var passedOver: JailError?
        for directory in surroundings.searchPath {
            guard let found = try find(Paths.join(directory, name)) else { continue }
            guard let untrusted = try untrustedDirectory(of: found) else { return found }
            let error = passOver(found, name: name, in: untrusted)
            passedOver = passedOver ?? error
        }
        if let passedOver { throw passedOver }
        return nil
    }

    private mutating func notExecutable(_ name: String, _ path: String) throws(JailError) -> JailError {
        guard try tree.resolve(path) != nil else {
            return JailError(.exec, path: name, reason: "there is no such file", status: ExitStatus.notFound)
        }
        return JailError(
            .exec, path: name, reason: "it is not a program that the jail's user may execute",
            status: ExitStatus.notExecutable)
    }

    private mutating func requireListed(_ found: FoundProgram, name: String) throws(JailError) {
        if listedDirectories.contains(where: { found.resolved.path.isInside($0) }) { return }
        let location = try found.location(in: &tree)
        // A name in a listed directory for what lies in another that is shown with it, as npm's does: any shell could start it.
        if listedDirectories.contains(where: { location.isInside($0) }),
            files.values.contains(where: { $0.isDirectory && found.resolved.path.isInside($0.path) })
        {
            return
        }
        for program in closure.programs {
            if program.path == found.path || program.realPath == location { return }
            let listed = FoundProgram(path: program.path, resolved: found.resolved)
            if try listed.location(in: &tree) == location { return }
        }
        throw ProgramRules.denial(program: name, profile: profile)
    }
}
