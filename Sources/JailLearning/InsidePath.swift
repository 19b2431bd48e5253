internal import JailPolicy

/// Names of files as a program in a jail means them.
package enum InsidePath {
    /// A path from a directory, without `.`, `..` and doubled slashes. Links are not followed: it is a name to be shown, and
    /// nothing is ever opened by it.
    ///
    /// - Returns: nil where the directory is none (a socket, a file that was removed).
    package static func join(_ directory: String, _ path: String) -> String? {
        let whole = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        guard whole.hasPrefix("/"), !directory.hasSuffix(" (deleted)") || path.hasPrefix("/") else { return nil }
        var parts: [Substring] = []
        for part in whole.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// `node` of `/usr/bin/node`, where the directory is one that a profile's bare names are looked for in; else nil.
    static func programName(_ path: String) -> String? {
        let parts = path.split(separator: "/")
        guard searched.contains(parts.dropLast().joined(separator: "/")) else { return nil }
        return parts.last.map(String.init)
    }

    private static let searched: Set = [
        "bin", "sbin", "usr/bin", "usr/sbin", "usr/local/bin", "usr/local/sbin",
    ]

    /// Looked for by every program that is started, and gone without: the loader's cache, other languages and character sets.
    /// And what the numbers of the host's processes happen to be.
    static func isNoise(_ path: String) -> Bool {
        path == "/etc/ld.so.cache" || path == "/etc/ld.so.preload"
            || ["/usr/lib/locale", "/usr/share/locale", "/proc"].contains { path.isInside($0) }
            || path.split(separator: "/").dropFirst(2).contains("gconv")
    }
}

/// The directories in which one program is looked for, one after the other: one question, though each answer is a call.
package struct ProgramSearch: Sendable {
    private var name = ""
    private var paths: Set<String> = []
    /// Of a search path. Beyond that it counts as another question.
    private static let most = 64

    package init() {}

    /// Whether this place begins another search.
    package mutating func begins(_ name: String, at path: String) -> Bool {
        if self.name == name, paths.count < Self.most, paths.insert(path).inserted { return false }
        self.name = name
        paths = [path]
        return true
    }
}
