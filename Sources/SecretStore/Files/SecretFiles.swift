internal import JailCore

/// How files of the store are written: whole or not at all, and for good.
enum SecretFiles {
    /// What is not finished. No secret's name begins like that.
    static let draftPrefix = "."

    static func write(
        _ name: String, in directory: Descriptor, replacing: Bool,
        _ content: (Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let draft = draftPrefix + name
        try removeIfThere(draft, in: directory)
        let file = try System.open(draft, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600, at: directory)
        do throws(SystemError) {
            try content(file.borrowed)
            try System.synchronize(file.borrowed)
            if replacing {
                try System.rename(draft, to: name, at: directory)
            } else {
                try System.rename(draft, .newName, name, at: directory)
            }
        } catch {
            try? System.unlink(draft, at: directory)
            throw error
        }
        try System.synchronize(directory)
    }

    static func removeIfThere(_ name: String, in directory: Descriptor) throws(SystemError) {
        do throws(SystemError) { try System.unlink(name, at: directory) } catch {
            guard error.errno == .notFound else { throw error }
        }
    }
}
