internal import JailCore
internal import JailPlan
internal import JailPolicy

extension ProgramResolver {
    /// What the programs of a whole directory may need: all libraries, helpers and their data, without asking each of
    /// them. Time zones and certificates are shown in every jail and not named here.
    private static let companions = [
        "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libx32", "/etc/ld.so.cache", "/etc/alternatives",
        "/usr/share/perl", "/usr/share/perl5", "/etc/perl", "/usr/share/misc", "/usr/share/terminfo",
        "/usr/share/git-core",
        "/usr/share/nodejs", "/usr/share/awk", "/usr/share/file", "/etc/ssl/openssl.cnf",
    ]
    private static let executableCompanions = ["/usr/libexec", "/usr/lib/git-core"]

    /// Top-level names that are symlinks into /usr on most hosts and directories of their own on a few.
    static let topLevel = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

    /// A rule such as `/usr/bin/`: the directory as a whole, and /usr's libraries with it.
    mutating func addDirectory(_ rule: ProgramRule) throws(JailError) {
        guard let directory = try tree.resolve(rule.name), directory.status.isDirectory else {
            guard rule.mayBeMissing else {
                throw JailError(
                    .host, path: rule.name,
                    reason: "it is a directory of programs in profile '\(profile.name.printable)', and not there",
                    hint: "write \"\(rule.name.printable)?\" in process.programs if it may be missing")
            }
            closure.missing.append(rule.name)
            return
        }
        if let reason = surroundings.boundaries.refusal(of: directory.path, writable: false) {
            throw JailError(
                .host, path: rule.name, reason: "its programs cannot be shown in a jail: \(reason)",
                hint: "name the directory that holds the programs alone")
        }
        show(directory, isExecutable: true)
        listedDirectories.append(directory.path)
        for companion in Self.companions { try showIfPresent(companion) }
        for companion in Self.executableCompanions { try showIfPresent(companion, isExecutable: true) }
        try addTopLevel()
    }

    /// `/bin`, `/lib` and their like as symlinks; where they are directories, libraries are shown and programs are not.
    private mutating func addTopLevel() throws(JailError) {
        for path in Self.topLevel {
            guard let resolved = try tree.resolve(path) else { continue }
            symlinks.formUnion(resolved.symlinks)
            if resolved.symlinks.isEmpty, path.hasPrefix("/lib") { show(resolved, isExecutable: false) }
        }
    }
}
