package import JailCore

/// One thing that the payload has done to its workspace.
package struct Change: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case added, modified, removed
        /// Something of another kind: a link in the place of a file.
        case replaced
        /// Only the permissions of a directory.
        case mode

        /// As people read it.
        package var letter: String {
            switch self {
            case .added: "A"
            case .modified: "M"
            case .removed: "D"
            case .replaced: "T"
            case .mode: "P"
            }
        }
    }

    /// What is there before or after.
    package struct Side: Equatable, Sendable {
        package enum Kind: String, Sendable { case file, directory, link, special }

        package var kind: Kind
        package var permissions: UInt32
        package var size: UInt64

        /// Without set-user-id and its like.
        var usualPermissions: UInt32 { permissions & 0o777 }

        init(_ status: FileStatus) {
            kind =
                switch status.kind {
                case .regular: .file
                case .directory: .directory
                case .symlink: .link
                default: .special
                }
            permissions = status.permissions
            size = status.isDirectory ? 0 : status.size
        }
    }

    package var path: FilePath
    package var kind: Kind
    package var before: Side?
    package var after: Side?
    /// The highest path that this is a part of: what is done about it is one step.
    package var unit: FilePath
    /// Whether the unit can only be taken as a whole.
    package var isIndivisible = false
    /// Why a program of the host's may execute it, or what it says, later; nil: nothing is known that does.
    package var runsOnHost: String?
    /// Why it is not applied at all.
    package var refusal: String?
    /// A link that leads out of the workspace, or may.
    package var leadsOut = false

    package var json: JSON {
        [
            "path": .string(String(decoding: path.bytes, as: UTF8.self)), "change": .string(kind.rawValue),
            "before": before?.json ?? .null, "after": after?.json ?? .null, "runsOnHost": .optional(runsOnHost),
            "refused": .optional(refusal), "leadsOut": .boolean(leadsOut),
        ]
    }
}

extension Change.Side {
    fileprivate var json: JSON {
        ["kind": .string(kind.rawValue), "mode": .string(String(permissions, radix: 8)), "size": .number(size)]
    }
}
