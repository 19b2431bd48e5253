/// Directories of clawjail's own on the host.
package enum PrivateDirectory {
    /// Makes a directory, and those above it that are missing, for this user alone. Others may be at the same.
    package static func make(_ path: String) throws(SystemError) {
        guard path != "/" else { return }
        do { try System.makeDirectory(path, mode: 0o700) } catch  where error.errno == .notFound {
            try make(path.parentPath)
            do { try System.makeDirectory(path, mode: 0o700) } catch  where error.errno == .exists {}
        } catch  where error.errno == .exists {
        }
    }
}

extension String {
    /// `/usr/bin/node` → `/usr/bin`.
    package var parentPath: String {
        guard let slash = utf8.lastIndex(of: UInt8(ascii: "/")), slash != startIndex else { return "/" }
        return String(self[..<slash])
    }
}
