package import JailCore

extension NetworkRules {
    /// The rules as JSON text, for whoever enforces them. ``decode(_:)`` gives exactly these rules.
    package var encoded: String { json.text() }

    /// Reads ``encoded``, as strictly as a profile: errors are of the stage `profile`.
    package static func decode(_ bytes: [UInt8]) throws(JailError) -> NetworkRules {
        let rules = try NetworkRules(text: bytes)
        do throws(NetworkRuleError) {
            try NetworkPolicy.check(rules)
        } catch {
            throw JailError(.profile, reason: "'network.allow[\(error.index)]' \(error.reason)")
        }
        return rules
    }
}
