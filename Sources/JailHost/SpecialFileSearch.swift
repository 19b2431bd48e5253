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
        /// Why not all of it was seen.
        package var unseen: String?
    }

    /// What the payload can fill itself must not end its next start.
    package struct Leniency: Sendable {
        /// Whose FIFOs are left alone; nil: nobody's.
        package var fifoOwner: UInt32?

        /// What is too large, or cannot be read, is said and no error.
        package var mayBeIncomplete: Bool

        package init(fifoOwner: UInt32? = nil, mayBeIncomplete: Bool = false) {
            self.fifoOwner = fifoOwner
            self.mayBeIncomplete = mayBeIncomplete
        }
    }

    /// A checkout with its dependencies has tens of thousands of files; ten times that is still read in well under a
    /// second, since the directories say of what kind their entries are.
    package static let mostEntries = 200_000
    package static let deepest = 1024

    /// Searches until the first special file. A tree beyond the bounds, or with a directory that cannot be read but can
    /// be entered, is an error: what was not seen cannot be vouched for.
    package static func search(
        _ root: String, mostEntries: Int = mostEntries, deepest: Int = deepest, leniency: Leniency = Leniency()
    ) throws(JailError) -> Result {
        var result = Result()
        let directory: OwnedDescriptor
        do throws(SystemError) {
            directory = try System.open(root, [.readOnly, .directory, .noFollow])
        } catch {
            if isEmpty(error, root) { return result }
            throw unreadable(root, error)
        }
        var pending: [(path: [UInt8], depth: Int)] = [([], 0)]
        var beyond: String?
        walk: while let (path, depth) = pending.popLast() {
            let here = path.isEmpty ? root : Paths.join(root, String(decoding: path, as: UTF8.self))
            do throws(SystemError) {
                let current = try System.openDirectory(path, below: directory.borrowed)
                for entry in try System.entries(in: current.borrowed, limit: mostEntries) {
                    result.entries += 1
                    guard result.entries <= mostEntries else {
                        beyond = "more than \(mostEntries) entries"
                        break walk
                    }
                    switch try sort(entry, at: current.borrowed, leniency) {
                    case .directory:
                        guard depth < deepest else {
                            beyond = "directories nested deeper than \(deepest)"
                            break walk
                        }
                        pending.append((path.isEmpty ? entry.name : path + [0x2F] + entry.name, depth + 1))
                    case .harmless: break
                    case .special(let description):
                        result.found = Paths.join(here, String(decoding: entry.name, as: UTF8.self))
                        result.kind = description
                        return result
                    }
                }
            } catch {
                if isEmpty(error, here) { continue }
                // What permissions hide the payload may have hidden; any other error is the host's.
                guard leniency.mayBeIncomplete, [.accessDenied, .notPermitted, .nameTooLong].contains(error.errno)
                else {
                    throw unreadable(here, error)
                }
                result.unseen = "'\(here.printable)' cannot be read"
            }
        }
        if let beyond {
            guard leniency.mayBeIncomplete else { throw tooLarge(root, beyond) }
            result.unseen = "'\(root.printable)' has \(beyond)"
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
    private static func sort(
        _ entry: DirectoryEntry, at directory: Descriptor, _ leniency: Leniency
    ) throws(SystemError) -> Sort {
        switch entry.kind {
        case 4: return .directory
        case 8, 10: return .harmless
        case 2, 6: return .special("a device node")
        case 12: return .special("a socket")
        case 1 where leniency.fifoOwner == nil: return .special("a FIFO")
        default: break
        }
        do throws(SystemError) {
            let status = try System.status(entry.name, at: directory)
            if status.isDirectory { return .directory }
            if status.kind == .fifo, status.uid == leniency.fifoOwner { return .harmless }
            return describe(status.kind).map { .special($0) } ?? .harmless
        } catch  where error.errno == .notFound {
            return .harmless
        }
    }

    /// It went away, or nobody with these ids gets into it either.
    private static func isEmpty(_ error: SystemError, _ path: String) -> Bool {
        if error.errno == .notFound { return true }
        // Of a path that the kernel would not take as it stands here, nothing can be asked.
        guard error.errno == .accessDenied, path.utf8.count < 4096, !path.contains("\u{FFFD}") else { return false }
        return !System.mayAccess(path, 1)
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> JailError {
        JailError(
            .host, error, path: path,
            hint: "it must be readable to be searched for sockets, FIFOs and devices; take it out of the shown tree")
    }

    private static func tooLarge(_ root: String, _ what: String) -> JailError {
        JailError(
            .host, path: root,
            reason: "it has \(what) and was not searched to its end for sockets, FIFOs and devices",
            hint: "show a smaller directory, or list it with specialFiles: true")
    }
}
