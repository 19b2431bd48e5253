/// Paths as plain text: absolute, `/`-separated, compared component by component. Nothing here asks the kernel.
package enum Paths {
    /// The components between the slashes, without empty ones and `.`; `..` is kept.
    package static func components(_ path: String) -> [Substring] {
        // By bytes: characters would be looked up in Unicode's tables.
        path.utf8.split(separator: 0x2F).compactMap { $0.elementsEqual([0x2E]) ? nil : Substring($0) }
    }

    /// The directory above; of `/` and `/x`, it is `/`.
    package static func parent(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }

    package static func lastComponent(_ path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: 0x2F) else { return path }
        return String(path[path.utf8.index(after: slash)...])
    }

    package static func join(_ directory: String, _ name: some StringProtocol) -> String {
        directory == "/" || directory.isEmpty ? "/" + name : directory + "/" + name
    }

    /// Absolute, and written in its one way: no `//`, `.`, `..`, no slash at the end.
    package static func isCanonicalText(_ path: String) -> Bool {
        guard path.utf8.first == 0x2F, !path.utf8.contains(0) else { return false }
        if path == "/" { return true }
        return path.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false).allSatisfy {
            !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8)
        }
    }

    /// `path`, seen from `directory` if it is relative; `.` and `..` are left for whoever resolves it.
    package static func absolute(_ path: String, from directory: String) -> String {
        path.utf8.first == 0x2F ? path : join(directory, path)
    }
}
