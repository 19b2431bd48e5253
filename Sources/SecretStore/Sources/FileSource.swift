package import JailCore

/// A file that holds one secret, by its absolute path. It is this user's or root's, no symlink, and nobody else may read or
/// write it. One end of a line at its end is no part of the value.
package struct FileSource: SingleSecretSource {
    /// The value may have more than one line, as a key in PEM does.
    package var isMultiline: Bool

    package init(isMultiline: Bool = false) { self.isMultiline = isMultiline }

    package func value(of id: String, now: Int64) throws(JailError) -> ResolvedSecret {
        guard id.utf8.first == 0x2F else {
            throw JailError(.secrets, path: id, reason: "the path of a file with a secret must be absolute")
        }
        let file = try TrustedFile.open(id, path: id, owners: .ownOrRoot, limit: SecretValue.mostBytes + 2)
        let given = try TrustedFile.read(file, path: id, limit: SecretValue.mostBytes + 2)
        do throws(JailError) {
            return ResolvedSecret(try SecretValue.taken(given, multiline: isMultiline))
        } catch { throw JailError(.secrets, path: id, reason: error.reason, hint: error.hint) }
    }
}

/// Credentials that the service manager has handed over, see `LoadCredentialEncrypted=` of systemd.exec(5).
package struct CredentialSource: SingleSecretSource {
    private let path: String
    private let directory: SharedDescriptor
    package var isMultiline = false

    /// - Parameter directory: `$CREDENTIALS_DIRECTORY`.
    package init(directory path: String) throws(JailError) {
        guard path.utf8.first == 0x2F else {
            throw JailError(.secrets, path: path, reason: "CREDENTIALS_DIRECTORY must be absolute")
        }
        self.path = path
        directory = try attempt(.secrets, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        }
        let status = try attempt(.secrets, path) { () throws(SystemError) in try System.status(of: directory.borrowed) }
        guard [0, System.effectiveUserID].contains(status.uid), status.permissions & 0o022 == 0 else {
            throw JailError(.secrets, path: path, reason: "others may write to the directory of credentials")
        }
    }

    package func value(of id: String, now: Int64) throws(JailError) -> ResolvedSecret {
        guard let given = try read(id, most: SecretValue.mostBytes + 2) else {
            throw JailError(
                .secrets, reason: "there is no credential '\(id)'",
                hint: "add it to the unit: LoadCredentialEncrypted=\(id):FILE", status: ExitStatus.notThere)
        }
        do throws(JailError) {
            return ResolvedSecret(try SecretValue.taken(given.bytes, multiline: isMultiline))
        } catch { throw JailError(.secrets, path: "\(path)/\(id)", reason: error.reason, hint: error.hint) }
    }

    /// The bytes as they are; nil: there is no such credential.
    func read(_ id: String, most: Int) throws(JailError) -> KeptSecret? {
        guard Self.isName(id) else {
            throw JailError(.secrets, reason: "'\(String(id.prefix(80)).printable)' is no name of a credential")
        }
        let place = "\(path)/\(id)"
        // The manager's own, which lets a service of another user read it by an access list: its mask is shown as the group's.
        let owners = TrustedFile.Owners(uids: [System.effectiveUserID, 0], forbidden: 0o037)
        do throws(JailError) {
            let file = try TrustedFile.open(id, at: directory.borrowed, path: place, owners: owners, limit: most)
            return KeptSecret(try TrustedFile.read(file, path: place, limit: most))
        } catch {
            if error.status == ExitStatus.notThere { return nil }
            throw error
        }
    }

    private static func isName(_ id: String) -> Bool {
        !id.isEmpty && id.utf8.count <= 255 && id.utf8.first != 0x2E
            && id.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x2F }
    }
}
