internal import JailCore
internal import JailPlan
internal import JailPolicy

/// How an interpreter's command line leads to its script.
package struct InterpreterSyntax: Sendable {
    /// The interpreter's names, without a version.
    package var names: [String]
    /// Options after which there is no script: the code comes in the command line, or from a module's name.
    package var inline: [String] = []
    /// Options whose value is the next argument.
    package var withValue: [String] = []
    /// Words before the script.
    package var subcommands: [String] = []

    package static let table: [InterpreterSyntax] = [
        InterpreterSyntax(
            names: ["node", "nodejs"],
            inline: ["-e", "--eval", "-p", "--print", "-pe", "-i", "--interactive", "--run"],
            withValue: [
                "-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--title",
            ]),
        InterpreterSyntax(
            names: ["python"], inline: ["-c", "-m"], withValue: ["-W", "-X", "--check-hash-based-pycs"]),
        InterpreterSyntax(
            names: ["sh", "bash", "dash", "zsh", "ksh"], inline: ["-c"],
            withValue: ["-o", "+o", "-O", "+O", "--rcfile", "--init-file"]),
        InterpreterSyntax(names: ["perl"], inline: ["-e", "-E"], withValue: ["-I"]),
        InterpreterSyntax(names: ["ruby"], inline: ["-e"], withValue: ["-I", "-r", "-C"]),
        InterpreterSyntax(names: ["deno", "bun"], inline: ["eval", "-e"], subcommands: ["run", "test"]),
    ]

    package static func matching(_ name: String) -> InterpreterSyntax? {
        let stem = name.prefix { !$0.isNumber && $0 != "." }
        return table.first { $0.names.contains(String(stem)) }
    }

    /// Which argument (counted without the interpreter) is the script's path; nil if none is.
    package func scriptIndex(_ arguments: [String]) -> Int? {
        var index = 0
        while index < arguments.count {
            let argument = arguments[index]
            if argument == "--" { return index + 1 < arguments.count ? index + 1 : nil }
            if inline.contains(argument) { return nil }
            if withValue.contains(argument) {
                index += 2
            } else if subcommands.contains(argument) || (argument.hasPrefix("-") && argument != "-") {
                index += 1
            } else {
                return argument == "-" ? nil : index
            }
        }
        return nil
    }
}

extension ProgramResolver {
    /// Shows the script that an interpreter is given, with the package around it, and writes its canonical path into
    /// the arguments: inside, the working directory is another one.
    mutating func addEntry(interpreter: FoundProgram) throws(JailError) {
        let syntax =
            InterpreterSyntax.matching(Paths.lastComponent(interpreter.path))
            ?? InterpreterSyntax.matching(Paths.lastComponent(interpreter.resolved.path))
        guard let syntax, let index = syntax.scriptIndex(closure.commandArguments) else { return }
        let path = Paths.absolute(closure.commandArguments[index], from: surroundings.workingDirectory)
        guard let script = try tree.resolve(path), script.status.kind == .regular else { return }
        if let inside = insidePath(of: script.path) {
            closure.commandArguments[index] = inside
            return
        }
        guard surroundings.reach.allows(.read, script.path, in: &tree) else {
            throw JailError(
                .exec, path: script.path, reason: "the jail's user may not read it",
                hint: "check the permissions of the file and of every directory above it",
                status: ExitStatus.notExecutable)
        }
        closure.commandArguments[index] = script.path
        if files.values.contains(where: { $0.isDirectory && script.path.isInside($0.path) }) { return }
        if files[script.path] != nil { return }
        let shown: HostTree.Resolved
        if let tree = try packageTree(around: script.path) { shown = tree } else { shown = try fileAlone(script) }
        if shown.status.isDirectory {
            try refuseSpecialFiles(in: shown.path, of: "'\(script.path.printable)'")
        }
        closure.entry = VisibleFile(
            path: shown.path, identity: shown.status.identity, isDirectory: shown.status.isDirectory,
            isExecutable: false)
    }

    private func fileAlone(_ script: HostTree.Resolved) throws(JailError) -> HostTree.Resolved {
        if let reason = surroundings.boundaries.refusal(of: script.path, writable: false) {
            throw JailError(
                .exec, path: script.path, reason: "it cannot be shown in a jail: \(reason)",
                hint: "move the script elsewhere", status: ExitStatus.notExecutable)
        }
        return script
    }

    /// Where a file is inside, if the profile shows it already under another path.
    private func insidePath(of path: String) -> String? {
        var rules = profile.filesystem.read + profile.filesystem.write
        if let workspace = surroundings.workspace { rules.append(BindRule(source: workspace, target: "/workspace")) }
        if let data = profile.filesystem.data, let source = data.source {
            rules.append(BindRule(source: source, target: data.target))
        }
        guard let rule = rules.first(where: { path.isInside($0.source) }) else { return nil }
        return rule.target + path.dropFirst(rule.source.count)
    }
}
