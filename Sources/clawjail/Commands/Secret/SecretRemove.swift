import ArgumentParser
import JailCore
import JailLaunch
import SecretStore

struct SecretRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a secret. Jails that run and bind it lose it at once.",
        discussion: "What was on the disk may still be found there by whoever reads the disk itself, and is sealed.")

    @Argument(help: "The secret's name.", completion: .secrets) var name: String

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            let change = SecretPlace.change()
            try SecretPlace.changing(key).remove(name, change)
            try Output.print("removed: \(name)")
            SecretNews.tell(SecretNote(.remove, name, who: change.who))
        } catch { Output.fail(error) }
    }
}
