import ArgumentParser
import JailCore
import JailLaunch
import SecretStore

struct SecretSet: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "set", abstract: "Keep a secret, from standard input or typed twice.",
        discussion: """
            One end of a line at the end of the input is no part of the value. What is there already is not replaced, see \
            'clawjail secret rotate'.
            """)

    @Argument(help: "What it is called: up to 64 of a-z, 0-9, '.', '_' and '-'.") var name: String

    @Flag(help: "Take all lines of standard input, as a key in PEM has them.") var multiline = false

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            try SecretName.check(name)
            let store = try SecretPlace.changing(key)
            // Before anything is typed for nothing.
            guard try !store.names().contains(name) else { throw SecretStore.isThere(name) }
            let value = try SecretInput(isMultiline: multiline).read(of: name)
            let change = SecretPlace.change()
            try store.add(name, value, change)
            try Output.print("set: \(name)")
            SecretNews.tell(SecretNote(.set, name, who: change.who))
        } catch { Output.fail(error) }
    }
}
