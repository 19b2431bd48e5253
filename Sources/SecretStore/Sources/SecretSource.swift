package import JailCore

/// Where secrets come from. Asked when a jail starts, and when its secrets are read again.
package protocol SecretSource {
    /// The values of these ids, every one of them.
    ///
    /// - Parameter now: seconds since the epoch.
    /// - Throws: which id has none, and why. Never anything of a value.
    func resolve(_ ids: [String], now: Int64) throws(JailError) -> [String: ResolvedSecret]
}

package struct ResolvedSecret: Sendable {
    package let current: KeptSecret
    /// What counts as well, and until when: seconds since the epoch.
    package let previous: (value: KeptSecret, end: Int64)?

    package init(_ current: consuming SecretBytes) {
        self.current = KeptSecret(current)
        previous = nil
    }

    package init(current: KeptSecret, previous: (value: KeptSecret, end: Int64)?) {
        self.current = current
        self.previous = previous
    }
}

/// Sources that know one id at a time.
package protocol SingleSecretSource: SecretSource {
    func value(of id: String, now: Int64) throws(JailError) -> ResolvedSecret
}

extension SingleSecretSource {
    package func resolve(_ ids: [String], now: Int64) throws(JailError) -> [String: ResolvedSecret] {
        var values: [String: ResolvedSecret] = [:]
        for id in ids where values[id] == nil { values[id] = try value(of: id, now: now) }
        return values
    }
}

/// The sealed store.
extension SecretStore: SingleSecretSource {
    package func value(of id: String, now: Int64) throws(JailError) -> ResolvedSecret {
        let secret = try open(id)
        let previous = secret.previous(at: now)
        return ResolvedSecret(
            current: secret.current,
            previous: previous.flatMap { value in secret.header.graceEnd.map { (value, $0) } })
    }
}
