import ArgumentParser
import JailCore
import JailData
import JailLaunch
import JailPolicy

struct DataSnapshot: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "Make a snapshot of a jail's /data.",
        discussion: """
            A jail that runs stands still meanwhile. Where it cannot, the snapshot says that it may not be what any one \
            moment has seen.
            """)

    @Argument(help: "The jail's name; it need not run.", completion: .jails) var name: String

    @Option(
        name: [.short, .long],
        help: "Of a jail that does not run: its profile, if that names a place of its own for the data.",
        completion: .profiles)
    var profile: String?

    @Flag(help: "Fail, and keep nothing, where the jail cannot stand still.") var consistent = false

    @Flag(help: "Let a running jail go on.") var noPause = false

    mutating func run() {
        do throws(JailError) {
            let store = try DataTarget.store(name)
            try store.takeLock()
            let made = try DataSaving(name: name, profile: profile, mayPause: !noPause, mustRest: consistent).save(
                store)
            try JailRecord.snapshot(SnapshotNote(id: made.id, isConsistent: made.isConsistent), of: name)
            if let doubt = made.inconsistency { Output.say("not consistent: \(doubt)") }
            try Output.print(
                "\(made.id): \(made.size) bytes, \(made.isConsistent ? "consistent" : "not consistent"), "
                    + "SHA-256 \(made.checksum)")
        } catch { Output.fail(error) }
    }
}

/// One snapshot, of a jail that runs or does not.
struct DataSaving {
    let name: String
    let profile: String?
    let mayPause: Bool
    let mustRest: Bool

    func save(_ store: SnapshotStore) throws(JailError) -> SnapshotManifest {
        let target = try DataTarget.find(name, profile: profile)
        guard target.running != nil || target.isWaiting else {
            return try save(target, store, doubt: nil) {
                target.isRunning ? "the jail was started while it was read" : nil
            }
        }
        guard mayPause else { return try save(target, store, doubt: "the jail was not to be paused") { nil } }
        let (hold, refusal) = try JailHold.take(name)
        guard let hold else { return try save(target, store, doubt: refusal) { nil } }
        let made: SnapshotManifest
        do throws(JailError) {
            made = try save(target, store, doubt: nil) { hold.holds ? nil : "the jail went on while it was read" }
        } catch {
            try hold.end()
            throw error
        }
        try hold.end()
        return made
    }

    private func save(
        _ target: DataTarget, _ store: SnapshotStore, doubt: String?, afterwards: () -> String?
    ) throws(JailError) -> SnapshotManifest {
        if let doubt { try refuse(doubt) }
        guard let tree = try target.open() else {
            throw JailError(
                .data, path: target.place.path, reason: "there is nothing to save", status: ExitStatus.notThere)
        }
        defer { withExtendedLifetime(tree) {} }
        let made = try store.make(of: tree.borrowed, path: target.place.path, profile: target.profile) {
            SnapshotStore.Rest(doubt: doubt ?? afterwards())
        }
        if let doubt = made.inconsistency, mustRest {
            try store.remove(made)
            try refuse(doubt)
        }
        return made
    }

    private func refuse(_ doubt: String) throws(JailError) {
        guard mustRest else { return }
        throw JailError(
            .data, reason: "it would not be consistent: \(doubt)", hint: "stop the jail, or take --consistent away",
            status: ExitStatus.refused)
    }
}
