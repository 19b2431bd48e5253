internal import JailCore

/// Finds the key of a store: a credential that the service manager has handed over, then (where it is asked for) a key of the
/// user's keyring, then a file beside the secrets.
package struct StoreKeyFinder {
    package static let keyringName = "clawjail:secrets"
    package static let credentialName = "clawjail-secrets-key"
    static let fileName = "key"

    /// `$CREDENTIALS_DIRECTORY`, see systemd.exec(5).
    package var credentials: String?
    /// The keyring, and no file.
    package var wantsKeyring: Bool
    /// The keyring where there is no file: of whoever has nobody to ask.
    package var mayUseKeyring = false

    package init(credentials: String?, wantsKeyring: Bool) {
        self.credentials = credentials.flatMap { $0.isEmpty ? nil : $0 }
        self.wantsKeyring = wantsKeyring
    }

    /// - Parameters:
    ///   - directory: of the store.
    ///   - mayMake: there is no secret yet, so that a new key locks nobody out.
    func find(in directory: Descriptor, path: String, mayMake: Bool) throws(JailError) -> StoreKey {
        if let key = try fromCredential() { return key }
        return wantsKeyring ? try fromKeyring() : try fromFile(directory, path, mayMake)
    }

    private func fromCredential() throws(JailError) -> StoreKey? {
        guard let credentials else { return nil }
        let source = try CredentialSource(directory: credentials)
        guard let bytes = try source.read(Self.credentialName, most: StoreKey.size) else { return nil }
        return try key(bytes.bytes, .credential("\(credentials)/\(Self.credentialName)"))
    }

    private func fromKeyring() throws(JailError) -> StoreKey {
        do throws(SystemError) {
            return try StoreKey(System.keyringSecret(Self.keyringName, count: StoreKey.size), from: .keyring)
        } catch {
            let hint =
                error.call == .check
                ? "it must have \(StoreKey.size) bytes"
                : "put it there: head -c 32 /dev/urandom | keyctl padd user \(Self.keyringName) @u; and 'keyctl link @u @s'"
            throw JailError(.secrets, error, detail: Self.keyringName, hint: hint)
        }
    }

    private func fromFile(_ directory: Descriptor, _ path: String, _ mayMake: Bool) throws(JailError) -> StoreKey {
        let place = "\(path)/\(Self.fileName)"
        let isThere = try attempt(.secrets, place) { () throws(SystemError) in
            do throws(SystemError) {
                _ = try System.status(Self.fileName, at: directory)
                return true
            } catch {
                guard error.errno == .notFound else { throw error }
                return false
            }
        }
        if !isThere {
            if mayUseKeyring, !mayMake, let key = try? fromKeyring() { return key }
            guard mayMake else {
                throw JailError(
                    .secrets, path: place, reason: "there are secrets here, and no key to open them with",
                    hint: "bring the key back, or give the one that they were sealed with as credential or keyring")
            }
            try make(directory, place)
        }
        let file = try TrustedFile.open(
            Self.fileName, at: directory, path: place, owners: .own, limit: StoreKey.size)
        return try key(TrustedFile.read(file, path: place, limit: StoreKey.size), .file(place))
    }

    private func make(_ directory: Descriptor, _ place: String) throws(JailError) {
        try attempt(.secrets, place) { () throws(SystemError) in
            let bytes = try SecretBytes.random(count: StoreKey.size)
            try SecretFiles.write(Self.fileName, in: directory, replacing: false) { (file) throws(SystemError) in
                try System.writeAll(file, bytes)
            }
        }
    }

    private func key(_ bytes: borrowing SecretBytes, _ origin: StoreKey.Origin) throws(JailError) -> StoreKey {
        guard bytes.count == StoreKey.size else {
            throw JailError(
                .secrets, reason: "\(origin) has \(bytes.count) bytes, and a key has \(StoreKey.size)",
                hint: "head -c 32 /dev/urandom makes one")
        }
        return try attempt(.secrets) { () throws(SystemError) in try StoreKey(bytes, from: origin) }
    }
}
