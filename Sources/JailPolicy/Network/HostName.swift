/// A host name as DNS compares it: labels of letters, digits and hyphens, in lower case, without a trailing dot. It is
/// made once from what a client or a profile says, and this value is what is matched, logged, resolved and sent.
package struct HostName: Hashable, Sendable {
    package let text: String

    /// From the wire: ASCII only, nothing repaired but letter case and one trailing dot.
    package init?(wire bytes: some Sequence<UInt8>) {
        var name: [UInt8] = []
        for byte in bytes {
            guard name.count < 254 else { return nil }
            name.append((0x41...0x5A).contains(byte) ? byte | 0x20 : byte)
        }
        if name.last == 0x2E { name.removeLast() }
        let text = String(decoding: name, as: UTF8.self)
        do { try HostPattern.check(text) } catch { return nil }
        guard !text.utf8.contains(0x2A) else { return nil }
        self.text = text
    }
}
