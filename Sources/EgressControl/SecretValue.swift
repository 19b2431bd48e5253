internal import Glibc

/// The bytes of a secret: in one place, never copied by whoever holds this, and wiped with it.
///
/// Sent anywhere, since nothing of it ever changes.
@safe package final class SecretValue: @unchecked Sendable {
    private let bytes: UnsafeMutableRawBufferPointer

    /// Copies; the caller's bytes are the caller's.
    package init(_ value: some Collection<UInt8>) {
        unsafe bytes = .allocate(byteCount: max(value.count, 1), alignment: 1)
        unsafe bytes.copyBytes(from: value)
        count = value.count
    }

    package let count: Int

    deinit {
        guard let start = unsafe bytes.baseAddress else { return }
        // Not memset(3), which a compiler may leave out where nobody reads what it writes.
        unsafe explicit_bzero(start, bytes.count)
        unsafe bytes.deallocate()
    }

    package func isSame(as other: SecretValue) -> Bool {
        withBytes { one in
            other.withBytes { two in
                guard one.count == two.count else { return false }
                var difference: UInt8 = 0
                for index in one.indices { difference |= one[index] ^ two[index] }
                return difference == 0
            }
        }
    }

    /// For as long as `body` runs. What it makes of them is gone by itself soon, but not wiped.
    package func withBytes<Result>(_ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
        let span = unsafe Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[0..<count]))
        return try body(span)
    }
}

extension [UInt8] {
    /// Of bytes that held a secret for a moment, where nobody else has them.
    package mutating func wipe() {
        unsafe withUnsafeMutableBytes { bytes in
            guard let start = bytes.baseAddress else { return }
            unsafe explicit_bzero(start, bytes.count)
        }
    }
}
