package import JailCore
internal import JailPolicy

/// What the jail shows for commands that are run in it, and keeps from the jail's own command: a second domain of Landlock, which
/// that one alone enters, and everything that it starts. Reading is kept from it as well, or the dynamic loader would run
/// the program, or a copy of it.
package struct WithheldPlan: Equatable, Sendable {
    package var abi: Int32
    /// Listed programs, canonical paths inside.
    package var programs: [String]
    /// What else is there for them alone: interpreters, libraries, the trees of packages.
    package var files: [String]
    /// All that may be read, or read and executed. Other rights this domain says nothing about.
    package var rules: [LandlockPlan.Rule]
    /// Commands cannot be signalled by it either (ABI 6).
    package var scoped: Bool

    /// Landlock's rights that the domain handles.
    package static let handled = FileRights.execute | FileRights.readFile

    /// Whether what lies at a path is kept back.
    package func withholds(_ path: String) -> Bool {
        (programs + files).contains { path.isInside($0) }
            && !rules.contains { $0.path != "/" && path.isInside($0.path) }
    }
}

/// A program whose digest its rule names.
package struct CheckedProgram: Equatable, Sendable {
    /// Canonical, on the host.
    package var path: String
    /// SHA-256, lower-case hexadecimal.
    package var digest: String
    /// Of the file that is mounted; nil: it lies in a directory that is mounted as a whole.
    package var identity: FileIdentity?
}

extension WithheldPlan {
    var json: JSON {
        [
            "abi": .number(abi), "programs": .strings(programs), "files": .strings(files),
            "rules": .array(rules.map { ["path": .string($0.path), "access": .string($0.access.rawValue)] }),
            "scoped": .boolean(scoped),
        ]
    }
}

extension CheckedProgram {
    var json: JSON {
        [
            "path": .string(path), "sha256": .string(digest),
            "inode": identity.map { .number($0.inode) } ?? .null,
        ]
    }
}
