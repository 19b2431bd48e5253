import ArgumentParser
import JailCore
import JailView

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what a detached jail or a session has printed.",
        discussion: """
            Standard output and standard error of the command, and what clawjail said of the jail: at most the last 32 MiB. \
            On a terminal control characters are written out, so that nothing that was printed inside acts on it.
            """)

    @Argument(help: "The jail's name; it need not be running.", completion: .jails)
    var name: String

    @Flag(name: [.short, .long], help: "Go on with what is added, until the jail ends.")
    var follow = false

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("The last so many lines; the default is all, and 10 with --follow.", valueName: "number"))
    var lines: Int?

    @Flag(help: "The bytes as they are, also on a terminal.")
    var raw = false

    func validate() throws {
        guard lines ?? 0 >= 0 else { throw ValidationError("--lines is 0 or more") }
    }

    mutating func run() {
        do throws(JailError) {
            var reader = LogReader(
                try LogFile.find(name), isRaw: raw || !Surroundings.isTerminal(.standardOutput))
            try reader.printLast(lines ?? (follow ? 10 : nil))
            if follow { try reader.follow(name) }
            try reader.finish()
        } catch { Output.fail(error) }
    }
}
