internal import JailCore
package import JailPolicy

/// One secret on its way to the process that puts it into requests, or another value of one that is there already.
package struct SecretGrant: Sendable {
    package var name: String
    /// What stands for it in this jail. It stays the same while the jail runs.
    package var placeholder: SecretPlaceholder
    package var value: SecretValue
    /// Milliseconds for which the value before it is still looked for in answers.
    package var grace: UInt64

    package init(name: String, placeholder: SecretPlaceholder, value: SecretValue, grace: UInt64 = 0) {
        self.name = name
        self.placeholder = placeholder
        self.value = value
        self.grace = grace
    }

    /// A line that says what it is, and then the value as it is: it stands in no file, not even in memory.
    var bytes: [UInt8] {
        let header: JSON = [
            "name": .string(name), "placeholder": .string(placeholder.text), "grace": .number(grace),
        ]
        return value.withBytes { span in
            Array(header.text().utf8) + [0x0A] + span.indices.map { span[$0] }
        }
    }

    /// nil: it is anything else.
    init?(bytes: ArraySlice<UInt8>) {
        guard let end = bytes.firstIndex(of: 0x0A),
            let header = try? JSON5Reader.read(Array(bytes[..<end]), file: ""), let name = header["name"]?.text,
            (try? Name.checkProfile(name)) != nil,
            let placeholder = header["placeholder"]?.text.flatMap(SecretPlaceholder.init(text:)),
            let grace = header["grace"]?.integer.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        let value = bytes[(end + 1)...]
        guard SecretPlaceholder.valueSizes.contains(value.count) else { return nil }
        self.init(name: name, placeholder: placeholder, value: SecretValue(value), grace: grace)
    }
}
