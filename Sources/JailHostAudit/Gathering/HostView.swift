package import JailCore
internal import JailHost

/// The host's tree as it is seen from one directory: `/`, or one that a test has prepared. Reads only, waits for nothing,
/// and never further than its bounds; what it could not look at it remembers.
package final class HostView {
    enum Look {
        case missing
        case refused(Errno)
        case found(FileView)
    }

    let root: SharedDescriptor
    /// In the order of their finding, each once.
    private(set) var notLooked: [String] = []
    private(set) var notes: [String] = []

    /// Bytes of a file, where nothing else is said.
    static let fileLimit = 1 << 18
    /// Names of a directory.
    static let nameLimit = 20_000
    /// As many symlinks in one path as the kernel follows.
    private static let linkLimit = 40

    package init(root: String = "/") throws(JailError) {
        self.root = try attempt(.host, root) { () throws(SystemError) in
            SharedDescriptor(try System.open(root, [.pathOnly, .directory]))
        }
    }

    func cannotLook(_ what: String) { if !notLooked.contains(what) { notLooked.append(what) } }
    func remember(_ note: String) { if !notes.contains(note) { notes.append(note) } }

    // MARK: Names

    /// What a path is. Symlinks on the way are followed within the root, the last component is not.
    func look(_ path: String) -> Look {
        do throws(SystemError) {
            let file = SharedDescriptor(try open(path))
            let status = try System.status(of: file.borrowed)
            let target = status.kind == .symlink ? try? System.readLink("", at: file.borrowed) : nil
            return .found(FileView(path, status, target: target))
        } catch {
            return Self.isAbsence(error.errno) ? .missing : .refused(error.errno)
        }
    }

    private func open(_ path: String) throws(SystemError) -> OwnedDescriptor {
        try System.open(
            path, [.pathOnly, .noFollow], at: root.borrowed, resolve: [.inRoot, .noMagicLinks])
    }

    private static func isAbsence(_ errno: Errno) -> Bool {
        [.notFound, .notDirectory, .noProcess, .symlinkLoop, .invalid, .nameTooLong].contains(errno)
    }

    /// nil: it is not there, or may not be looked at, which is remembered.
    func view(_ path: String) -> FileView? {
        switch look(path) {
        case .found(let view): return view
        case .missing: return nil
        case .refused(let errno):
            cannotLook("'\(path.printable)' (\(errno))")
            return nil
        }
    }

    /// Where a link leads, also one of /proc that no path is. nil: it is none, or may not be read.
    func link(_ path: String) -> String? {
        guard let file = try? open(path) else { return nil }
        return try? System.readLink("", at: file.borrowed)
    }

    /// The names in a directory, sorted; nil: it is not there or cannot be read.
    func names(_ path: String, limit: Int = nameLimit) -> [String]? {
        do throws(SystemError) {
            let directory = SharedDescriptor(
                try System.open(
                    path, [.readOnly, .directory, .nonBlocking], at: root.borrowed, resolve: [.inRoot, .noMagicLinks]))
            let entries = try System.entries(in: directory.borrowed, limit: limit)
            if entries.count > limit { remember("of '\(path.printable)' only \(limit) names were looked at") }
            return entries.prefix(limit).compactMap { name($0.name, in: path) }.sorted()
        } catch {
            if !Self.isAbsence(error.errno) { cannotLook("'\(path.printable)' (\(error.errno))") }
            return nil
        }
    }

    /// A name that is no UTF-8 is none that a command could be printed for.
    private func name(_ bytes: [UInt8], in directory: String) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.utf8.elementsEqual(bytes) else {
            cannotLook("a name in '\(directory.printable)' that is no UTF-8")
            return nil
        }
        return text
    }

    // MARK: Contents

    /// The beginning of a regular file; the last component is not followed. nil: it is none, or cannot be read.
    ///
    /// - Parameter isQuiet: a refusal is not remembered here, but by whoever asks.
    func read(_ path: String, limit: Int = fileLimit, isQuiet: Bool = false) -> (bytes: [UInt8], isCut: Bool)? {
        do throws(SystemError) {
            let place = SharedDescriptor(try open(path))
            // Nothing else is ever opened: a FIFO waits, and a device may do something.
            guard try System.status(of: place.borrowed).kind == .regular else { return nil }
            let file = SharedDescriptor(
                try System.open(
                    "/proc/self/fd/\(place.borrowed.number)", [.readOnly, .nonBlocking, .noControllingTerminal]))
            var bytes: [UInt8] = []
            while bytes.count <= limit {
                let part = try System.read(file.borrowed, most: 65536)
                if part.isEmpty { return (bytes, false) }
                bytes += part
            }
            return (Array(bytes.prefix(limit)), true)
        } catch {
            if !isQuiet, !Self.isAbsence(error.errno) { cannotLook("'\(path.printable)' (\(error.errno))") }
            return nil
        }
    }

    func text(_ path: String, limit: Int = fileLimit, isQuiet: Bool = false) -> String? {
        read(path, limit: limit, isQuiet: isQuiet).map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    // MARK: Ways

    /// Follows an absolute path by hand; nil: it is not there, leads in a circle, or may not be looked at.
    func way(_ path: String) -> Way? {
        guard Paths.isCanonicalText(path) || path.hasPrefix("/") else { return nil }
        var pending = Array(Paths.components(path).reversed())
        var directories = [view("/")].compactMap(\.self)
        var links: [FileView] = []
        while let name = pending.popLast() {
            if name == ".." {
                if directories.count > 1 { directories.removeLast() }
                continue
            }
            guard let above = directories.last, above.isDirectory,
                let next = view(Paths.join(above.path, name))
            else { return nil }
            if next.isLink {
                links.append(next)
                guard links.count <= Self.linkLimit, let target = next.target else { return nil }
                if target.hasPrefix("/") { directories = Array(directories.prefix(1)) }
                pending += Paths.components(target).reversed()
            } else {
                directories.append(next)
            }
        }
        guard let end = directories.popLast() else { return nil }
        return Way(named: path, canonical: end.path, directories: directories, links: links, end: end)
    }
}
