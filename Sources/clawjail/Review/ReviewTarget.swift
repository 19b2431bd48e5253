import JailCore
import JailHost
import JailLaunch
import JailPlan
import JailPolicy
import JailReview

/// The workspace of a jail, whose changes are to be reviewed.
struct ReviewTarget {
    let name: String
    let store: ReviewStore
    private let state: String

    init(_ name: String) throws(JailError) {
        if SessionsInside.isInside {
            throw JailError(.usage, reason: "a jail cannot review its own changes", status: ExitStatus.refused)
        }
        let address = try JailAddress(name)
        guard address.gateway == nil else {
            throw JailError(.usage, reason: "'\(name)' is a session of a jail, and has no changes of its own")
        }
        let request = try HostRequest.fromEnvironment(profile: Profile(name: ""), command: [])
        state = request.stateDirectory(try CallerFacts.current())
        self.name = name
        store = try ReviewStore("\(state)/\(ReviewPlan.directoryName)/\(name)")
    }

    // MARK: What there is

    struct Found {
        var changes: [Change]
        var conflicts: [Conflict]
        var manifest: Manifest
        /// The layer, and the workspace.
        var upper: SharedDescriptor
        var lower: SharedDescriptor
    }

    func find() throws(JailError) -> Found {
        guard let manifest = try store.manifest() else {
            throw JailError(
                .changes, path: store.path, reason: "jail '\(name)' has not been started with it",
                status: ExitStatus.notThere)
        }
        let lower = try ReviewStore.open(manifest)
        let upper = try store.upper()
        defer { withExtendedLifetime((lower, upper)) {} }
        let changes = try UpperTree.changes(upper.borrowed, over: lower.borrowed, size: manifest.size)
        return Found(
            changes: changes, conflicts: try Conflict.all(changes, manifest, in: lower.borrowed), manifest: manifest,
            upper: upper, lower: lower)
    }

    // MARK: Who else is at it

    /// Does something while the jail does not run, and cannot be started.
    func alone(_ body: (ReviewWork) throws(JailError) -> Void) throws(JailError) {
        if let subject = try lockdown() {
            throw JailError(
                .changes, reason: "jail '\(name)' is locked down, and what it has changed stays as it is",
                hint: "once it is clear what happened: clawjail unlock \(subject.shown) --reason TEXT",
                status: ExitStatus.refused)
        }
        let seat = try RunDirectory.reserve(name, in: RunningJail.directory())
        do throws(JailError) {
            try store.takeLock()
            let work = ReviewWork(store)
            if let recovery = try work.recover() {
                Output.say(
                    recovery == .applied
                        ? "what was begun before has been brought to its end" : "what was begun before has been undone")
            }
            try body(work)
        } catch {
            seat.remove()
            throw error
        }
        seat.remove()
    }

    /// Does something of that kind, and has the jail's log say so before and after. What cannot be recorded is not done.
    func record(
        _ action: (begins: String, done: String), _ changes: [Change], _ body: () throws(JailError) -> Void
    ) throws(JailError) {
        let paths = changes.prefix(Self.mostRecorded).map { "\($0.kind.letter) \($0.path.shown)" }
        try JailRecord.around(
            name, .changes, action, [("count", .number(changes.count)), ("paths", .strings(paths))]
        ) { () throws(JailError) in
            try body()
            return ((), [])
        }
    }

    /// Paths that are named in a record; of more the count says it.
    private static let mostRecorded = 256

    /// What keeps the jail from being started; nil: nothing.
    private func lockdown() throws(JailError) -> LockdownMarker.Subject? {
        for subject in [LockdownMarker.Subject.all, .jail(name)] {
            if try LockdownMarker.read(subject, in: state) != nil { return subject }
        }
        return nil
    }

    /// To look, also while the jail runs: then it may be changing things at this moment.
    func look() throws(JailError) -> Found {
        if case .running = try JailAddress(name).presence {
            Output.say("jail '\(name)' runs: this is what there is at the moment")
            return try find()
        }
        var found: Found?
        // A locked one is looked at as it is, too.
        if try lockdown() != nil { return try find() }
        try alone { (_) throws(JailError) in found = try find() }
        guard let found else { throw JailError(.changes, reason: "it cannot be looked at") }
        return found
    }
}
