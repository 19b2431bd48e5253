internal import JailCore

/// Takes out of a layer what is in the workspace now, or shall never be. What is gone already is no error.
struct LayerPruning {
    let upper: Descriptor
    let trash: Descriptor
    let onStep: () -> Void

    func prune(_ journal: Journal) throws(SystemError) {
        for path in journal.prune {
            if path == .root { try Tree.empty(upper) } else { try remove(path) }
            onStep()
        }
        for path in journal.reveal {
            try withDirectory(path) { (directory) throws(SystemError) in
                try System.removeAttribute(OverlayMarks.opaque, of: directory)
            }
            onStep()
        }
        for mode in journal.restore {
            try withDirectory(mode.path) { (directory) throws(SystemError) in
                try System.changeMode(directory, mode.mode)
            }
            onStep()
        }
        try Tree.empty(trash)
    }

    private func remove(_ path: FilePath) throws(SystemError) {
        try withDirectory(path.parent) { (parent) throws(SystemError) in
            try Tree.remove(path.name, at: parent, deepTo: trash)
        }
    }

    private func withDirectory(
        _ path: FilePath, _ body: (Descriptor) throws(SystemError) -> Void
    ) throws(SystemError) {
        let directory: SharedDescriptor
        do throws(SystemError) { directory = try Tree.open(path, below: upper) } catch {
            if error.errno == .notFound { return }
            throw error
        }
        try withExtendedLifetime(directory) { () throws(SystemError) in try body(directory.borrowed) }
    }
}
