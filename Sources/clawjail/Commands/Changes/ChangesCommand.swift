import ArgumentParser
import JailCore
import JailReview

struct ChangesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes", abstract: "Look at what a jail has changed in its workspace, and apply or discard it.",
        discussion: """
            Of a jail whose profile says filesystem: { workspace: "review" }. Until its changes are applied, nothing of \
            them is in the directory on the host.
            """,
        subcommands: [ChangesList.self, ChangesApply.self, ChangesDiscard.self], defaultSubcommand: ChangesList.self)
}

extension [String] {
    func paths() throws(JailError) -> [FilePath] {
        try map { (text) throws(JailError) in try FilePath(argument: text) }
    }
}
