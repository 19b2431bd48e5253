import ArgumentParser

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what other parts of the host need to know of a jail, to standard output.",
        subcommands: [ExportSystemd.self, ExportAppArmor.self])
}
