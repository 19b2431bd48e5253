package import JailCore

/// A file that says who may do what: of whoever reads it, and written by nobody else.
package enum TrustedFile {
    /// - Parameters:
    ///   - limit: in bytes.
    ///   - isSecret: nobody else may read it either.
    /// - Returns: nil: there is none.
    /// - Throws: it cannot be read, or somebody else could have written it.
    package static func read(_ path: String, limit: Int, isSecret: Bool) throws(JailError) -> [UInt8]? {
        let (bytes, isTrusted): ([UInt8], Bool)
        do throws(SystemError) {
            let file = try System.open(path, [.readOnly, .noFollow, .nonBlocking, .noControllingTerminal])
            let status = try System.status(of: file.borrowed)
            isTrusted =
                status.kind == .regular && status.uid == System.effectiveUserID
                && status.permissions & (isSecret ? 0o077 : 0o022) == 0 && status.links == 1
                && status.size <= UInt64(limit)
            bytes = isTrusted ? try System.readContent(file.borrowed, limit: limit) : []
        } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.runtime, error, path: path)
        }
        guard isTrusted else {
            throw JailError(
                .runtime, path: path,
                reason: "it must be a file of yours that nobody else can \(isSecret ? "read or write" : "write to")",
                hint: "look at who has changed it, and chmod \(isSecret ? "600" : "644") it")
        }
        return bytes
    }
}
