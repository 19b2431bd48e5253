internal import JailCore

/// Carries out the steps of a journal, or undoes them. Each looks first whether it is done already: whoever was killed may
/// have come any far.
struct Steps {
    let target: Descriptor
    let staging: Descriptor
    /// Called after each that was carried out.
    let onStep: () -> Void

    /// - Throws: if the workspace is not what it was when the journal was written; some steps are done then.
    func perform(_ steps: [Journal.Step]) throws(JailError) {
        for step in steps { try attempt(step) { (parent) throws(SystemError) in try perform(step, parent) } }
    }

    func undo(_ steps: [Journal.Step]) throws(JailError) {
        for step in steps.reversed() { try attempt(step) { (parent) throws(SystemError) in try undo(step, parent) } }
    }

    private func attempt(
        _ step: Journal.Step, _ body: (Descriptor) throws(SystemError) -> Void
    ) throws(JailError) {
        do throws(SystemError) {
            let parent = try Tree.open(step.path.parent, below: target)
            try withExtendedLifetime(parent) { () throws(SystemError) in try body(parent.borrowed) }
        } catch {
            if error.call == .check {
                throw JailError(
                    .changes, path: step.path.shown, reason: "it was changed meanwhile", hint: "nothing was applied",
                    status: ExitStatus.refused)
            }
            throw JailError(.changes, error, path: step.path.shown)
        }
        onStep()
    }

    private func inode(_ name: [UInt8], at directory: Descriptor) throws(SystemError) -> UInt64? {
        do throws(SystemError) { return try System.status(name, at: directory).identity.inode } catch {
            if error.errno == .notFound { return nil }
            throw error
        }
    }

    // MARK: Forward

    private func perform(_ step: Journal.Step, _ parent: Descriptor) throws(SystemError) {
        let name = step.path.name
        switch step.action {
        case .put:
            if try inode(name, at: parent) == step.new { return }
            try System.rename(name: step.name, at: staging, .newName, name, at: parent)
        case .swap:
            if try inode(name, at: parent) != step.new {
                try System.rename(name: step.name, at: staging, .exchange, name, at: parent)
            }
            // What came out must be what was looked at: between the look and the exchange it may have been replaced.
            try confirm(step)
        case .remove:
            if try inode(step.name, at: staging) == nil {
                try System.rename(name: name, at: parent, .newName, step.name, at: staging)
            }
            try confirm(step)
        case .mode: try setMode(step, step.mode, parent)
        }
    }

    private func confirm(_ step: Journal.Step) throws(SystemError) {
        let status = try System.status(step.name, at: staging)
        let now = Manifest.Entry(status)
        guard let old = step.old, now.inode == old.inode, now.mode == old.mode,
            old.isDirectory || (now.size == old.size && now.modified == old.modified)
        else { throw SystemError(.check, .stale) }
    }

    private func setMode(_ step: Journal.Step, _ mode: UInt32, _ parent: Descriptor) throws(SystemError) {
        let directory = try System.open(name: step.path.name, [.readOnly, .directory], at: parent)
        guard try System.status(of: directory.borrowed).identity.inode == step.old?.inode else {
            throw SystemError(.check, .stale)
        }
        try System.changeMode(directory.borrowed, mode)
    }

    // MARK: Back

    private func undo(_ step: Journal.Step, _ parent: Descriptor) throws(SystemError) {
        let name = step.path.name
        switch step.action {
        case .put:
            if try inode(name, at: parent) == step.new {
                try System.rename(name: name, at: parent, .newName, step.name, at: staging)
            }
        case .swap:
            if try inode(name, at: parent) == step.new {
                try System.rename(name: step.name, at: staging, .exchange, name, at: parent)
            }
        case .remove:
            if try inode(step.name, at: staging) != nil {
                try System.rename(name: step.name, at: staging, .newName, name, at: parent)
            }
        case .mode: if let old = step.old { try setMode(step, old.mode & 0o7777, parent) }
        }
    }
}
