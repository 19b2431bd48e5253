import ArgumentParser
import JailApprovals
import JailCore
import JailPlan
import JailPolicy
import SecretStore

/// What the shells offer for the values of options and arguments. The scripts that `--generate-completion-script` prints
/// call this program for them; where something cannot be read, nothing is offered, and the command itself will say why.
extension CompletionKind {
    /// The names that `clawjail profile list` shows.
    static let profiles = CompletionKind.custom { _, _, _ in
        guard let loader = try? Invocation.loader() else { return [] }
        return loader.available().map(\.name)
    }

    /// The names that `clawjail ps` shows.
    static let jails = CompletionKind.custom { _, _, _ in ((try? RunningJail.all()) ?? []).map(\.name) }

    /// What 'clawjail profile suggest' can be asked about.
    static let suggestSources = CompletionKind.custom { _, _, _ in
        ((try? LearnedFiles.names()) ?? []) + ((try? RunningJail.all()) ?? []).map(\.name)
    }

    /// The names that `clawjail secret list` shows. No key is needed for them.
    static let secrets = CompletionKind.custom { _, _, _ in
        let finder = StoreKeyFinder(credentials: nil, wantsKeyring: false)
        guard let path = try? DataTarget.directory(SecretStore.directoryName), (try? System.status(path)) != nil,
            let store = try? SecretStore(path, finder)
        else { return [] }
        return (try? store.names()) ?? []
    }

    /// The names that `clawjail token list` shows.
    static let tokens = CompletionKind.custom { _, _, _ in
        guard let path = try? TokenCommand.directory() + "/" + ApprovalsPlan.tokensFile,
            let list = try? TokenFile.read(path)
        else { return [] }
        return list.tokens.map(\.name)
    }

    /// The ids that `clawjail session list` shows, those of dead sessions among them.
    static let sessions = CompletionKind.custom { _, _, _ in ((try? Session.all()) ?? []).map(\.jail.name) }
}
