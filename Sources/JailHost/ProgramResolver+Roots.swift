package import JailCore
package import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// Resolves programs and command in whichever root the profile has.
    package mutating func resolveAll(command: [String]) throws(JailError) -> ProgramClosure {
        let closure =
            switch profile.filesystem.root {
            case .minimal: try resolve(command: command)
            case .host: try resolveInHost(command: command)
            case .directory(let path): try resolve(command, in: PreparedRoot(path))
            }
        try refuseWritable(closure)
        return closure
    }

    /// Files of /etc that programs read and that hold nothing of the host's owner: no keys, names, accounts, networks.
    private static let openEtc = [
        "alternatives", "bash.bashrc", "ca-certificates", "ca-certificates.conf", "debian_version", "fonts", "inputrc",
        "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "magic", "mime.types", "os-release", "perl",
        "pki/tls/certs",
        "profile", "protocols", "redhat-release", "services", "ssl/certs", "ssl/openssl.cnf", "terminfo",
    ]

    /// With the root `host` all of /usr is there. An empty list of programs means every one of them.
    private mutating func resolveInHost(command: [String]) throws(JailError) -> ProgramClosure {
        try showIfPresent("/usr", isExecutable: true)
        listedDirectories = ["/usr"]
        for path in Self.topLevel {
            guard let resolved = try tree.resolve(path) else { continue }
            symlinks.formUnion(resolved.symlinks)
            if resolved.symlinks.isEmpty {
                show(resolved, isExecutable: true)
                listedDirectories.append(path)
            }
        }
        for name in Self.openEtc { try showIfPresent("/etc/" + name) }
        for rule in profile.process.programs { try note(rule) }
        try addLauncher()
        if !profile.process.programs.isEmpty {
            // The files are all there; what may be started as the command is what the profile lists.
            listedDirectories = []
            for rule in profile.process.programs where rule.isDirectory {
                if let directory = try tree.resolve(rule.name) { listedDirectories.append(directory.path) }
            }
        }
        try resolve(command)
        return finish()
    }

    private mutating func note(_ rule: ProgramRule) throws(JailError) {
        if rule.isDirectory { return }
        guard let found = try find(rule.name) else {
            guard rule.mayBeMissing else { throw missing(rule) }
            closure.missing.append(rule.name)
            return
        }
        closure.programs.append(ResolvedProgram(name: rule.name, path: found.path, realPath: found.resolved.path))
        if !found.resolved.path.isInside("/usr") { try addProgram(found, name: rule.name, depth: 0) }
    }
}

/// A prepared tree as the jail's root. Every path is resolved inside it: a symlink to `/etc` in it means its own.
package struct PreparedRoot: ~Copyable {
    /// Made by clawjail in every jail, or never visible in one.
    private static let own: Set<String> = ["proc", "sys", "dev", "tmp", "run", "root", "home", "data", "workspace"]

    private let directory: OwnedDescriptor

    package init(_ path: String) throws(JailError) {
        do throws(SystemError) {
            directory = try System.open(path, [.pathOnly, .directory, .noFollow], resolve: .noSymlinks)
        } catch {
            throw JailError(
                .host, error, path: path,
                hint: "filesystem.root must name a directory by its real path, without symlinks")
        }
    }

    /// The names at the top that can be shown.
    package static func entries(of path: String) throws(JailError) -> [String] {
        do throws(SystemError) {
            let directory = try System.open(path, [.readOnly, .directory, .noFollow])
            return try System.names(in: directory.borrowed, limit: 4096).map(\.name).filter { !own.contains($0) }
                .sorted()
        } catch {
            throw JailError(.host, error, path: path)
        }
    }

    /// Whether an executable regular file is there.
    package func hasProgram(_ path: String) -> Bool {
        guard let file = try? System.open(path, .pathOnly, at: directory.borrowed, resolve: [.inRoot, .noMagicLinks]),
            let status = try? System.status(of: file.borrowed)
        else { return false }
        return status.kind == .regular && status.mode & 0o111 != 0
    }

    /// A program by name or path; nil if the tree has none.
    package func find(_ name: String) -> String? {
        if name.utf8.contains(0x2F) {
            // `..` could lead out of a listed directory, so the path must say plainly where it leads.
            return Paths.isCanonicalText(name) && hasProgram(name) ? name : nil
        }
        let directories = ["/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin"]
        for directory in directories where hasProgram(Paths.join(directory, name)) {
            return Paths.join(directory, name)
        }
        return nil
    }

    /// The symlinks at the top, such as `/bin`.
    package func symlinks(_ path: String) -> [VisibleSymlink] {
        let names = (try? Self.entries(of: path)) ?? []
        return names.compactMap { name in
            guard (try? System.status(name, at: directory.borrowed).kind) == .symlink,
                let target = try? System.readLink(name, at: directory.borrowed)
            else { return nil }
            return VisibleSymlink(path: "/" + name, target: target)
        }
    }
}

extension ProgramResolver {
    /// With a prepared root nothing of the host is shown; an empty list of programs means every one of the tree.
    private mutating func resolve(_ command: [String], in root: borrowing PreparedRoot) throws(JailError)
        -> ProgramClosure
    {
        for rule in profile.process.programs where !rule.isDirectory {
            if let path = root.find(rule.name) {
                closure.programs.append(ResolvedProgram(name: rule.name, path: path, realPath: path))
            } else if rule.mayBeMissing {
                closure.missing.append(rule.name)
            } else {
                throw missing(rule)
            }
        }
        if case .directory(let path) = profile.filesystem.root { closure.symlinks = root.symlinks(path) }
        guard let name = command.first else { return closure }
        guard let path = root.find(name) else {
            throw JailError(
                .exec, reason: "there is no program '\(name.printable)' in the jail's root",
                hint: "add it to the tree, or give its absolute path inside", status: ExitStatus.notFound)
        }
        let rules = profile.process.programs
        let isListed =
            rules.isEmpty || closure.programs.contains { $0.path == path }
            || rules.contains { $0.isDirectory && path.hasPrefix($0.name) }
        guard isListed else { throw ProgramRules.denial(program: name, profile: profile) }
        try addLauncher()
        closure.commandPath = path
        if case .directory(let root) = profile.filesystem.root { closure.commandRoot = root }
        closure.commandArguments = Array(command.dropFirst())
        return closure
    }
}
