package import JailCore

/// The rules as they travel to the process that enforces them: the `network` section as JSON, read back by the very
/// reader that reads profiles.
extension NetworkRules {
    /// Absent values are left out; ``init(text:)`` gives exactly these rules.
    package var json: JSON { Self.table.json(self) }

    /// As strictly as a profile: errors are of the stage `profile`.
    package init(text: [UInt8]) throws(JailError) {
        let value: JSON5Value
        do throws(JSON5Error) {
            value = try JSON5Reader.read(text, file: "network")
        } catch {
            throw JailError(.profile, operation: error.position.description, reason: error.reason)
        }
        self.init()
        try Self.table.read(Field(value: value, path: "network", home: nil), into: &self)
        do throws(NetworkRuleError) {
            try NetworkPolicy.check(self)
        } catch {
            throw JailError(.profile, reason: "'network.allow[\(error.index)]' \(error.reason)")
        }
    }
}
