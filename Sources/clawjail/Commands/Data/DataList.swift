import ArgumentParser
import JailCore
import JailData

struct DataList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the snapshots of a jail, the oldest first. Times are UTC.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Flag(help: "Print them as JSON, one on a line.") var json = false

    mutating func run() {
        do throws(JailError) {
            let (snapshots, unreadable) = try DataTarget.store(name).all()
            for id in unreadable { Output.say("the manifest of snapshot '\(id)' cannot be read") }
            if json { return try Output.print(snapshots.map { $0.json.text() + "\n" }.joined()) }
            let rows = snapshots.map { snapshot in
                [
                    snapshot.id, UTCTime.shown(snapshot.time), "\(snapshot.size)",
                    snapshot.isConsistent ? "yes" : "no",
                    (snapshot.reason ?? snapshot.inconsistency ?? "-").printable,
                ]
            }
            try Output.print(Table.text([["ID", "TIME", "BYTES", "CONSISTENT", "WHY"]] + rows))
        } catch { Output.fail(error) }
    }
}
