internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What the payload can write and what it may execute must not be the same file under two paths: the mount of the one
/// says noexec, the mount of the other does not, and the kernel asks only the mount that is gone through.
extension ProgramResolver {
    static func writableSources(_ rules: FilesystemRules, _ surroundings: Surroundings) -> [String] {
        var sources = rules.write.map(\.source)
        if rules.workspace == .readWrite, let workspace = surroundings.workspace { sources.append(workspace) }
        if let data = rules.data, let source = data.source ?? surroundings.ownData { sources.append(source) }
        return sources
    }

    /// Whether the profile keeps the payload from running code of its own. With a shell and `executeWritable` it may.
    private var isStrict: Bool { !profile.process.shell || !profile.filesystem.executeWritable }

    /// The source that makes a path writable inside, or lies below it.
    private func writableSource(around path: String) -> String? {
        writableSources.first { path.isInside($0) || $0.isInside(path) }
    }

    /// Refuses what would be shown once as a program, or what one reads, and once more as writable.
    func refuseWritable(_ closure: ProgramClosure) throws(JailError) {
        // The host executes that one too.
        if let launcher = closure.launcher, let source = writableSource(around: launcher.path) {
            throw isWritable(launcher.path, source)
        }
        guard isStrict else { return }
        if case .directory(let root) = profile.filesystem.root {
            if let source = writableSource(around: root) { throw isWritable(root, source) }
            // All other paths of the closure are the tree's own.
            return
        }
        var paths = closure.files.map(\.path) + closure.programs.map(\.realPath) + listedDirectories
        if let entry = closure.entry { paths.append(entry.path) }
        for path in paths {
            if let source = writableSource(around: path) { throw isWritable(path, source) }
        }
        // Whoever can turn a symlink around chooses what the next start executes.
        for symlink in closure.symlinks {
            if let source = writableSources.first(where: { symlink.path.isInside($0) }) {
                throw isWritable(symlink.path, source)
            }
        }
    }

    private func isWritable(_ path: String, _ source: String) -> JailError {
        let reason =
            path.isInside(source)
            ? "a program needs it, and it lies in '\(source.printable)', which the jail may write to"
            : "programs need it, and it holds '\(source.printable)', which the jail may write to"
        return JailError(
            .host, path: path, reason: reason + ": what is written could be executed",
            hint: "install the program elsewhere, or make another directory writable")
    }

    /// The directory for which a program of the search path is passed over: one that the payload may write to, or the
    /// workspace. Whoever filled that must not choose which program is started.
    mutating func untrustedDirectory(of found: FoundProgram) throws(JailError) -> String? {
        var directories = isStrict ? writableSources : []
        if [.readOnly, .review].contains(profile.filesystem.workspace), let workspace = surroundings.workspace {
            directories.append(workspace)
        }
        guard !directories.isEmpty else { return nil }
        // The name may be a symlink there, to a program that lies elsewhere.
        let paths = [found.resolved.path, try found.location(in: &tree)] + found.resolved.symlinks.map(\.path)
        return directories.first { directory in paths.contains { $0.isInside(directory) } }
    }

    /// Notes that a program was passed over; the error is for when no other one is found.
    mutating func passOver(_ found: FoundProgram, name: String, in directory: String) -> JailError {
        let note =
            "'\(name.printable)': passed over '\(found.path.printable)', which lies in '\(directory.printable)': "
            + "what is in there must not choose the program"
        if !closure.notes.contains(note) { closure.notes.append(note) }
        return JailError(
            .host, path: found.path,
            reason: "program '\(name.printable)' lies in '\(directory.printable)', which the jail sees as files that "
                + "are not to be trusted",
            hint: "install it elsewhere in the search path")
    }
}
