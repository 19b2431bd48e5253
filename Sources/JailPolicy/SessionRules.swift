/// `sessions`: which jails are made beside this one when its programs ask for them.
package struct SessionRules: Equatable, Sendable {
    /// The profile that each of them has, by name.
    package var profile: String
    /// What of this jail's files may be shown in one of them; no path lies in another.
    package var workspaces: [SessionRoot] = []
    /// How many there may be at the same time.
    package var most: UInt64 = 16
    /// Secrets of that profile's bindings that one of them may be asked for with. It has those that it is asked for with.
    package var secrets: [String] = []

    package init(profile: String) { self.profile = profile }
}

/// A directory of `sessions.workspaces`: `"/data/x"`, or `"/data/x:ro"` if no session may write in it.
package struct SessionRoot: Hashable, Sendable {
    /// Absolute, inside the jail that has the key.
    package var path: String
    package var readOnly: Bool

    package init(path: String, readOnly: Bool = false) {
        self.path = path
        self.readOnly = readOnly
    }
}

extension SessionRoot {
    package static func parse(_ text: String) throws(ValueError) -> SessionRoot {
        let parts = text.parts(at: ":", most: 3)
        guard parts.count == 1 || parts.count == 2 && parts[1] == "ro" else {
            throw ValueError(expected: "PATH or PATH:ro", found: text)
        }
        let path = String(parts[0])
        try AbsolutePath.checkTarget(path)
        return SessionRoot(path: path, readOnly: parts.count == 2)
    }

    package var formatted: String { readOnly ? path + ":ro" : path }
}

extension SessionRules {
    /// A directory in another one, or one with two accesses, would be reached in two ways of which one allows more.
    mutating func add(_ root: SessionRoot) throws(ValueError) {
        if workspaces.contains(root) { return }
        if let other = workspaces.first(where: { $0.path.isInside(root.path) || root.path.isInside($0.path) }) {
            throw ValueError(
                other.path == root.path
                    ? "is named twice, and once read-only"
                    : "must not be in another one, or hold it, as with '\(other.formatted.excerpt)'")
        }
        workspaces.append(root)
    }
}
