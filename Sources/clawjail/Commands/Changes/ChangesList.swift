import ArgumentParser
import JailCore
import JailReview

struct ChangesList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List what was changed, or show it.",
        discussion: """
            A: added, M: modified, D: removed, T: replaced by something of another kind, or a directory as a whole, \
            P: other permissions of a directory.
            """)

    @Argument(help: "The jail's name; it need not run.", completion: .jails) var name: String

    @Argument(help: "Only these, and what is below them.") var path: [String] = []

    @Flag(help: "Print them as JSON, one on a line.") var json = false

    @Flag(help: "Show what is different in files of text.") var diff = false

    mutating func run() {
        do throws(JailError) {
            let paths = try path.paths()
            let found = try ReviewTarget(name).look()
            let chosen =
                paths.isEmpty
                ? found.changes : found.changes.filter { change in paths.contains { change.path.isWithin($0) } }
            let listing = ChangesListing(found)
            if json { return try Output.print(chosen.map { listing.json($0).text() + "\n" }.joined()) }
            if chosen.isEmpty { return Output.say("nothing was changed") }
            try Output.print(Table.text([["", "SIZE", "PATH", ""]] + chosen.map(listing.row)))
            if diff { for change in chosen { try Output.print(listing.difference(change)) } }
        } catch { Output.fail(error) }
    }
}
