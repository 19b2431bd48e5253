internal import JailCore
internal import JailPolicy
internal import SecretTraces

/// Canaries as they travel to the way out: what each is recognised by, in hexadecimal digits.
extension [KnownCanary] {
    package var text: String {
        JSON.array(
            map { canary in
                ["id": .string(canary.id), "marks": .strings(canary.marks.map(Self.hexadecimal))]
            }
        ).text()
    }

    /// nil: it is anything else.
    package init?(text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), let elements = value.elements else { return nil }
        self = []
        for element in elements {
            guard let id = element["id"]?.text, !id.isEmpty, let marks = element["marks"]?.elements, !marks.isEmpty
            else {
                return nil
            }
            let bytes = marks.compactMap { $0.text.flatMap(Self.bytes) }
            guard bytes.count == marks.count else { return nil }
            append(KnownCanary(id: id, marks: bytes))
        }
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }

    private static func bytes(_ text: String) -> [UInt8]? {
        let digits = text.utf8.map { UInt8(String(UnicodeScalar($0)), radix: 16) }
        guard digits.count % 2 == 0, !digits.contains(nil) else { return nil }
        let values = digits.compactMap(\.self)
        return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
    }
}
