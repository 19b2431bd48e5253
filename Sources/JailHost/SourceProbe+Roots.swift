package import JailCore
package import JailPlan
package import JailPolicy

extension SourceProbe {
    /// The character devices of a jail's /dev.
    package static let devices = ["null", "zero", "full", "random", "urandom", "tty"].map { "/dev/" + $0 }

    /// Where distributions keep the file of trusted CA certificates.
    package static let certificateFiles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem",
        "/etc/ssl/ca-bundle.pem",
    ]

    /// Everything under `filesystem`, and the workspace.
    package mutating func addRules(_ rules: FilesystemRules, workspace: String?) throws(JailError) {
        if case .directory(let path) = rules.root {
            try add(path, key: "filesystem.root", writable: false, allowSpecialFiles: true)
        }
        for rule in rules.read {
            try add(
                rule.source, key: "filesystem.read", writable: false, allowSpecialFiles: rule.allowSpecialFiles)
        }
        for rule in rules.write {
            try add(
                rule.source, key: "filesystem.write", writable: true, allowSpecialFiles: rule.allowSpecialFiles)
        }
        if let workspace {
            try add(
                workspace, key: "the workspace", writable: rules.workspace == .readWrite, allowSpecialFiles: false)
        }
        if let source = rules.data?.source { try addData(source) }
    }

    /// Devices, time zones and certificates. Returns the canonical path of the certificates.
    package mutating func addEveryJail() throws(JailError) -> String? {
        for device in Self.devices { _ = try addIfPresent(device) }
        _ = try addIfPresent("/usr/share/zoneinfo")
        for file in Self.certificateFiles {
            if let path = try addIfPresent(file) { return path }
        }
        return nil
    }

    /// What the plan binds as the jail's root: with `minimal` and `host` the closure's own files, with a directory
    /// its top-level entries; itself it has been added as a rule.
    package mutating func addRoot(_ root: RootKind, closure: ProgramClosure) throws(JailError) {
        if let entry = closure.entry { _ = try addIfPresent(entry.path) }
        guard case .directory(let path) = root else {
            for file in closure.files { _ = try addIfPresent(file.path) }
            return
        }
        for name in try PreparedRoot.entries(of: path) { _ = try addEntry(Paths.join(path, name)) }
    }

    private mutating func addEntry(_ path: String) throws(JailError) {
        // The entries of a prepared tree are judged in place: its symlinks point within the tree, not into the host.
        guard let status = tree.status(path), status.isDirectory || status.kind == .regular else { return }
        _ = try addIfPresent(path)
    }
}
