package import JailCore

/// Applies what was changed to the workspace, or discards it. The jail does not run meanwhile.
///
/// Whatever ends this half-way, the next one who asks brings the whole of it about, or nothing of it.
package struct ReviewWork {
    package let store: ReviewStore
    /// Called after each thing that is done on the disk: a test ends the process there.
    private let onStep: () -> Void

    /// - Parameter store: locked.
    package init(_ store: ReviewStore, onStep: @escaping () -> Void = {}) {
        self.store = store
        self.onStep = onStep
    }

    // MARK: Applying

    /// - Parameters:
    ///   - changes: all that there are.
    ///   - chosen: those to be applied, which nothing is to be said against.
    package func apply(_ chosen: [Change], of changes: [Change], _ manifest: Manifest) throws(JailError) {
        let target = try ReviewStore.open(manifest)
        let upper = try store.upper()
        defer { withExtendedLifetime((target, upper)) {} }
        try Conflict.refuse(try Conflict.all(chosen, manifest, in: target.borrowed))
        let name = try attempt(.changes) { () throws(SystemError) in try Journal.stagingName() }
        var journal = Journal(state: .staging, target: manifest.source, root: manifest.root, staging: name)
        try write(journal)
        do throws(JailError) {
            let staging = try makeStaging(&journal, in: target.borrowed)
            defer { withExtendedLifetime(staging) {} }
            var work = Staging(
                staging: staging.borrowed, upper: upper.borrowed, target: target.borrowed, size: manifest.size,
                chosen: chosen, onStep: onStep)
            try stage(chosen, of: changes, manifest, &work, &journal)
            try attempt(.changes, manifest.source) { () throws(SystemError) in
                try System.synchronizeAll(on: staging.borrowed)
            }
            journal.state = .ready
            try write(journal)
        } catch {
            try recover()
            throw error
        }
        try bringToAnEnd(journal)
    }

    private func makeStaging(_ journal: inout Journal, in target: Descriptor) throws(JailError) -> SharedDescriptor {
        let name = journal.staging
        let staging = try attempt(.changes, "\(journal.target)/\(name)") { () throws(SystemError) in
            try System.makeDirectory(name, mode: 0o700, at: target)
            return SharedDescriptor(try System.open(name: Array(name.utf8), [.readOnly, .directory], at: target))
        }
        onStep()
        let status = try attempt(.changes, name) { () throws(SystemError) in try System.status(of: staging.borrowed) }
        guard status.uid == System.effectiveUserID else {
            throw JailError(.changes, path: name, reason: "somebody else has put another directory in its place")
        }
        journal.stagingInode = status.identity.inode
        try write(journal)
        return staging
    }

    private func stage(
        _ chosen: [Change], of changes: [Change], _ manifest: Manifest, _ work: inout Staging,
        _ journal: inout Journal
    ) throws(JailError) {
        let paths = Set(chosen.map(\.path))
        let tops = Dictionary(changes.filter { $0.path == $0.unit }.map { ($0.path, $0) }) { first, _ in first }
        var left: [FilePath: Int] = [:]
        for change in changes where !paths.contains(change.path) { left[change.unit, default: 0] += 1 }
        for unit in Set(chosen.map(\.unit)).sorted() {
            guard let top = tops[unit] else { continue }
            journal.steps.append(try work.stage(top, index: journal.steps.count, old: manifest.entries[unit]))
            if top.kind == .mode { continue }
            if left[unit] == nil {
                journal.prune.append(unit)
            } else {
                // A part of something new: the rest stays in the layer, beside what is in the workspace from now on.
                let parts = chosen.filter { $0.unit == unit }
                journal.prune += parts.filter { $0.after?.kind != .directory }.map(\.path)
                journal.reveal += work.directories(of: unit, parts)
            }
        }
        // Permissions last: they may keep what is below from being changed.
        journal.steps = journal.steps.filter { $0.action != .mode } + journal.steps.filter { $0.action == .mode }
    }

    // MARK: Discarding

    package func discard(_ chosen: [Change]) throws(JailError) {
        var journal = try emptyJournal()
        for change in chosen {
            if change.kind == .mode, !change.isIndivisible {
                journal.restore.append(Journal.Mode(path: change.path, mode: change.before?.permissions ?? 0))
            } else {
                journal.prune.append(change.isIndivisible ? change.unit : change.path)
            }
        }
        try discard(journal)
    }

    /// All there is, and everything that the kernel has left; whatever has become of the workspace.
    package func discardAll() throws(JailError) {
        var journal = try emptyJournal()
        journal.prune = [.root]
        try discard(journal)
    }

    private func discard(_ journal: Journal) throws(JailError) {
        try write(journal)
        try bringToAnEnd(journal)
    }

    /// Without a step on the workspace.
    private func emptyJournal() throws(JailError) -> Journal {
        let name = try attempt(.changes) { () throws(SystemError) in try Journal.stagingName() }
        return Journal(state: .done, target: "/", root: 0, staging: name)
    }

    // MARK: To the end

    package enum Recovery: Sendable { case applied, undone }

    /// Brings to an end what somebody who was killed has begun.
    ///
    /// - Returns: nil: there was nothing.
    @discardableResult package func recover() throws(JailError) -> Recovery? {
        guard let journal = try store.journal() else { return nil }
        try bringToAnEnd(journal)
        return journal.state == .ready || journal.state == .done ? .applied : .undone
    }

    private func bringToAnEnd(_ journal: Journal) throws(JailError) {
        var journal = journal
        if journal.state == .done, journal.stagingInode == 0 { return try finish(journal, target: nil) }
        let target = try ReviewStore.open(journal.target, root: journal.root)
        defer { withExtendedLifetime(target) {} }
        var failure: JailError?
        if journal.state == .ready {
            do throws(JailError) {
                try withSteps(journal, target) { (steps) throws(JailError) in try steps.perform(journal.steps) }
                journal.state = .done
            } catch {
                failure = error
                journal.state = .undo
            }
            try synchronize(target, journal)
            try write(journal)
        }
        if journal.state == .undo {
            try withSteps(journal, target) { (steps) throws(JailError) in try steps.undo(journal.steps) }
            try synchronize(target, journal)
            // Nothing of it is in the workspace any more: from here on there is only something to be removed.
            journal.state = .staging
            try write(journal)
        }
        try finish(journal, target: target.borrowed)
        if let failure { throw failure }
    }

    private func withSteps(
        _ journal: Journal, _ target: SharedDescriptor, _ body: (Steps) throws(JailError) -> Void
    ) throws(JailError) {
        guard let staging = try openStaging(journal, in: target.borrowed) else {
            throw JailError(
                .changes, path: "\(journal.target)/\(journal.staging)",
                reason: "it was removed, and with it what was to be applied or put back",
                hint: "the journal in \(store.path) says what was under way")
        }
        defer { withExtendedLifetime(staging) {} }
        try body(Steps(target: target.borrowed, staging: staging.borrowed, onStep: onStep))
    }

    private func synchronize(_ target: SharedDescriptor, _ journal: Journal) throws(JailError) {
        try attempt(.changes, journal.target) { () throws(SystemError) in
            try System.synchronizeAll(on: target.borrowed)
        }
    }

    private func write(_ journal: Journal) throws(JailError) {
        try store.write(journal)
        onStep()
    }

    /// nil: it is not there (any more).
    private func openStaging(_ journal: Journal, in target: Descriptor) throws(JailError) -> SharedDescriptor? {
        do throws(SystemError) {
            let staging = SharedDescriptor(
                try System.open(name: Array(journal.staging.utf8), [.readOnly, .directory], at: target))
            let inode = try System.status(of: staging.borrowed).identity.inode
            // It is only removed with what is in it where it is known to be ours.
            guard journal.stagingInode == 0 || inode == journal.stagingInode else {
                throw SystemError(.check, .stale)
            }
            return staging
        } catch {
            if error.errno == .notFound { return nil }
            throw JailError(.changes, error, path: "\(journal.target)/\(journal.staging)")
        }
    }

    // MARK: What is left over

    /// Removes what has changed places or was never used, and from the layer what is no change any more.
    private func finish(_ journal: Journal, target: Descriptor?) throws(JailError) {
        if let target, let staging = try openStaging(journal, in: target) {
            try attempt(.changes, "\(journal.target)/\(journal.staging)") { () throws(SystemError) in
                // One whose number nobody has written down is empty.
                if journal.stagingInode != 0 { try Tree.empty(staging.borrowed) }
                onStep()
                try System.unlink(journal.staging, at: target, isDirectory: true)
                try System.synchronize(target)
            }
            onStep()
        }
        if journal.state == .done {
            let upper = try store.upper()
            let trash = try store.trash()
            defer { withExtendedLifetime((upper, trash)) {} }
            let layer = LayerPruning(upper: upper.borrowed, trash: trash.borrowed, onStep: onStep)
            try attempt(.changes, store.path) { () throws(SystemError) in
                try layer.prune(journal)
                try System.synchronizeAll(on: upper.borrowed)
            }
        }
        try store.removeJournal()
        onStep()
    }
}
