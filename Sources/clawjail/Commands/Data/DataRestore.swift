import ArgumentParser
import JailCore
import JailData
import JailLaunch

struct DataRestore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Put a snapshot in the place of a jail's /data.",
        discussion: """
            The jail must not run, and is not started meanwhile. Of what is there a snapshot is made first; if that fails, \
            nothing is changed. Whatever ends this half-way, the old or the new state is there as a whole.
            """)

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "The snapshot's id, as 'clawjail data list' shows it.") var id: String

    @Option(
        name: [.short, .long], help: "The jail's profile, if that names a place of its own for the data.",
        completion: .profiles)
    var profile: String?

    mutating func run() {
        do throws(JailError) { try restore() } catch { Output.fail(error) }
    }

    private func restore() throws(JailError) {
        let store = try DataTarget.store(name)
        try store.takeLock()
        let snapshot = try store.snapshot(id)
        let seat = try RunDirectory.reserve(name, in: RunningJail.directory())
        let saved: SnapshotManifest?
        do throws(JailError) {
            let state = try DataTarget.directory("")
            try LockdownMarker.check(name, in: String(state.dropLast()))
            // What a dead supervisor has left is gone by now: whatever is there is where the profile says.
            let target = try DataTarget.find(name, profile: profile, isReserved: true)
            saved = try JailRecord.around(name, .data, ("restore", "restored"), [("snapshot", .string(snapshot.id))]) {
                () throws(JailError) in
                let saved = try target.restore(snapshot, from: store)
                return (saved, [("before", .optional(saved?.id))])
            }
        } catch {
            seat.remove()
            throw error
        }
        seat.remove()
        try Output.print(
            "restored \(snapshot.id)" + (saved.map { "; what was there before is snapshot \($0.id)" } ?? ""))
    }
}
