internal import JailCore
internal import JailHost

/// Looks through one state directory, to a bounded depth, and through no link.
struct StateWalk {
    let view: HostView
    /// Canonical.
    let root: String

    static let mostEntries = 50_000
    static let deepest = 8
    /// Code, caches and what agents make: not what the gateway keeps.
    private static let skipped: Set<String> = [
        "node_modules", ".git", "extensions", "sandboxes", "media", "cache", "browser", "tmp", "canvas", "skills",
    ]

    func fill(_ state: inout StateView) {
        var pending: [[String]] = [[]]
        var left = Self.mostEntries
        while let parts = pending.popLast() {
            let directory = ([root] + parts).joined(separator: "/")
            for name in view.namesThatMayBeClosed(directory) ?? [] {
                left -= 1
                guard left >= 0 else {
                    return view.remember("of '\(root.printable)' only \(Self.mostEntries) files were looked at")
                }
                let path = parts + [name]
                guard let found = view.view("\(directory)/\(name)") else { continue }
                if let kind = Self.kind(path, found) { state.files.append(StateFile(kind, found)) }
                if path == ["extensions"], found.isDirectory {
                    state.hasExtensions = view.namesThatMayBeClosed("\(directory)/\(name)")?.isEmpty == false
                }
                guard found.isDirectory, Self.isWorthwhile(path) else { continue }
                if path.count < Self.deepest {
                    pending.append(path)
                } else {
                    view.remember("'\(root.printable)' is deeper than \(Self.deepest) directories")
                }
            }
        }
    }

    /// Of a workspace only what lies at its top.
    private static func isWorthwhile(_ path: [String]) -> Bool {
        guard let name = path.last, !skipped.contains(name) else { return false }
        return path.count == 1 || !path[0].hasPrefix("workspace")
    }

    /// What a file is kept for, by where it lies and what it is called.
    static func kind(_ path: [String], _ found: FileView) -> StateFile.Kind? {
        guard let name = path.last else { return nil }
        if name == ".env" || name.hasPrefix(".env.") { return .variables }
        if path[0].hasPrefix("workspace") { return nil }
        if path.count == 1, name.hasPrefix("openclaw.json") { return .configuration }
        if path[0] == "credentials" || path[0] == "identity" || path[0] == "devices" { return .credentials }
        if name.hasPrefix("auth-profiles") || name == "auth.json" || name.hasPrefix("openclaw-agent.sqlite") {
            return .authProfiles
        }
        if name.contains(".sqlite") || name.hasSuffix(".db") || path == ["state"] { return .database }
        if path.contains("sessions") { return .sessions }
        if path[0] == "logs" || name.hasSuffix(".log") { return .log }
        // In the place of a directory of OpenClaw's.
        return path == ["agents"] && found.isLink ? .sessions : nil
    }
}

extension HostView {
    /// As ``names(_:limit:)``, of a directory that somebody else may have put there: no link is followed.
    func namesThatMayBeClosed(_ path: String) -> [String]? {
        guard case .found(let found) = look(path), found.isDirectory else { return nil }
        return names(path)
    }
}
