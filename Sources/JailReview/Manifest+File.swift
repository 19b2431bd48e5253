internal import JailCore

/// One line for each file.
extension Manifest {
    private static let heading = "clawjail-manifest 1"

    package var text: String {
        var text = "\(Self.heading)\n\(FilePath(bytes: Array(source.utf8)).escaped) \(root) \(size)\n"
        for (path, entry) in entries {
            text += "\(entry.words) \(path.escaped)\n"
        }
        return text + "end\n"
    }

    /// nil: it is not whole.
    package init?(_ bytes: [UInt8]) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard lines.count >= 3, lines[0] == Self.heading, lines.last == "end" else { return nil }
        let head = lines[1].split(separator: " ")
        guard head.count == 3, let source = FilePath(escaped: head[0]), let root = UInt64(head[1]),
            let size = UInt64(head[2])
        else { return nil }
        self.init(source: String(decoding: source.bytes, as: UTF8.self), root: root, size: size)
        for line in lines[2..<(lines.count - 1)] {
            let words = line.split(separator: " ")
            guard words.count == 10, let path = FilePath(escaped: words[9]), let entry = Entry(words[..<9]) else {
                return nil
            }
            entries[path] = entry
        }
    }
}

extension Manifest.Entry {
    var words: String {
        "\(String(mode, radix: 8)) \(inode) \(size) \(modified.seconds) \(modified.nanoseconds) "
            + "\(changed.seconds) \(changed.nanoseconds) \(uid) \(gid)"
    }

    init?(_ words: ArraySlice<Substring>) {
        let words = Array(words)
        guard words.count == 9, let mode = UInt32(words[0], radix: 8), let inode = UInt64(words[1]),
            let size = UInt64(words[2]),
            let modified = FileTime(words[3], words[4]), let changed = FileTime(words[5], words[6]),
            let uid = UInt32(words[7]), let gid = UInt32(words[8])
        else { return nil }
        self.mode = mode
        self.inode = inode
        self.size = size
        self.modified = modified
        self.changed = changed
        self.uid = uid
        self.gid = gid
    }
}

extension FileTime {
    init?(_ seconds: Substring, _ nanoseconds: Substring) {
        guard let seconds = Int64(seconds), let nanoseconds = Int64(nanoseconds) else { return nil }
        self.init(seconds: seconds, nanoseconds: nanoseconds)
    }
}
