internal import JailPlan

/// Files of state directories: one finding for each question and directory, however many files it is about.
extension HostAudit {
    @Sendable static func stateFiles(_ picture: HostPicture) -> [HostFinding] {
        picture.states.flatMap { state in
            let isOpen = state.way.end.permissions & 0o011 != 0
            let owner = state.way.end.uid
            let canMend = isMendable(state, picture)
            return StateFile.Kind.allCases.flatMap { kind in
                let files = state.files.filter { $0.kind == kind }.map(\.view)
                return modes(files, rules(kind), isReachable: isOpen, canMend: canMend)
            } + links(state) + owners(state, owner, picture)
        }
    }

    /// The severity of what is readable, where the directory above lets nobody in, is that of a second wall.
    private struct Rule {
        var check: HostCheck
        var bits: UInt32
        var severity: Severity
        var closed: Severity
    }

    private static func rules(_ kind: StateFile.Kind) -> [Rule] {
        func pair(_ writable: HostCheck, _ readable: HostCheck, _ closed: Severity) -> [Rule] {
            [
                Rule(check: writable, bits: 0o022, severity: .critical, closed: .high),
                Rule(check: readable, bits: 0o044, severity: .high, closed: closed),
            ]
        }
        func triple(_ writable: HostCheck, _ world: HostCheck, _ group: HostCheck) -> [Rule] {
            [
                Rule(check: writable, bits: 0o022, severity: .critical, closed: .high),
                Rule(check: world, bits: 0o004, severity: .high, closed: .medium),
                Rule(check: group, bits: 0o040, severity: .medium, closed: .medium),
            ]
        }
        switch kind {
        case .configuration: return triple(.configWritable, .configWorldReadable, .configGroupReadable)
        case .include: return triple(.includeWritable, .includeWorldReadable, .includeGroupReadable)
        case .authProfiles: return pair(.authWritable, .authReadable, .medium)
        case .credentials: return pair(.credentialsWritable, .credentialsReadable, .medium)
        case .variables: return pair(.variablesWritable, .variablesReadable, .medium)
        case .sessions: return pair(.sessionsWritable, .sessionsReadable, .low)
        case .database: return pair(.databaseWritable, .databaseReadable, .low)
        case .log: return pair(.logWritable, .logReadable, .low)
        }
    }

    /// Each file counts under the first rule that it breaks.
    private static func modes(
        _ files: [FileView], _ rules: [Rule], isReachable: Bool, canMend: Bool
    ) -> [HostFinding] {
        var rest = files.filter { !$0.isLink }
        return rules.compactMap { rule in
            let broken = rest.filter { $0.permissions & rule.bits != 0 }
            rest.removeAll { $0.permissions & rule.bits != 0 }
            guard let first = broken.first else { return nil }
            return HostFinding(
                rule.check, isReachable ? rule.severity : rule.closed, subject(broken),
                seen: "mode \(Set(broken.map(\.modeText)).sorted().prefix(4).joined(separator: ", "))",
                remedy: "chmod \(first.isDirectory ? "700" : "600") \(shell(broken))",
                fixes: canMend ? broken.compactMap { ModeFix($0, taking: 0o077) } : [])
        }
    }

    private static func links(_ state: StateView) -> [HostFinding] {
        let links = state.files.filter { $0.view.isLink }
        let others = links.filter { $0.kind != .configuration }.map(\.view)
        var found = links.filter { $0.kind == .configuration }.map { file in
            HostFinding(
                .configLink, .medium, file.view.path, seen: "it is a link to '\(file.view.target ?? "?")'",
                remedy: "replace the link by the file itself")
        }
        if !others.isEmpty {
            found.append(
                HostFinding(
                    .fileLink, .medium, subject(others), seen: "a link to '\(others[0].target ?? "?")'",
                    remedy: "replace the link by what it should be"))
        }
        return found
    }

    /// Root's are left from a gateway that once ran as root; they are in the way, and no danger.
    private static func owners(_ state: StateView, _ owner: UInt32, _ picture: HostPicture) -> [HostFinding] {
        let strange = state.files.map(\.view).filter { $0.uid != owner && $0.uid != 0 }
        guard let first = strange.first else { return [] }
        let name = picture.userName(owner)
        return [
            HostFinding(
                .fileOwner, .high, subject(strange),
                seen: "it belongs to \(picture.userName(first.uid)), not to \(name)",
                remedy: "sudo chown \(name.quotedForShell) \(shell(strange))")
        ]
    }

    // MARK: Logs outside of the state directory

    @Sendable static func logDirectories(_ picture: HostPicture) -> [HostFinding] {
        picture.logs.flatMap { log -> [HostFinding] in
            let users = Set(picture.gateways.map(\.uid)).union([0])
            let view = log.directory
            var why: String?
            if view.isLink {
                why = "it is a link to '\(view.target ?? "?")'"
            } else if !view.isDirectory {
                why = "it is no directory"
            } else if view.permissions & 0o077 != 0 {
                why = "its mode is \(view.modeText)"
            } else if !picture.gateways.isEmpty, !users.contains(view.uid) {
                why = "it belongs to \(picture.userName(view.uid)), whom no gateway runs as"
            }
            let files = modes(
                log.files, rules(.log), isReachable: view.permissions & 0o011 != 0,
                canMend: view.uid == picture.callerUID)
            guard let why else { return files }
            let isBad = view.isLink || view.isGroupWritable || view.isWorldWritable || !view.isDirectory
            return [
                HostFinding(
                    .logDirectory, isBad ? .high : .medium, view.path, seen: why,
                    remedy: "chmod 700 \(view.path.quotedForShell), or remove it and start the gateway anew",
                    fixes: [ModeFix(view, taking: 0o077)].compactMap(\.self))
            ] + files
        }
    }

    // MARK: Words

    static func subject(_ views: [FileView]) -> String {
        guard let first = views.first else { return "" }
        return views.count == 1 ? first.path : "\(first.path) and \(views.count - 1) more"
    }

    /// As many as fit on a line.
    static func shell(_ views: [FileView]) -> String {
        views.prefix(4).map(\.path.quotedForShell).joined(separator: " ") + (views.count > 4 ? " …" : "")
    }
}
