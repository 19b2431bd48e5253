internal import AuditLog
internal import JailCore
internal import JailPlan

/// Secrets that stand in the configuration, by the names of their keys and by their looks.
extension HostAudit {
    /// These have findings of their own.
    private static let known: Set<String> = ["gateway.auth.token", "gateway.auth.password"]

    @Sendable static func configuredSecrets(_ picture: HostPicture) -> [HostFinding] {
        picture.states.compactMap { state in
            guard let configuration = state.configuration, let value = configuration.value else { return nil }
            let secrets = value.texts.compactMap { text -> SecretSize? in
                guard !known.contains(text.path), let literal = text.value.literal else { return nil }
                let isSecret = SecretShape.isName(text.key) || SecretShape.isValue(literal)
                return isSecret ? SecretSize(name: text.path.printable, length: literal.utf8.count) : nil
            }
            guard let first = secrets.first else { return nil }
            return HostFinding(
                .secretInConfig, .medium, configuration.path, seen: list(secrets),
                remedy:
                    "put a reference in its place: openclaw config set \(first.name.quotedForShell) '${NAME}', and a new key"
            )
        }
    }
}
