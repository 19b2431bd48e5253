import ArgumentParser
import JailCore
import SecretStore

struct SecretRemove: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove", abstract: "Remove a secret. Jails that run have it until they are started again.",
        discussion: "What was on the disk may still be found there by whoever reads the disk itself, and is sealed.")

    @Argument(help: "The secret's name.", completion: .secrets) var name: String

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            try SecretPlace.changing(key).remove(name, SecretPlace.change())
            try Output.print("removed: \(name)")
        } catch { Output.fail(error) }
    }
}
