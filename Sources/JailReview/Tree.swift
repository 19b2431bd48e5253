internal import Glibc
internal import JailCore

/// Walking and changing trees that others have made: by descriptors, one name at a time, through no link.
enum Tree {
    /// nil: there is nothing of that name.
    static func status(_ name: [UInt8], at directory: Descriptor, _ path: FilePath) throws(JailError) -> FileStatus? {
        do throws(SystemError) { return try System.status(name, at: directory) } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.changes, error, path: path.shown)
        }
    }

    /// Opens a directory below another one.
    ///
    /// - Throws: also where a link, a file or another file system is on the way.
    static func open(_ path: FilePath, below root: Descriptor) throws(SystemError) -> SharedDescriptor {
        var current = SharedDescriptor(try System.open(".", [.readOnly, .directory], at: root))
        for name in path.names {
            let above = current
            current = try withExtendedLifetime(above) { () throws(SystemError) in
                SharedDescriptor(try System.open(name: name, [.readOnly, .directory], at: above.borrowed))
            }
        }
        return current
    }

    // MARK: Removing

    /// Deeper directories are moved up and removed there: however deep a tree is, few descriptors are open.
    private static let deepest = 64

    /// Removes all that is in a directory, whatever its owner has made of its permissions. What is gone already is no error.
    static func empty(_ directory: Descriptor) throws(SystemError) {
        var counter = 0
        while true {
            let entries = try entries(directory)
            if entries.isEmpty { return }
            for entry in entries {
                try remove(entry.name, at: directory, top: directory, depth: 0, &counter)
            }
        }
    }

    /// Removes one thing, and all that is in it. What is nested deeply is moved to `top`, and removed with that.
    static func remove(_ name: [UInt8], at directory: Descriptor, deepTo top: Descriptor) throws(SystemError) {
        var counter = 0
        try remove(name, at: directory, top: top, depth: 0, &counter)
    }

    private static func remove(
        _ name: [UInt8], at directory: Descriptor, top: Descriptor, depth: Int, _ counter: inout Int
    ) throws(SystemError) {
        do throws(SystemError) {
            try System.unlink(name: name, at: directory)
            return
        } catch {
            if error.errno == .notFound { return }
            guard error.errno == .isDirectory || error.errno == .notPermitted else { throw error }
        }
        let child = try openToChange(name, at: directory)
        try withExtendedLifetime(child) { () throws(SystemError) in
            if depth >= deepest {
                counter += 1
                return try moveUp(name, from: directory, to: top, &counter)
            }
            while true {
                let entries = try entries(child.borrowed)
                if entries.isEmpty { break }
                for entry in entries {
                    try remove(entry.name, at: child.borrowed, top: top, depth: depth + 1, &counter)
                }
            }
            try System.unlink(name: name, at: directory, isDirectory: true)
        }
    }

    /// Some of those that there are now: what was read once through a descriptor is not read again.
    private static func entries(_ directory: Descriptor) throws(SystemError) -> [DirectoryEntry] {
        let anew = try System.open(".", [.readOnly, .directory], at: directory)
        return try System.entries(in: anew.borrowed, limit: 4096)
    }

    private static func moveUp(
        _ name: [UInt8], from directory: Descriptor, to top: Descriptor, _ counter: inout Int
    ) throws(SystemError) {
        while true {
            do throws(SystemError) {
                try System.rename(name: name, at: directory, .newName, Array(".deep-\(counter)".utf8), at: top)
                return
            } catch {
                guard error.errno == .exists else { throw error }
                counter += 1
            }
        }
    }

    /// Opens a directory that is to be emptied. Whoever owns it may take its own permissions away, and give them back.
    private static func openToChange(_ name: [UInt8], at directory: Descriptor) throws(SystemError) -> SharedDescriptor
    {
        let place = try System.open(name: name, [.pathOnly, .directory], at: directory)
        if try System.status(of: place.borrowed).permissions & 0o700 != 0o700 {
            try System.changeMode("/proc/self/fd/\(place.borrowed.number)", 0o700)
        }
        return SharedDescriptor(try System.open(".", [.readOnly, .directory], at: place.borrowed))
    }

    // MARK: Copying

    /// Bytes at a time.
    private static let part = 1 << 18

    /// Copies a file's content. However long it grows meanwhile: not more than it had.
    static func copy(_ from: Descriptor, to: Descriptor, size: UInt64) throws(SystemError) {
        var rest = size
        while rest > 0 {
            let bytes = try System.read(from, most: Int(min(UInt64(part), rest)))
            if bytes.isEmpty { return }
            try System.writeAll(to, bytes)
            rest -= UInt64(bytes.count)
        }
    }

    /// Whether two files of one size say the same.
    static func isSame(_ first: Descriptor, _ second: Descriptor, size: UInt64) throws(SystemError) -> Bool {
        var offset: UInt64 = 0
        while offset < size {
            let one = try System.read(first, at: offset, most: part)
            let other = try System.read(second, at: offset, most: part)
            guard one == other, !one.isEmpty else { return false }
            offset += UInt64(one.count)
        }
        return true
    }
}
