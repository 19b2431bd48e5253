internal import Crypto
internal import FoundationEssentials
package import JailCore

/// A secret as it lies on a disk: a header, the value, and for as long as it counts the value before.
///
/// Each value is filled up to its ``LengthClass`` and sealed with ChaCha20-Poly1305, with the header and its own place as
/// associated data. So nothing of it can be changed, left out, or moved to another secret or another place; a whole file
/// that was of the same secret before can be put back, which nobody sees who has only the key.
enum SealedSecret {
    /// The most that a file takes.
    static let mostBytes = SecretHeader.mostBytes + 2 * (4 + boxSize(.upTo64K))

    private static let nonceSize = 12
    private static let tagSize = 16
    private static let lengthSize = 4

    private static func boxSize(_ length: LengthClass) -> Int {
        nonceSize + lengthSize + length.rawValue + tagSize
    }

    /// Which of the values it is. Sealed into it.
    private enum Slot: UInt8 { case current = 1, previous = 2 }

    // MARK: Writing

    /// - Parameter previous: there is one exactly where the header has an end for it.
    static func seal(
        _ header: SecretHeader, current: borrowing SecretBytes, previous: KeptSecret?, with key: StoreKey
    ) throws(SystemError) -> [UInt8] {
        guard header.key == key.id, (previous == nil) == (header.graceEnd == nil) else {
            throw SystemError(.check, .invalid)
        }
        var file = header.bytes
        file += try box(current, .current, header, key)
        if let previous { file += try box(previous.bytes, .previous, header, key) }
        return file
    }

    private static func box(
        _ value: borrowing SecretBytes, _ slot: Slot, _ header: SecretHeader, _ key: StoreKey
    ) throws(SystemError) -> [UInt8] {
        guard let length = LengthClass(count: value.count) else { throw SystemError(.check, .invalid) }
        var plain = try SecretBytes(count: lengthSize + length.rawValue)
        unsafe value.withBytes { value in
            unsafe plain.withMutableBytes { plain in
                unsafe plain.copyBytes(from: UInt32(value.count).bigEndianBytes)
                unsafe UnsafeMutableRawBufferPointer(rebasing: plain[lengthSize...]).copyMemory(from: value)
            }
        }
        // From the kernel: a library's generator has a state, of which each cloned process has a copy.
        let random = try System.randomBytes(nonceSize)
        do {
            let nonce = try ChaChaPoly.Nonce(data: random)
            let sealed = try unsafe plain.withBytes { plain in
                try unsafe ChaChaPoly.seal(
                    plain, using: key.key, nonce: nonce, authenticating: header.bytes + [slot.rawValue])
            }
            let content = Array(sealed.combined)
            return UInt32(content.count).bigEndianBytes + content
        } catch { throw SystemError(.check, .invalid) }
    }

    // MARK: Reading

    /// What is in a file that should be the secret of this name. Whatever stands there is taken for hostile.
    static func open(_ file: [UInt8], named name: String, with key: StoreKey) throws(SealedFailure) -> OpenedSecret {
        var reader = SealedReader(file)
        let header = try SecretHeader(&reader)
        guard header.key == key.id else { throw .otherKey(header.key) }
        let current = try value(.current, &reader, header, key)
        let previous = header.graceEnd == nil ? nil : try value(.previous, &reader, header, key)
        guard reader.isAtEnd else { throw .tooLong }
        // Only now is it known that it says so itself.
        guard header.name == name else { throw .otherName(header.name) }
        return OpenedSecret(header: header, current: current, previous: previous)
    }

    private static func value(
        _ slot: Slot, _ reader: inout SealedReader, _ header: SecretHeader, _ key: StoreKey
    ) throws(SealedFailure) -> KeptSecret {
        let count = try reader.take(4).reduce(0) { $0 << 8 | Int($1) }
        guard let length = LengthClass.allCases.first(where: { boxSize($0) == count }) else { throw .changed }
        let content = try reader.take(count)
        let opened: Data?
        do {
            opened = try ChaChaPoly.open(
                ChaChaPoly.SealedBox(combined: content), using: key.key,
                authenticating: header.bytes + [slot.rawValue])
        } catch { throw .changed }
        guard var plain = opened else { throw .changed }
        defer { plain.resetBytes(in: plain.startIndex..<plain.endIndex) }
        let size = plain.prefix(lengthSize).reduce(0) { $0 << 8 | Int($1) }
        guard LengthClass(count: size) == length, plain.dropFirst(lengthSize + size).allSatisfy({ $0 == 0 }) else {
            throw .changed
        }
        do throws(SystemError) {
            var value = try SecretBytes(count: size)
            unsafe value.withMutableBytes { value in
                _ = unsafe plain.dropFirst(lengthSize).prefix(size).copyBytes(to: value)
            }
            return KeptSecret(value)
        } catch { throw .noMemory }
    }
}

/// A secret as it was sealed.
package struct OpenedSecret: Sendable {
    package let header: SecretHeader
    package let current: KeptSecret
    /// Whether or not it still counts.
    let previous: KeptSecret?

    package var length: LengthClass? { LengthClass(count: current.bytes.count) }

    /// The value before, while its grace lasts.
    ///
    /// - Parameter now: seconds since the epoch.
    package func previous(at now: Int64) -> KeptSecret? {
        guard let end = header.graceEnd, now < end else { return nil }
        return previous
    }
}
