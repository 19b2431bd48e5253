package import JailCore

/// Puts something new in the place of a directory or file, so that at every moment there is the one or the other, whole:
/// made under another name, on the disk before it has the old one's, exchanged in one step; what was there goes last.
///
/// Whoever is killed on the way leaves the other name behind. What has it is never all that there is: before the exchange a
/// half of something that is in a snapshot, after it something of which a snapshot was made first.
package struct Replacement {
    /// How the thing itself is handled.
    package struct Means {
        /// Makes an empty one of that name, and opens its tree.
        package var make: (_ name: String) throws(JailError) -> SharedDescriptor
        /// Removes one of that name, with all that is in it.
        package var remove: (_ name: String) throws(JailError) -> Void

        package init(
            make: @escaping (_ name: String) throws(JailError) -> SharedDescriptor,
            remove: @escaping (_ name: String) throws(JailError) -> Void
        ) {
            self.make = make
            self.remove = remove
        }
    }

    /// The last part of its path.
    package let name: String
    package let directory: SharedDescriptor
    private let path: String
    /// No jail's name, and no session's, begins with a dot.
    private var draft: String { ".\(name).restoring" }

    /// Opens the directory that it lies in.
    ///
    /// - Parameter path: absolute.
    /// - Throws: if somebody else could put another thing in its place meanwhile.
    package init(_ path: String) throws(JailError) {
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        guard path.hasPrefix("/"), let name = parts.last, name != "..", name != "." else {
            throw JailError(.data, path: path, reason: "it is not a path of something that can be replaced")
        }
        let parent = "/" + parts.dropLast().joined(separator: "/")
        self.name = name
        self.path = path
        directory = try attempt(.data, parent) { () throws(SystemError) in
            SharedDescriptor(try System.open(parent, [.readOnly, .directory], resolve: [.noSymlinks, .noMagicLinks]))
        }
        let status = try attempt(.data, parent) { () throws(SystemError) in try System.status(of: directory.borrowed) }
        guard status.uid == System.effectiveUserID, status.permissions & 0o022 == 0 else {
            throw JailError(
                .data, path: parent, reason: "others than the one who restores may write to it",
                hint: "what is in it can only be replaced where it is the caller's own", status: ExitStatus.refused)
        }
    }

    package var isThere: Bool { (try? System.status(Array(name.utf8), at: directory.borrowed)) != nil }

    /// Removes what somebody who was killed has left.
    package func removeUnfinished(_ means: Means) throws(JailError) {
        guard (try? System.status(Array(draft.utf8), at: directory.borrowed)) != nil else { return }
        try means.remove(draft)
    }

    package func replace(
        _ means: Means, filling fill: (_ tree: Descriptor) throws(JailError) -> Void
    ) throws(JailError) {
        do throws(JailError) {
            let tree = try means.make(draft)
            defer { withExtendedLifetime(tree) {} }
            try fill(tree.borrowed)
            try attempt(.data, path) { () throws(SystemError) in
                try System.synchronizeAll(on: tree.borrowed)
                try System.synchronizeAll(on: directory.borrowed)
            }
        } catch {
            try? means.remove(draft)
            throw error
        }
        let isThere = isThere
        do throws(SystemError) {
            try System.rename(draft, isThere ? .exchange : .newName, name, at: directory.borrowed)
            try System.synchronize(directory.borrowed)
        } catch {
            // Where the exchange was made, what is behind the draft's name is the old one: of that there is a snapshot.
            throw JailError(
                .data, error, path: path, hint: "the present state is in its place or in a snapshot of it; try again")
        }
        if isThere { try means.remove(draft) }
    }
}

extension Replacement.Means {
    /// Of a directory.
    package static func directory(of owner: DataOwner, in directory: SharedDescriptor) -> Replacement.Means {
        Replacement.Means(
            make: { (name) throws(JailError) in
                try attempt(.data, name) { () throws(SystemError) in
                    try System.makeDirectory(name, mode: 0o700, at: directory.borrowed)
                    let tree = SharedDescriptor(
                        try System.open(name, [.readOnly, .directory, .noFollow], at: directory.borrowed))
                    if System.effectiveUserID == 0 {
                        try System.changeOwner(tree.borrowed, uid: owner.uid, gid: owner.gid)
                    }
                    return tree
                }
            },
            remove: { (name) throws(JailError) in
                let tree = try attempt(.data, name) { () throws(SystemError) in
                    SharedDescriptor(
                        try System.open(name, [.readOnly, .directory, .noFollow], at: directory.borrowed))
                }
                defer { withExtendedLifetime(tree) {} }
                let status = try attempt(.data, name) { () throws(SystemError) in
                    try System.status(of: tree.borrowed)
                }
                // Not yet the owner's: nothing is in it.
                if status.uid == owner.uid { try Archive.clear(tree.borrowed, of: owner) }
                try attempt(.data, name) { () throws(SystemError) in
                    try System.unlink(name, at: directory.borrowed, isDirectory: true)
                    try System.synchronize(directory.borrowed)
                }
            })
    }
}
