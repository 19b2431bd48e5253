package import JailCore

/// The sealed secrets of one user, one file for each: `secrets/` in clawjail's state directory, for nobody else.
///
/// What is in the files is taken for hostile: whoever can write there can at most take secrets away, or put back what the
/// same secret was before.
package final class SecretStore {
    package let path: String
    let directory: SharedDescriptor
    private let finder: StoreKeyFinder
    private var lock: SharedDescriptor?
    private var foundKey: StoreKey?

    package static let directoryName = "secrets"
    static let suffix = ".sealed"
    private static let lockName = "lock"
    /// Files that there may be.
    private static let mostFiles = 10_000

    /// - Parameter path: of the directory, which is made if it is not there.
    package init(_ path: String, _ finder: StoreKeyFinder) throws(JailError) {
        self.path = path
        self.finder = finder
        directory = try attempt(.secrets, path) { () throws(SystemError) in
            try PrivateDirectory.make(path)
            return SharedDescriptor(try System.open(path, [.readOnly, .directory, .noFollow]))
        }
        let status = try attempt(.secrets, path) { () throws(SystemError) in try System.status(of: directory.borrowed) }
        guard status.uid == System.effectiveUserID, status.permissions & 0o077 == 0 else {
            throw JailError(.secrets, path: path, reason: "it must be a directory of this user's own with mode 0700")
        }
    }

    /// Which file a secret of a store's is just now; nil: there is none. Whatever changes it makes another one.
    package static func identity(of name: String, in path: String) -> FileIdentity? {
        (try? System.status("\(path)/\(name)\(suffix)"))?.identity
    }

    // MARK: Reading

    /// The names of the secrets, sorted.
    package func names() throws(JailError) -> [String] {
        let files = try attempt(.secrets, path) { () throws(SystemError) in
            // By another descriptor: one that has been read to its end stays there.
            let directory = SharedDescriptor(try System.open(".", [.readOnly, .directory], at: directory.borrowed))
            return try withExtendedLifetime(directory) { () throws(SystemError) in
                try System.names(in: directory.borrowed, limit: Self.mostFiles).map(\.name)
            }
        }
        guard files.count <= Self.mostFiles else {
            throw JailError(.secrets, path: path, reason: "there are more than \(Self.mostFiles) files")
        }
        let names = files.filter { $0.hasSuffix(Self.suffix) }.map { String($0.dropLast(Self.suffix.count)) }
        return names.filter(SecretName.isValid).sorted()
    }

    /// The key, which is made where there are no secrets yet and ``takeLock()`` has been called.
    package func key() throws(JailError) -> StoreKey {
        if let foundKey { return foundKey }
        let isEmpty = try names().isEmpty
        let found = try finder.find(in: directory.borrowed, path: path, mayMake: lock != nil && isEmpty)
        foundKey = found
        return found
    }

    package func open(_ name: String) throws(JailError) -> OpenedSecret {
        try SecretName.check(name)
        let place = "\(path)/\(name)\(Self.suffix)"
        let bytes = try content(name, place)
        let key = try key()
        do throws(SealedFailure) { return try SealedSecret.open(bytes, named: name, with: key) } catch {
            throw JailError(.secrets, path: place, reason: "\(error)", hint: hint(error, key))
        }
    }

    /// No secret here is sealed with another key: a store has one.
    func confirmKey() throws(JailError) {
        let key = try key()
        for name in try names() {
            let place = "\(path)/\(name)\(Self.suffix)"
            var reader = SealedReader(try content(name, place))
            // What is no secret at all locks nobody out; 'list' says so.
            guard let header = try? SecretHeader(&reader), header.key != key.id else { continue }
            let failure = SealedFailure.otherKey(header.key)
            throw JailError(.secrets, path: place, reason: "\(failure)", hint: hint(failure, key))
        }
    }

    private func content(_ name: String, _ place: String) throws(JailError) -> [UInt8] {
        do throws(JailError) {
            let file = try TrustedFile.open(
                name + Self.suffix, at: directory.borrowed, path: place, owners: .own, limit: SealedSecret.mostBytes)
            defer { withExtendedLifetime(file) {} }
            return try attempt(.secrets, place) { () throws(SystemError) in
                try System.readAll(file.borrowed, limit: SealedSecret.mostBytes)
            }
        } catch {
            guard error.status == ExitStatus.notThere else { throw error }
            throw JailError(
                .secrets, reason: "there is no secret '\(name)'", hint: "'clawjail secret list' lists them",
                status: ExitStatus.notThere)
        }
    }

    private func hint(_ failure: SealedFailure, _ key: StoreKey) -> String? {
        switch failure {
        case .otherKey: "this one is from \(key.origin), and its id is \(key.id)"
        case .version: "a newer clawjail has written it"
        case .noMemory: nil
        default: "remove it, and set it again"
        }
    }

    // MARK: Changing

    /// From here on nobody else changes anything here. Removes what others did not bring to an end.
    package func takeLock() throws(JailError) {
        let place = "\(path)/\(Self.lockName)"
        let file = try attempt(.secrets, place) { () throws(SystemError) in
            let file = SharedDescriptor(
                try System.open(
                    Self.lockName, [.writeOnly, .create, .noFollow, .nonBlocking], mode: 0o600, at: directory.borrowed))
            return try withExtendedLifetime(file) { () throws(SystemError) in
                try System.tryLock(file.borrowed, .exclusive) ? file : nil
            }
        }
        guard let file else {
            throw JailError(
                .secrets, reason: "somebody else is at the secrets just now", hint: "try again",
                status: ExitStatus.exists)
        }
        lock = file
        for name in try names() + [StoreKeyFinder.fileName] {
            for draft in [name, name + Self.suffix] {
                try attempt(.secrets, path) { () throws(SystemError) in
                    try SecretFiles.removeIfThere(SecretFiles.draftPrefix + draft, in: directory.borrowed)
                }
            }
        }
    }

    /// Replaces the file of a secret, or makes it.
    func put(
        _ header: SecretHeader, current: borrowing SecretBytes, previous: KeptSecret?, replacing: Bool
    ) throws(JailError) {
        let place = "\(path)/\(header.name)\(Self.suffix)"
        guard lock != nil else { throw JailError(.secrets, path: place, reason: "the store is not locked") }
        let key = try key()
        do throws(SystemError) {
            let sealed = try SealedSecret.seal(header, current: current, previous: previous, with: key)
            try SecretFiles.write(header.name + Self.suffix, in: directory.borrowed, replacing: replacing) {
                (file) throws(SystemError) in try System.writeAll(file, sealed)
            }
        } catch {
            if error.errno == .exists, !replacing { throw Self.isThere(header.name) }
            throw JailError(.secrets, error, path: place)
        }
    }

    package static func isThere(_ name: String) -> JailError {
        JailError(
            .secrets, reason: "there is a secret '\(name)' already", hint: "clawjail secret rotate \(name)",
            status: ExitStatus.exists)
    }

    func delete(_ name: String) throws(JailError) {
        guard lock != nil else { throw JailError(.secrets, path: path, reason: "the store is not locked") }
        try attempt(.secrets, "\(path)/\(name)\(Self.suffix)") { () throws(SystemError) in
            try System.unlink(name + Self.suffix, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        }
    }
}
