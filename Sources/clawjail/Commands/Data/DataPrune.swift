import ArgumentParser
import JailCore
import JailData

struct DataPrune: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Remove old snapshots of a jail.",
        discussion: "What one of the options keeps, stays, and the newest snapshot always does.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Option(help: ArgumentHelp("Keep the newest so many.", valueName: "number")) var keep: Int?

    @Option(help: ArgumentHelp("Keep those that are not older than so many days.", valueName: "number"))
    var days: Int?

    @Flag(help: "Only say which would go.") var dryRun = false

    mutating func run() {
        do throws(JailError) {
            guard keep != nil || days != nil else {
                throw JailError(.usage, reason: "nothing says what stays", hint: "give --keep, --days or both")
            }
            guard (keep ?? 1) >= 1, (0...36_500).contains(days ?? 0) else {
                throw JailError(.usage, reason: "--keep must be 1 at least, and --days from 0 to 36500")
            }
            let store = try DataTarget.store(name)
            try store.takeLock()
            let outdated = Retention(most: keep, days: days)
                .outdated(try store.all().snapshots, now: System.realtimeSeconds())
            for snapshot in outdated {
                if !dryRun { try store.remove(snapshot) }
                try Output.print("\(dryRun ? "would remove" : "removed") \(snapshot.id)")
            }
        } catch { Output.fail(error) }
    }
}
