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
        value.withBytes { span in Self.head(name, placeholder, grace) + span.indices.map { span[$0] } }
    }

    private static func head(_ name: String, _ placeholder: SecretPlaceholder, _ grace: UInt64) -> [UInt8] {
        let header: JSON = [
            "name": .string(name), "placeholder": .string(placeholder.text), "grace": .number(grace),
        ]
        return Array(header.text().utf8) + [0x0A]
    }

    /// As ``bytes``, behind `start`, without a copy that nobody wipes.
    static func message(
        _ start: [UInt8], _ name: String, _ placeholder: SecretPlaceholder, _ value: borrowing SecretBytes,
        grace: UInt64
    ) throws(SystemError) -> SecretBytes {
        let head = start + Self.head(name, placeholder, grace)
        var message = try SecretBytes(count: head.count + value.count)
        unsafe value.withBytes { value in
            unsafe message.withMutableBytes { bytes in
                unsafe bytes.copyBytes(from: head)
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[head.count...]).copyMemory(from: value)
            }
        }
        return message
    }

    /// nil: it is anything else.
    init?(bytes: ArraySlice<UInt8>) {
        guard let end = bytes.firstIndex(of: 0x0A),
            let header = try? JSON5Reader.read(Array(bytes[..<end]), file: ""), let name = header["name"]?.text,
            (try? Name.checkSecret(name)) != nil,
            let placeholder = header["placeholder"]?.text.flatMap(SecretPlaceholder.init(text:)),
            let grace = header["grace"]?.integer.flatMap({ UInt64(exactly: $0) })
        else { return nil }
        let value = bytes[(end + 1)...]
        guard SecretPlaceholder.valueSizes.contains(value.count) else { return nil }
        self.init(name: name, placeholder: placeholder, value: SecretValue(value), grace: grace)
    }
}
