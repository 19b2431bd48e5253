import ArgumentParser
import JailCore
import JailPolicy
import SecretStore

struct SecretTest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "test", abstract: "Look whether a secret is there, can be opened, and how old it is.")

    @Argument(help: "The secret's name.", completion: .secrets) var name: String

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            let store = try SecretPlace.reading(key)
            for line in try SecretTrial(store, name, now: System.realtimeSeconds()).lines { try Output.print(line) }
        } catch { Output.fail(error) }
    }
}
