internal import JailCore
internal import JailHost
internal import JailPolicy

/// Jails of clawjail's, by their run directories.
struct JailGathering {
    let view: HostView
    let accounts: [HostPicture.Account]

    /// State files are a few kilobytes.
    private static let stateLimit = 1 << 16
    private static let mostJails = 1024

    func jails() -> [JailView] {
        let places = bases.flatMap { base in
            (view.names(base) ?? []).filter { !$0.hasPrefix(".") }.map { (name: $0, path: Paths.join(base, $0)) }
        }
        if places.count > Self.mostJails { view.remember("only \(Self.mostJails) run directories were looked at") }
        return places.prefix(Self.mostJails).compactMap { jail($0.name, $0.path) }
    }

    /// Root's, those that root has made for services, and those of ordinary users.
    private var bases: [String] {
        let service = (view.names("/run") ?? []).filter { $0.hasPrefix("clawjail-") }.map { "/run/\($0)" }
        let users = (view.names("/run/user") ?? []).map { "/run/user/\($0)/clawjail" }
        let bare = accounts.map { "/tmp/clawjail-\($0.uid)" }
        return (["/run/clawjail"] + service + users + bare).filter { path in
            if case .found(let found) = view.look(path) { return found.isDirectory }
            // Only those that are there are worth a word.
            if case .refused(let errno) = view.look(path) { view.cannotLook("'\(path.printable)' (\(errno))") }
            return false
        }
    }

    private func jail(_ name: String, _ path: String) -> JailView? {
        guard case .found(let directory) = view.look(path), directory.isDirectory,
            let bytes = view.read("\(path)/state.json", limit: Self.stateLimit)?.bytes,
            let value = try? JSON5Reader.read(bytes, file: name),
            let supervisor = value["supervisor"]?.integer.flatMap({ Int32(exactly: $0) }),
            let initPID = value["init"]?.integer.flatMap({ Int32(exactly: $0) })
        else { return nil }
        var jail = JailView(
            name: name, profile: value["profile"]?.text ?? "?", supervisor: supervisor, initPID: initPID,
            uid: directory.uid)
        if let data = value["data"], data["image"]?.isTrue != true { jail.data = data["source"]?.text }
        return jail
    }
}
