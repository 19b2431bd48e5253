internal import JailCore

/// A session that a jail asks for, as far as a yes is about it: whatever it is called, and however little of the limits of its
/// profile it wants.
package struct AskedSession: Sendable {
    package let profile: String
    /// What it is shown of the jail's files: `'/data/a' as '/workspace', read-only`.
    package let directories: [String]
    /// Names.
    package let secrets: [String]

    package init(profile: String, directories: [String], secrets: [String]) {
        self.profile = profile
        self.directories = directories
        self.secrets = secrets
    }

    var text: String {
        let parts = directories + secrets.map { "the secret '\($0)'" }
        return "a session of profile '\(profile)'" + (parts.isEmpty ? "" : " with ")
            + parts.joined(separator: " and ").printable
    }

    var members: [(String, JSON)] {
        [("profile", .string(profile)), ("directories", .strings(directories)), ("secrets", .strings(secrets))]
    }
}

/// By their bytes, as the kernel compares paths.
extension AskedSession: Hashable {
    package static func == (one: AskedSession, other: AskedSession) -> Bool { one.bytes == other.bytes }

    package func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    private var bytes: [[[UInt8]]] { [[profile], directories, secrets].map { $0.map { Array($0.utf8) } } }
}
