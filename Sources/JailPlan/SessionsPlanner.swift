internal import JailCore
internal import JailPolicy

/// Which sessions a jail may ask for: the profile's key, held against what the jail is shown.
struct SessionsPlanner {
    let rules: SessionRules
    /// The profile that the rules name, as it was loaded.
    let profile: Profile?
    let mounts: [MountStep]
    let data: DataPlan?
    /// Where clawjail itself is inside.
    let program: String

    func plan() throws(JailError) -> SessionsPlan {
        guard let profile else {
            throw JailError(.plan, reason: "the profile '\(rules.profile)' of sessions.profile was not loaded")
        }
        guard profile.sessions == nil else {
            throw JailError(
                .plan, reason: "sessions.profile names '\(profile.name)', which has 'sessions' itself",
                hint: "name a profile without that key, such as \"session\"")
        }
        var roots: [SessionsPlan.Root] = []
        for root in rules.workspaces { roots.append(try plan(root)) }
        let bound = profile.secrets.names
        if let name = rules.secrets.first(where: { !bound.contains($0) }) {
            throw JailError(
                .plan, reason: "sessions.secrets names '\(name)', and profile '\(profile.name)' does not bind it",
                hint: "bind it in 'secrets' of that profile, or take it out")
        }
        return SessionsPlan(
            profile: profile, roots: roots, most: Int(clamping: rules.most), secrets: rules.secrets, program: program)
    }

    private func plan(_ root: SessionRoot) throws(JailError) -> SessionsPlan.Root {
        guard let bind = bind(around: root.path) else {
            throw refusal(
                root, "the jail shows no directory of the host there",
                hint: "name something in /data, /workspace, or of filesystem.read or filesystem.write")
        }
        if bind.purpose == .data, let data, data.enforcement != .watched {
            throw refusal(
                root, "the jail's data is an image, which nothing outside can look into",
                hint: "take mustEnforceSize out of filesystem.data, or name another directory")
        }
        // What one may only read, one cannot have written by another.
        if bind.attributes.contains(.readOnly), !root.readOnly {
            throw refusal(root, "the jail itself may only read there", hint: "write \"\(root.path):ro\"")
        }
        // There the host's files are others than those that the jail sees.
        if let hidden = mounts.first(where: { $0.path.isBelow(root.path) }) {
            throw refusal(
                root, "something else is shown in it, at '\(hidden.path)'", hint: "name a directory beside it")
        }
        return SessionsPlan.Root(
            path: root.path, mount: bind.target, source: bind.source,
            below: root.path.remainder(below: bind.target), readOnly: root.readOnly)
    }

    /// The directory of the host that is seen at a path; nil if it is something else that is seen there.
    private func bind(around path: String) -> BindPlan? {
        let around = mounts.filter { step in
            // What is bound on itself shows what is there without it.
            if case .pin = step { return false }
            return step.path == path || path.isBelow(step.path)
        }
        // The deepest one, and of two at the same place the later one.
        let deepest = around.max { $0.path.utf8.count < $1.path.utf8.count }
        guard let deepest, case .bind(let bind)? = around.last(where: { $0.path == deepest.path }), bind.isDirectory,
            [.read, .write, .data, .workspace].contains(bind.purpose)
        else { return nil }
        return bind
    }

    private func refusal(_ root: SessionRoot, _ reason: String, hint: String) -> JailError {
        JailError(.plan, path: root.path, reason: "sessions.workspaces names it, and \(reason)", hint: hint)
    }
}
