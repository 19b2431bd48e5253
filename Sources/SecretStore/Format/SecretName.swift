package import JailCore
internal import JailPolicy

/// What a secret may be called, see ``Name/checkSecret(_:)``.
package enum SecretName {
    static let mostBytes = 64

    package static func isValid(_ name: String) -> Bool { (try? Name.checkSecret(name)) != nil }

    package static func check(_ name: String) throws(JailError) {
        guard !isValid(name) else { return }
        throw JailError(
            .secrets, reason: "'\(String(name.prefix(80)).printable)' is no name of a secret",
            hint: "up to 64 of a-z, 0-9, '.', '_' and '-', a letter or a digit first", status: ExitStatus.usage)
    }
}
