internal import CLinux

/// Bytes that nobody else should see: in a mapping of their own, which is overwritten before it is given back.
///
/// Pages of it are not swapped where RLIMIT_MEMLOCK allows that, see ``isLocked``, are left out of core dumps, and are empty
/// in a child that is forked. Nothing is promised of copies: whoever takes bytes out makes one, and so do libraries.
@safe package struct SecretBytes: ~Copyable, @unchecked Sendable {
    private let place: UnsafeMutableRawPointer
    private let mapped: Int
    package let count: Int
    /// Whether the kernel keeps it in memory, see mlock(2).
    package let isLocked: Bool

    /// The size of a page, or a part of one. The kernel rounds up.
    private static let page = 4096

    /// Zeroes.
    package init(count: Int) throws(SystemError) {
        let size = max(1, (count + Self.page - 1) / Self.page) * Self.page
        var mapping: UnsafeMutableRawPointer?
        try System.check(.mmap, unsafe cl_memory_map(size, &mapping))
        guard let mapping = unsafe mapping else { throw SystemError(.mmap, .outOfMemory) }
        // Every kernel from 4.14 on has both; without them it would not be what it says it is.
        let hidden = unsafe cl_memory_hide(mapping, size)
        let wiped = unsafe cl_memory_wipe_on_fork(mapping, size)
        guard hidden == 0, wiped == 0 else {
            _ = unsafe cl_memory_unmap(mapping, size)
            throw SystemError(.madvise, Errno(-min(hidden, wiped)))
        }
        unsafe place = unsafe mapping
        mapped = size
        self.count = count
        isLocked = unsafe cl_memory_lock(mapping, size) == 0
    }

    /// A copy. The original stays its owner's to wipe.
    package init(copying bytes: [UInt8]) throws(SystemError) {
        try self.init(count: bytes.count)
        unsafe withMutableBytes { unsafe $0.copyBytes(from: bytes) }
    }

    /// From the kernel's random numbers.
    package static func random(count: Int) throws(SystemError) -> SecretBytes {
        var secret = try SecretBytes(count: count)
        var filled = 0
        while filled < count {
            let got = unsafe secret.withMutableBytes { buffer in
                guard let start = buffer.baseAddress else { return Int32(0) }
                return unsafe cl_getrandom(start + filled, buffer.count - filled)
            }
            filled += Int(try System.check(.getrandom, got))
        }
        return secret
    }

    deinit {
        unsafe cl_memory_wipe(place, mapped)
        _ = unsafe cl_memory_unmap(place, mapped)
    }

    /// The bytes, for as long as `body` runs.
    package borrowing func withBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeRawBufferPointer(start: place, count: count))
    }

    /// The same, for as long as `body` runs.
    package borrowing func withSpan<Result: ~Copyable, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(Span<UInt8>(_unsafeBytes: UnsafeRawBufferPointer(start: place, count: count)))
    }

    package mutating func withMutableBytes<Result: ~Copyable, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try unsafe body(UnsafeMutableRawBufferPointer(start: place, count: count))
    }

    /// A part of it, in memory of its own.
    package borrowing func part(_ range: Range<Int>) throws(SystemError) -> SecretBytes {
        guard range.lowerBound >= 0, range.upperBound <= count else { throw SystemError(.check, .invalid) }
        var copy = try SecretBytes(count: range.count)
        unsafe withBytes { bytes in
            let source = unsafe UnsafeRawBufferPointer(rebasing: bytes[range])
            unsafe copy.withMutableBytes { unsafe $0.copyMemory(from: source) }
        }
        return copy
    }

    /// Whether both are the same, in a time that says nothing but whether they are equally long.
    package borrowing func isSame(as other: borrowing SecretBytes) -> Bool {
        guard count == other.count else { return false }
        return unsafe cl_memory_differs(place, other.place, count) == 0
    }
}

/// The same where a value is needed that can be copied: in a dictionary, or by several threads. Nobody changes it any more.
package final class KeptSecret: Sendable {
    package let bytes: SecretBytes

    package init(_ bytes: consuming SecretBytes) { self.bytes = bytes }
}
