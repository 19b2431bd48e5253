internal import Glibc
internal import JailCore

/// Every file that the kernel would execute for this process, found by looking everywhere.
enum Programs {
    /// More than any root that is shown file by file.
    private static let mostEntries = 400_000
    private static let mostFound = 20_000
    private static let deepest = 64

    /// - Parameter unscanned: directories that are not looked into.
    /// - Returns: paths; `complete` is false if there was too much to look at.
    static func all(unscanned: [String]) -> JSON {
        var found: [JSON] = []
        var pending = [(path: "", depth: 0)]
        var seen = 0
        var isComplete = true
        while let (path, depth) = pending.popLast() {
            guard seen < mostEntries, found.count < mostFound, depth < deepest else {
                isComplete = false
                break
            }
            guard let directory = try? System.open(path.isEmpty ? "/" : path, [.readOnly, .directory, .noFollow]),
                let names = try? System.names(in: directory.borrowed)
            else { continue }
            for entry in names {
                seen += 1
                let child = "\(path)/\(entry.name)"
                guard child != "/proc", !unscanned.contains(child),
                    let status = try? System.status(child, followSymlink: false)
                else { continue }
                if status.isDirectory { pending.append((child, depth + 1)) }
                // The effective ids count, and mounts where nothing may be executed.
                if status.kind == .regular, System.mayAccess(child, X_OK) { found.append(.string(child)) }
            }
        }
        return ["complete": .boolean(isComplete), "paths": .array(found)]
    }
}
