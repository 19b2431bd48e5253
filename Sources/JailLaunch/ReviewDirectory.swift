internal import JailCore
internal import JailPlan
internal import JailReview

/// What is kept of a workspace whose changes are to be reviewed, made ready for a start.
enum ReviewDirectory {
    /// Brings an unfinished `apply` to its end, makes the layer, looks at the workspace, and records in the plan which layer
    /// it is. The name of the jail is this process's: no other overlay is on the layer, and nobody else applies it.
    static func prepare(_ plan: inout LaunchPlan) throws(JailError) {
        guard let review = plan.review else { return }
        try attempt(.changes, review.directory) { () throws(SystemError) in try PrivateDirectory.make(review.directory)
        }
        let store = try ReviewStore(review.directory)
        try store.takeLock()
        try ReviewWork(store).recover()
        let workspace = try open(review.source)
        defer { withExtendedLifetime(workspace) {} }
        let status = try attempt(.changes, review.source) { () throws(SystemError) in
            try System.status(of: workspace.borrowed)
        }
        let layer = try attempt(.changes, review.layer) { () throws(SystemError) in
            try makeLayer(review, like: status, for: plan.identity)
        }
        try record(layer, in: &plan)
        try look(review, at: workspace.borrowed, store)
    }

    private static func open(_ path: String) throws(JailError) -> SharedDescriptor {
        try attempt(.changes, path) { () throws(SystemError) in
            SharedDescriptor(try System.open(path, [.readOnly, .directory], resolve: [.noSymlinks, .noMagicLinks]))
        }
    }

    // MARK: The layer

    /// The payload's own, as whom init makes the overlay: it writes there with that user's rights. What lies around it is
    /// only the caller's.
    private static func makeLayer(
        _ review: ReviewPlan, like workspace: FileStatus, for identity: IdentityPlan
    ) throws(SystemError) -> FileStatus {
        try make(review.layer, mode: 0o700, identity)
        // What the workspace itself looks like inside is what this one looks like.
        try make("\(review.layer)/\(OverlayPlan.upper)", mode: workspace.permissions & 0o777 | 0o700, identity)
        try make("\(review.layer)/\(OverlayPlan.work)", mode: 0o700, identity)
        return try System.status(review.layer)
    }

    private static func make(_ path: String, mode: UInt32, _ identity: IdentityPlan) throws(SystemError) {
        do throws(SystemError) { try System.makeDirectory(path, mode: 0o700) } catch {
            // Somebody who was killed has made it, and nobody but the caller and the payload can have changed it since.
            guard error.errno == .exists else { throw error }
        }
        let place = try System.open(path, [.pathOnly, .directory, .noFollow])
        let status = try System.status(of: place.borrowed)
        // The payload may have taken its own permissions for the workspace away.
        if status.permissions != mode { try System.changeMode("/proc/self/fd/\(place.borrowed.number)", mode) }
        let directory = try System.open(".", [.readOnly, .directory], at: place.borrowed)
        if identity.startedByRoot, status.uid != identity.host.uid || status.gid != identity.host.gid {
            guard try System.names(in: directory.borrowed, limit: 1).isEmpty else {
                throw SystemError(.check, .notPermitted)
            }
            try System.changeOwner(directory.borrowed, uid: identity.host.uid, gid: identity.host.gid)
        }
        // What the overlay notes on files needs a file system that keeps such notes.
        try System.setAttribute("user.clawjail", [], of: directory.borrowed)
        try System.removeAttribute("user.clawjail", of: directory.borrowed)
    }

    private static func record(_ layer: FileStatus, in plan: inout LaunchPlan) throws(JailError) {
        for index in plan.mounts.indices {
            guard case .overlay(var overlay) = plan.mounts[index] else { continue }
            overlay.layerIdentity = layer.identity
            plan.mounts[index] = .overlay(overlay)
        }
    }

    // MARK: The manifest

    /// What was changed already keeps the manifest that it was changed from.
    private static func look(
        _ review: ReviewPlan, at workspace: Descriptor, _ store: ReviewStore
    ) throws(JailError) {
        var manifest = try Manifest.take(of: workspace, source: review.source, size: review.size)
        let upper = try store.upper()
        defer { withExtendedLifetime(upper) {} }
        if let earlier = try store.manifest() {
            guard earlier.source == manifest.source, earlier.root == manifest.root else {
                let isEmpty = try attempt(.changes, store.path) { () throws(SystemError) in
                    try System.names(in: upper.borrowed, limit: 1).isEmpty
                }
                guard isEmpty else {
                    throw JailError(
                        .changes, path: review.source,
                        reason: "there are changes of another directory, '\(earlier.source.printable)'",
                        hint: "apply or discard them, or give the jail another name", status: ExitStatus.configuration)
                }
                return try store.write(manifest)
            }
            let changes = try UpperTree.changes(upper.borrowed, over: workspace, size: review.size)
            manifest = manifest.keeping(earlier, of: changes)
        }
        try store.write(manifest)
    }
}
