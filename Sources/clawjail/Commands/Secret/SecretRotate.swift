import ArgumentParser
import JailCore
import JailLaunch
import JailPolicy
import SecretStore

struct SecretRotate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Replace the value of a secret; the one before counts for a while.",
        discussion: """
            The new value comes as with 'clawjail secret set'. Only the one value before can count. Jails that run and bind the \
            secret use the new value at once; what is said of them is on standard error.
            """)

    @Argument(help: "The secret's name.", completion: .secrets) var name: String

    @Option(help: ArgumentHelp("How long the value before still counts: 0s to 30d.", valueName: "time"))
    var grace = "10m"

    @Flag(help: "Take all lines of standard input, as a key in PEM has them.") var multiline = false

    @OptionGroup var key: SecretKeyOptions

    mutating func run() {
        do throws(JailError) {
            try SecretPlace.guardMemory()
            let seconds = try Self.seconds(grace)
            let store = try SecretPlace.changing(key)
            // Before anything is typed for nothing.
            _ = try store.open(name)
            let value = try SecretInput(isMultiline: multiline).read(of: name)
            let change = SecretPlace.change()
            try store.rotate(name, to: value, grace: seconds, change)
            try Output.print(
                "rotated: \(name)"
                    + (seconds > 0 ? "; the value before counts until \(UTCTime.shown(change.time + seconds))" : ""))
            SecretNews.tell(SecretNote(.rotate, name, who: change.who))
        } catch { Output.fail(error) }
    }

    private static func seconds(_ text: String) throws(JailError) -> Int64 {
        do throws(ValueError) {
            let seconds = Int64(clamping: try TimeSpan.parse(text) / 1000)
            if seconds <= SecretStore.mostGrace { return seconds }
        } catch { throw JailError(.usage, reason: "--grace: \(error)") }
        throw JailError(.usage, reason: "--grace must be 30d at most")
    }
}
