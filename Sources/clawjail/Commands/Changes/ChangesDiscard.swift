import ArgumentParser
import JailCore
import JailReview

struct ChangesDiscard: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard", abstract: "Forget what was changed.",
        discussion: "The directory on the host is not touched. The jail must not run.")

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "Only these, and what is below them.") var path: [String] = []

    mutating func run() {
        do throws(JailError) {
            let selection = Selection(paths: try path.paths())
            let target = try ReviewTarget(name)
            var count = 0
            try target.alone { (work) throws(JailError) in
                // Whatever has become of the directory meanwhile.
                if selection.paths.isEmpty {
                    return try target.record(("discard all", "discarded"), []) { () throws(JailError) in
                        try work.discardAll()
                    }
                }
                let chosen = try selection.choose(from: try target.find().changes)
                count = chosen.count
                try target.record(("discard", "discarded"), chosen) { () throws(JailError) in try work.discard(chosen) }
            }
            try Output.print(
                selection.paths.isEmpty
                    ? "discarded all changes" : "discarded \(count) change\(count == 1 ? "" : "s")")
        } catch { Output.fail(error) }
    }
}
