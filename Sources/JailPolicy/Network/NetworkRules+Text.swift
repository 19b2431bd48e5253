package import JailCore

/// The rules as they travel to the process that enforces them: the `network` section as JSON, read back by the very
/// reader that reads profiles.
extension NetworkRules {
    /// What ``init(text:)`` reads; absent values are left out.
    package var json: JSON { Self.table.json(self) }

    package init(text: [UInt8]) throws(JailError) {
        let value: JSON5Value
        do throws(JSON5Error) {
            value = try JSON5Reader.read(text, file: "network")
        } catch {
            throw JailError(.profile, operation: error.position.description, reason: error.reason)
        }
        self.init()
        try Self.table.read(Field(value: value, path: "network", home: nil), into: &self)
    }
}
