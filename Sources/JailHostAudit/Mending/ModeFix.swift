package import JailCore

/// Permissions that are taken away from a file.
package struct ModeFix: Equatable, Sendable {
    /// Absolute; no component is a symlink.
    package let path: String
    /// As it was when it was looked at.
    package let kind: FileStatus.Kind
    package let identity: FileIdentity
    package let uid: UInt32
    package let before: UInt32
    /// Has no bit that ``before`` has not.
    package let after: UInt32

    /// - Parameter taken: the bits to be taken away. nil: there are none, or it is neither a file nor a directory.
    init?(_ view: FileView, taking taken: UInt32) {
        guard view.kind == .regular || view.kind == .directory, view.permissions & taken != 0 else { return nil }
        path = view.path
        kind = view.kind
        identity = view.identity
        uid = view.uid
        before = view.permissions
        after = view.permissions & ~taken
    }

    package var description: String {
        "chmod \(String(after, radix: 8)) '\(path.printable)' (it is \(String(before, radix: 8)))"
    }
}
