package import JailPolicy

/// A state directory of OpenClaw's.
package struct StateView: Sendable {
    package var way: Way
    /// What the path itself is: a directory, or a symlink.
    package var named: FileView
    package var files: [StateFile] = []
    package var configuration: ConfigurationView?
    package var hasExtensions = false
    /// Names of services that copy it elsewhere, by names on the way and marks in the directories.
    package var syncMarks: [String] = []

    package init(way: Way, named: FileView) {
        self.way = way
        self.named = named
    }

    package var path: String { way.named }
}

/// A file of a state directory that has a meaning.
package struct StateFile: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        case configuration, include, authProfiles, credentials, variables, sessions, database, log
    }

    package var kind: Kind
    package var view: FileView

    package init(_ kind: Kind, _ view: FileView) {
        self.kind = kind
        self.view = view
    }
}

/// The configuration with what it includes. It has secrets in it, and is never printed.
package struct ConfigurationView: Sendable {
    package var path: String
    /// nil: it could not be read, see ``problem``.
    package var value: JSON5Value?
    package var problem: String?

    package init(path: String, value: JSON5Value? = nil, problem: String? = nil) {
        self.path = path
        self.value = value
        self.problem = problem
    }
}
