package import JailCore

/// Looks through a directory for sockets, FIFOs and device nodes.
///
/// A read-only mount does not stop connect(2) to a socket in it, so these are found before the launch and refused
/// unless the profile names them. File systems mounted below are searched too: a bind shows them as well. Symlinks are
/// not followed: inside the jail they point into the jail.
package enum SpecialFileSearch {
    package struct Result: Equatable, Sendable {
        /// The first one found.
        package var found: String?
        /// What it is, with its article: `a socket`.
        package var kind = ""
        /// How many names were looked at.
        package var entries = 0
    }

    /// A checkout with its dependencies has tens of thousands of files; ten times that is still read in well under a
    /// second, since the directories say of what kind their entries are.
    package static let mostEntries = 200_000
    package static let deepest = 64

    /// Searches until the first special file. A tree beyond the bounds, or with a directory that cannot be read but can
    /// be entered, is an error: what was not seen cannot be vouched for.
    package static func search(
        _ root: String, mostEntries: Int = mostEntries, deepest: Int = deepest
    ) throws(JailError) -> Result {
        var result = Result()
        var pending: [(path: String, depth: Int)] = [(root, 0)]
        while let (path, depth) = pending.popLast() {
            for (name, kind) in try entries(of: path) {
                result.entries += 1
                guard result.entries <= mostEntries else { throw tooLarge(root, "more than \(mostEntries) entries") }
                switch try sort(kind, Paths.join(path, name)) {
                case .directory:
                    guard depth < deepest else { throw tooLarge(root, "directories nested deeper than \(deepest)") }
                    pending.append((Paths.join(path, name), depth + 1))
                case .harmless: break
                case .special(let description):
                    result.found = Paths.join(path, name)
                    result.kind = description
                    return result
                }
            }
        }
        return result
    }

    /// With its article; nil for files, directories and symlinks.
    package static func describe(_ kind: FileStatus.Kind) -> String? {
        switch kind {
        case .socket: "a socket"
        case .fifo: "a FIFO"
        case .characterDevice, .blockDevice: "a device node"
        case .regular, .directory, .symlink: nil
        case .other: "a file of unknown kind"
        }
    }

    private enum Sort { case directory, harmless, special(String) }

    /// By the d_type of getdents64(2); asks again where the file system does not say.
    private static func sort(_ kind: UInt8, _ path: String) throws(JailError) -> Sort {
        switch kind {
        case 4: return .directory
        case 8, 10: return .harmless
        case 1: return .special("a FIFO")
        case 2, 6: return .special("a device node")
        case 12: return .special("a socket")
        default: break
        }
        do throws(SystemError) {
            let status = try System.status(path)
            if status.isDirectory { return .directory }
            return describe(status.kind).map { .special($0) } ?? .harmless
        } catch {
            if error.errno == .notFound { return .harmless }
            throw JailError(.host, error, path: path)
        }
    }

    private static func entries(of path: String) throws(JailError) -> [(name: String, kind: UInt8)] {
        do throws(SystemError) {
            let directory = try System.open(path, [.readOnly, .directory, .noFollow])
            return try System.names(in: directory.borrowed, limit: mostEntries)
        } catch {
            // It went away, or nobody with these ids gets into it either.
            if error.errno == .notFound || (error.errno == .accessDenied && !System.mayAccess(path, 1)) { return [] }
            throw JailError(
                .host, error, path: path,
                hint: "it must be readable to be searched for sockets, FIFOs and devices; take it out of the shown tree"
            )
        }
    }

    private static func tooLarge(_ root: String, _ what: String) -> JailError {
        JailError(
            .host, path: root,
            reason: "it has \(what) and was not searched to its end for sockets, FIFOs and devices",
            hint: "show a smaller directory, or list it with allowSpecialFiles: true")
    }
}
