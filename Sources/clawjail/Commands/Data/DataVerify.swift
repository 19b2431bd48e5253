import ArgumentParser
import JailCore
import JailData

struct DataVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Look whether snapshots are what they were when they were made.",
        discussion: "Exit status 1: one of them is changed, cut off, missing, or cannot be read.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "The snapshot's id; without one, all of them.") var id: String?

    mutating func run() {
        do throws(JailError) {
            let store = try DataTarget.store(name)
            var (snapshots, unreadable) = try store.all()
            if let id {
                snapshots = [try store.snapshot(id)]
                unreadable = []
            }
            var lines = unreadable.map { "\($0): its manifest cannot be read" }
            var isGood = unreadable.isEmpty
            for snapshot in snapshots {
                do throws(JailError) {
                    _ = try store.open(snapshot, as: DataOwner.reader)
                    lines.append("\(snapshot.id): good")
                } catch {
                    isGood = false
                    lines.append("\(snapshot.id): \(error)")
                }
            }
            if !lines.isEmpty { try Output.print(lines.joined(separator: "\n")) }
            if !isGood { Output.leave(1) }
        } catch { Output.fail(error) }
    }
}
