import ArgumentParser
import JailCore
import JailReview

struct ChangesApply: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply", abstract: "Bring what was changed into the directory on the host.",
        discussion: """
            All of it or nothing: also where this is ended half-way, the next command, or the next start of the jail, brings \
            it to its end or undoes it. What was changed there since the jail was started is not written over: then nothing \
            is applied. The jail must not run.
            """)

    @Argument(help: "The jail's name.", completion: .jails) var name: String

    @Argument(help: "Only these, and what is below them.") var path: [String] = []

    @Flag(help: "Also what programs of the host's may execute later, without naming each.") var all = false

    @Flag(help: "Also links that lead out of the directory.") var links = false

    mutating func run() {
        do throws(JailError) {
            var selection = Selection(paths: try path.paths())
            selection.takesRunnable = all
            selection.takesLinks = links
            let target = try ReviewTarget(name)
            var count = 0
            try target.alone { (work) throws(JailError) in
                let found = try target.find()
                let chosen = try selection.choose(from: found.changes)
                try selection.refuse(chosen)
                count = chosen.count
                guard !chosen.isEmpty else { return }
                try target.record(("apply", "applied"), chosen) { () throws(JailError) in
                    try work.apply(chosen, of: found.changes, found.manifest)
                }
            }
            try Output.print("applied \(count) change\(count == 1 ? "" : "s")")
        } catch { Output.fail(error) }
    }
}
