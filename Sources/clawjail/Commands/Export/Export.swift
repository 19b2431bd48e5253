import ArgumentParser

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write what other parts of the system need to know of a jail.",
        subcommands: [ExportAppArmor.self])
}
