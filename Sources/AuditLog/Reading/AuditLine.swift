package import JailPolicy

/// One line of a log, as far as its place in the chain goes. Strict: what ``AuditChain`` would not have written is nil.
package struct AuditLine: Sendable {
    package let sequence: UInt64
    package let event: String
    let previous: AuditDigest
    /// Of a checkpoint.
    let signature: [UInt8]?
    /// What a signature is over.
    let body: ArraySlice<UInt8>
    package let bytes: ArraySlice<UInt8>

    private static let signatureLength = ",\"signature\":\"".utf8.count + 2 * AuditKey.signatureSize + "\"}".utf8.count
    private static let previousLength = ",\"prev\":\"".utf8.count + 2 * AuditDigest.size + 1

    /// - Parameter bytes: without the line feed.
    package init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.last == UInt8(ascii: "}") else { return nil }
        self.bytes = bytes
        var rest = bytes
        guard rest.take("{\"seq\":"), let sequence = rest.takeNumber(), rest.take(",\"time\":\""),
            rest.takeText() != nil, rest.take(",\"mono\":"), rest.takeNumber() != nil, rest.take(",\"event\":\""),
            let event = rest.takeText()
        else { return nil }
        self.sequence = sequence
        self.event = event
        var end = bytes.endIndex - 1
        if event == AuditEventName.checkpoint {
            guard bytes.count > Self.signatureLength else { return nil }
            end = bytes.endIndex - Self.signatureLength
            var tail = bytes[end...]
            guard tail.take(",\"signature\":\""), let text = tail.takeText(), tail.elementsEqual([0x7D]),
                let signature = Hexadecimal.bytes(text)
            else { return nil }
            self.signature = signature
        } else {
            signature = nil
        }
        body = bytes[..<end]
        guard body.count > Self.previousLength else { return nil }
        var tail = bytes[(end - Self.previousLength)..<end]
        guard tail.take(",\"prev\":\""), let text = tail.takeText(), tail.isEmpty,
            let previous = AuditDigest(hex: text)
        else { return nil }
        self.previous = previous
    }

    package var digest: AuditDigest { AuditDigest(of: bytes) }

    /// The record's members; nil: it is no JSON.
    package var value: JSON5Value? { try? JSON5Reader.read(Array(bytes), file: "") }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func take(_ text: String) -> Bool {
        let wanted = text.utf8
        guard starts(with: wanted) else { return false }
        removeFirst(wanted.count)
        return true
    }

    fileprivate mutating func takeNumber() -> UInt64? {
        let digits = prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, digits.count <= 20, digits.count == 1 || digits.first != 0x30 else { return nil }
        defer { removeFirst(digits.count) }
        return UInt64(String(decoding: digits, as: UTF8.self))
    }

    /// Up to a quotation mark, and that as well. Texts of the chain's own have no escapes.
    fileprivate mutating func takeText() -> String? {
        guard let end = firstIndex(of: 0x22) else { return nil }
        let text = self[startIndex..<end]
        guard !text.contains(0x5C) else { return nil }
        self = self[(end + 1)...]
        return String(decoding: text, as: UTF8.self)
    }
}
