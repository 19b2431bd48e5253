internal import JailCore
internal import JailHost

/// State directories: where they are, and which files of theirs have a meaning.
extension HostPicture {
    mutating func gatherStates(_ request: AuditRequest, _ view: HostView) {
        var seen: Set<String> = []
        for path in statePaths(request, view) where seen.insert(path).inserted {
            guard let way = view.way(path), let named = view.view(path), way.end.isDirectory,
                way.end.path == path || seen.insert(way.canonical).inserted
            else { continue }
            var state = StateView(way: way, named: named)
            StateWalk(view: view, root: way.canonical).fill(&state)
            let elsewhere = surroundings.first { $0.stateDirectory == path }?.configuration
            ConfigurationGathering(view: view, root: way.canonical, owner: way.end.uid).fill(&state, elsewhere)
            state.syncMarks = syncMarks(way, view)
            states.append(state)
        }
    }

    /// What the caller names, what gateways and units say, what lies in homes, and the data of jails.
    private func statePaths(_ request: AuditRequest, _ view: HostView) -> [String] {
        var paths = request.directories
        if let own = request.ownStateDirectory { paths.append(own) }
        // A process can say of its own directories only: who else's it names is not its to choose.
        for surroundings in surroundings {
            guard let path = surroundings.stateDirectory, Paths.isCanonicalText(path) else { continue }
            if case .found(let found) = view.look(path), found.uid == surroundings.uid { paths.append(path) }
        }
        for unit in units where !unit.isOfUser {
            for word in unit.values("Environment").flatMap(\.unitWords) where word.hasPrefix("OPENCLAW_STATE_DIR=/") {
                paths.append(String(word.dropFirst("OPENCLAW_STATE_DIR=".count)))
            }
        }
        for home in homes(request) {
            switch view.look(home) {
            case .found(let found) where found.isDirectory || found.isLink: break
            default: continue
            }
            paths += (view.namesThatMayBeClosed(home) ?? []).filter {
                $0 == ".openclaw" || $0.hasPrefix(".openclaw-")
            }.map { Paths.join(home, $0) }
        }
        for jail in jails { paths += jail.data.map(stateWithin(view)) ?? [] }
        return paths.filter(Paths.isCanonicalText)
    }

    /// A jail's data is the state itself, or has it in it.
    private func stateWithin(_ view: HostView) -> (String) -> [String] {
        { data in
            [data, "\(data)/openclaw", "\(data)/.openclaw"].filter {
                if case .found = view.look("\($0)/openclaw.json") { true } else { false }
            }
        }
    }

    // MARK: Copies elsewhere

    private static let services = [
        "dropbox", "onedrive", "icloud", "google drive", "googledrive", "syncthing", "nextcloud", "owncloud", "pcloud",
        "mobile documents",
    ]
    private static let marks = [".stfolder", ".dropbox", ".dropbox.cache", ".nextcloudsync.log", ".sync"]

    private func syncMarks(_ way: Way, _ view: HostView) -> [String] {
        let directories = way.directories + [way.end]
        let names = directories.map(\.path.lastComponent).filter { name in
            let name = name.lowercased()
            return Self.services.contains { name.hasPrefix($0) }
        }
        let found = directories.dropFirst().flatMap { directory in
            Self.marks.map { Paths.join(directory.path, $0) }.filter {
                if case .found = view.look($0) { true } else { false }
            }
        }
        return names + found
    }

    // MARK: Logs

    /// `/tmp/openclaw`, and what it is called where that one was taken.
    mutating func gatherLogs(_ view: HostView) {
        let names = (view.names("/tmp") ?? []).filter { name in
            name == "openclaw" || (name.hasPrefix("openclaw-") && UInt32(name.dropFirst(9)) != nil)
        }
        for name in names {
            guard let directory = view.view("/tmp/\(name)") else { continue }
            let files = directory.isDirectory ? view.namesThatMayBeClosed(directory.path) ?? [] : []
            logs.append(
                (directory, files.filter { $0.hasSuffix(".log") }.compactMap { view.view("\(directory.path)/\($0)") }))
        }
    }

    // MARK: Backups

    /// The newest snapshot of any jail's data, and timers that make them.
    mutating func gatherBackups(_ view: HostView) {
        let service = (view.names("/var/lib") ?? []).filter { $0.hasPrefix("clawjail-") }.map { "/var/lib/\($0)" }
        let homes = homes().map { Paths.join($0, ".local/state/clawjail") }
        for base in ["/var/lib/clawjail"] + service + homes {
            guard case .found = view.look("\(base)/snapshots") else { continue }
            for jail in (view.names("\(base)/snapshots") ?? []).prefix(256) {
                let directory = "\(base)/snapshots/\(jail)"
                // A snapshot is called by the time at which it was made.
                let newest = (view.names(directory) ?? []).last { $0.hasSuffix(".json") }
                guard let newest, let time = ConfigurationGathering.time(view, "\(directory)/\(newest)") else {
                    continue
                }
                lastBackup = max(lastBackup ?? 0, min(time, now))
            }
        }
    }
}
