internal import Crypto
internal import NIOCore
internal import NIOHTTP1

/// The digest of a body that a signature covers and no field gives: it is read before any of it is sent.
final class HeldBody {
    private let memory: HeldBodies
    private var hash = SHA256()
    private var held = 0

    init(_ memory: HeldBodies) { self.memory = memory }

    deinit { letGo() }

    /// A part of it, which is kept elsewhere.
    func take(_ buffer: ByteBuffer) -> Denial? {
        guard memory.hold(buffer.readableBytes) else {
            return Denial(
                .serviceUnavailable,
                "too many large requests at the same time to read and sign them; one that says X-Amz-Content-Sha256 need "
                    + "not be read")
        }
        held += buffer.readableBytes
        unsafe buffer.withUnsafeReadableBytes { bytes in unsafe hash.update(bufferPointer: bytes) }
        return nil
    }

    /// Once it is whole.
    func digest() -> String {
        letGo()
        return SigningText.hex(hash.finalize())
    }

    private func letGo() {
        memory.letGo(held)
        held = 0
    }
}

/// What one jail may have of such bodies at the same time.
final class HeldBodies {
    /// Bytes. Services take 25 MB at most where they do not want to be told the digest.
    static let most = 32 << 20

    private(set) var held = 0

    func hold(_ count: Int) -> Bool {
        guard held + count <= Self.most else { return false }
        held += count
        return true
    }

    func letGo(_ count: Int) { held -= count }
}
