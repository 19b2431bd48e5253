package import JailCore

/// What a changed file says, for people to look at.
package enum ReviewContent {
    /// Bytes; what is larger is not shown.
    package static let mostBytes = 1 << 20

    /// - Parameters:
    ///   - side: nil: there is no such file, and it says nothing.
    ///   - tree: the layer, or the workspace.
    /// - Returns: nil: it is too large.
    package static func read(
        _ path: FilePath, _ side: Change.Side?, in tree: Descriptor
    ) throws(JailError) -> [UInt8]? {
        guard let side else { return [] }
        return try attempt(.changes, path.shown) { () throws(SystemError) in
            let parent = try Tree.open(path.parent, below: tree)
            return try withExtendedLifetime(parent) { () throws(SystemError) -> [UInt8]? in
                if side.kind == .link { return try System.readLink(name: path.name, at: parent.borrowed) + [0x0A] }
                let file = try System.open(name: path.name, [.readOnly, .nonBlocking], at: parent.borrowed)
                let status = try System.status(of: file.borrowed)
                guard status.kind == .regular else { throw SystemError(.check, .invalid) }
                guard status.size <= UInt64(mostBytes) else { return nil }
                return try System.readContent(file.borrowed, limit: mostBytes)
            }
        }
    }
}
