import ArgumentParser
import JailCore
import SecretStore

struct SecretCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "secret", abstract: "Keep what jails may use and never have: sealed, and shown to nobody.",
        discussion: """
            A value comes from standard input, or from a prompt on the terminal that shows nothing; it is never an argument, \
            and never in the environment. Secrets are files below clawjail's state directory, sealed with a key: the \
            credential 'clawjail-secrets-key' of the service manager where there is one, else a file beside them.
            """,
        subcommands: [
            SecretSet.self, SecretGenerate.self, SecretList.self, SecretRotate.self, SecretRemove.self,
            SecretReload.self, SecretTest.self, SecretCanary.self, SecretProvider.self,
        ])
}

/// Which key it is.
struct SecretKeyOptions: ParsableArguments {
    @Flag(help: "Seal with the key 'clawjail:secrets' of the user's keyring, and not with a file.")
    var keyring = false

    func finder() -> StoreKeyFinder {
        StoreKeyFinder(
            credentials: System.environmentValue("CREDENTIALS_DIRECTORY"), wantsKeyring: keyring)
    }
}
