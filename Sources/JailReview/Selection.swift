package import JailCore

/// Which of the changes are meant.
package struct Selection: Sendable {
    /// What is said of each; empty: all of them.
    package var paths: [FilePath] = []
    /// Also what programs of the host's may execute, without naming it.
    package var takesRunnable = false
    /// Also links that lead out of the workspace.
    package var takesLinks = false

    package init(paths: [FilePath]) { self.paths = paths }

    /// In the order of the paths.
    ///
    /// - Throws: if a path is none of a change, or only a part of what is one.
    package func choose(from changes: [Change]) throws(JailError) -> [Change] {
        guard !paths.isEmpty else { return changes }
        for path in paths where !changes.contains(where: { $0.path.isWithin(path) }) {
            throw JailError(
                .changes, path: path.shown, reason: "nothing was changed there", status: ExitStatus.notThere)
        }
        let chosen = changes.filter { change in paths.contains { change.path.isWithin($0) } }
        // A directory that replaces another one hides all of that: a part of it has no meaning by itself.
        for change in chosen where change.isIndivisible && !paths.contains(where: { change.unit.isWithin($0) }) {
            throw JailError(
                .changes, path: change.path.shown,
                reason: "it is a part of '\(change.unit.shown)', which was replaced or removed as a whole",
                hint: "name that")
        }
        return chosen
    }

    /// Why a part of what was chosen is not applied.
    package func refuse(_ chosen: [Change]) throws(JailError) {
        let refused = chosen.filter { $0.refusal != nil }
        if let first = refused.first, let reason = first.refusal {
            throw refusal(refused, reason, hint: "leave it out by naming other paths, or discard it")
        }
        if !takesLinks, let first = chosen.first(where: \.leadsOut) {
            throw refusal(
                [first] + chosen.filter { $0.leadsOut && $0.path != first.path }, "it is a link that leads elsewhere",
                hint: "look at it, and add --links")
        }
        let unseen = chosen.filter { change in
            change.runsOnHost != nil && !takesRunnable && !paths.contains(change.path)
        }
        if let first = unseen.first, let reason = first.runsOnHost {
            throw refusal(unseen, "it runs on the host: \(reason)", hint: "look at it, and name it or add --all")
        }
    }

    private func refusal(_ changes: [Change], _ reason: String, hint: String) -> JailError {
        let more = changes.count > 1 ? " (and \(changes.count - 1) more)" : ""
        return JailError(
            .changes, path: changes[0].path.shown, reason: reason + more, hint: hint, status: ExitStatus.refused)
    }
}
