import ArgumentParser

struct DataCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "data", abstract: "Save what a jail keeps in its /data, and bring it back.",
        discussion: """
            Snapshots are files below clawjail's state directory, one for each. 'restore' makes one of the present state \
            first.
            """,
        subcommands: [
            DataSnapshot.self, DataList.self, DataRestore.self, DataVerify.self, DataPrune.self,
        ])
}
