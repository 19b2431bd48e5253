/// What a secret looks like, for whoever looks for them where they should not be.
package enum SecretShape {
    /// Whether a name (of a variable, an option, a key) says that its value is a secret.
    package static func isName(_ name: String) -> Bool { SecretName.isOne(Array(name.utf8)[...]) }

    /// Whether a text begins as credentials do that say what they are: `ghp_…`, `xoxb-…`, a private key.
    package static func isValue(_ text: String) -> Bool {
        let bytes = Array(text.utf8.prefix(4096))
        guard !bytes.isEmpty else { return false }
        return SecretPrefix.find(bytes, at: 0) != nil || SecretPrefix.findBot(bytes, at: 0) != nil
            || (text.hasPrefix("-----BEGIN ") && text.contains("PRIVATE KEY-----"))
    }
}
