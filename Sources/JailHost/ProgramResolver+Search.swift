internal import JailCore
internal import JailPlan
internal import JailPolicy

/// A program on the host.
package struct FoundProgram {
    /// Where it was found, before symlinks.
    package var path: String
    package var resolved: HostTree.Resolved

    /// The directory that holds the name, made canonical, and the name: two names of one file remain two, since some
    /// programs do by their name what they do.
    func location(in tree: inout HostTree) throws(JailError) -> String {
        guard let directory = try tree.resolve(Paths.parent(path)) else { return path }
        return Paths.join(directory.path, Paths.lastComponent(path))
    }
}

extension ProgramResolver {
    /// A program by bare name, in the search path, or by absolute path; nil if there is none.
    mutating func find(_ name: String) throws(JailError) -> FoundProgram? {
        if name.utf8.contains(0x2F) { return try program(at: name) }
        var passedOver: JailError?
        for directory in surroundings.searchPath {
            guard let found = try program(at: Paths.join(directory, name)) else { continue }
            if let untrusted = try untrustedDirectory(of: found) {
                let error = passOver(found, name: name, in: untrusted)
                passedOver = passedOver ?? error
                continue
            }
            guard let shell = unlistedShell(of: found) else { return found }
            // A wrapper, such as a version manager's: the program itself often comes later in the path.
            closure.notes.append(
                "'\(name.printable)': passed over '\(found.path.printable)', a script for '\(shell.printable)', "
                    + "which is not in the programs")
            passedOver = passedOver ?? needsShell(name, found, shell)
        }
        if let passedOver { throw passedOver }
        return nil
    }

    /// A regular file that the payload may execute, at an absolute path.
    private mutating func program(at path: String) throws(JailError) -> FoundProgram? {
        guard let resolved = try tree.resolve(path), resolved.status.kind == .regular,
            resolved.status.mode & 0o111 != 0,
            surroundings.reach.allows(.execute, resolved.path, in: &tree)
        else { return nil }
        var found = FoundProgram(path: path, resolved: resolved)
        if !Paths.isCanonicalText(path) { found.path = try found.location(in: &tree) }
        return found
    }

    /// Whether the profile lists a program at this path, under this name, or its directory.
    mutating func isListed(_ found: FoundProgram) throws(JailError) -> Bool {
        if listedDirectories.contains(where: { found.resolved.path.isInside($0) }) { return true }
        let location = try found.location(in: &tree)
        for rule in profile.process.programs where !rule.isDirectory {
            if rule.name == found.path || rule.name == location || rule.name == found.resolved.path { return true }
            if rule.name == Paths.lastComponent(found.path) { return true }
        }
        return false
    }

    /// Programs whose whole purpose is to run others: never brought along just because a script names them.
    static let shells: Set<String> = [
        "sh", "bash", "dash", "zsh", "ksh", "mksh", "ash", "fish", "csh", "tcsh", "busybox", "toybox",
    ]

    /// The shell that a script needs although the profile does not grant it; nil if it needs none.
    private mutating func unlistedShell(of found: FoundProgram) -> String? {
        if profile.process.shell { return nil }
        guard let start = try? start(of: found.resolved.path, name: found.path),
            let shebang = Shebang(start), let shell = shebang.programs.last.map(Paths.lastComponent),
            Self.shells.contains(shell)
        else { return nil }
        let isListed = profile.process.programs.contains { rule in
            rule.name == shell || rule.name == shebang.interpreter || Paths.lastComponent(rule.name) == shell
        }
        return isListed || !listedDirectories.isEmpty ? nil : shell
    }

    private func needsShell(_ name: String, _ found: FoundProgram, _ shell: String) -> JailError {
        JailError(
            .host, path: found.path,
            reason: "program '\(name.printable)' of profile '\(profile.name.printable)' is a script for "
                + "'\(shell.printable)', which is not in its programs",
            hint: "name the program that the script starts, or add \"\(shell.printable)\" to process.programs")
    }
}

/// The first line of a script, see execve(2).
struct Shebang: Equatable {
    /// As written; the kernel follows it as it stands.
    var interpreter: String
    /// What the kernel passes as one argument.
    var argument: String?
    /// The program that env(1) is asked to start.
    var throughEnv: String?

    /// The interpreter, and the program behind env(1).
    var programs: [String] { [interpreter] + (throughEnv.map { [$0] } ?? []) }

    /// Nil if the bytes do not start with `#!` and an absolute path within the kernel's 256 bytes.
    init?(_ start: [UInt8]) {
        guard start.starts(with: [0x23, 0x21]) else { return nil }
        let line = start.dropFirst(2).prefix(254).prefix { $0 != 0x0A && $0 != 0 }
        let parts = String(decoding: line, as: UTF8.self).split(
            maxSplits: 1, whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
        guard let first = parts.first, first.utf8.first == 0x2F else { return nil }
        interpreter = String(first)
        if parts.count > 1 {
            let trimmed = parts[1].split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\r" })
            if !trimmed.isEmpty { argument = trimmed.joined(separator: " ") }
            if Paths.lastComponent(interpreter) == "env" {
                // After -S come words; options and assignments stand before the program.
                throughEnv = trimmed.first { !$0.hasPrefix("-") && !$0.contains("=") }.map(String.init)
            }
        }
    }
}
