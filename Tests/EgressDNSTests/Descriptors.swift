import Glibc
import Testing

/// An anonymous file, see memfd_create(2).
final class MemoryFile {
    let descriptor: Int32

    init() throws {
        var template = Array("/tmp/clawjail-dns-XXXXXX".utf8CString)
        descriptor = unsafe mkstemp(&template)
        try #require(descriptor >= 0)
        unsafe unlink(template)
    }

    deinit { close(descriptor) }

    var bytes: [UInt8] {
        get {
            let size = Int(lseek(descriptor, 0, SEEK_END))
            return unsafe [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                count = unsafe pread(descriptor, buffer.baseAddress, size, 0)
            }
        }
        set {
            ftruncate(descriptor, 0)
            _ = unsafe newValue.withUnsafeBytes { unsafe pwrite(descriptor, $0.baseAddress, $0.count, 0) }
        }
    }

    /// The same file, for reading only.
    func readOnly() throws -> Int32 {
        let opened = unsafe open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
        try #require(opened >= 0)
        return opened
    }
}

/// A datagram with addresses and ports that no socket can have; needs CAP_NET_RAW.
enum RawDatagram {
    static func send(_ bytes: [UInt8], from: (UInt32, UInt16), to: (UInt32, UInt16)) throws {
        let raw = socket(AF_INET, Int32(SOCK_RAW.rawValue) | O_CLOEXEC, Int32(IPPROTO_RAW))
        try #require(raw >= 0)
        defer { close(raw) }
        // RFC 791, 3.1, whose length and check sum the kernel fills in; RFC 768 without a check sum.
        let header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0] + Socket.bigEndian(from.0) + Socket.bigEndian(to.0)
        let ports = Socket.bigEndian(from.1) + Socket.bigEndian(to.1)
        let packet = header + ports + Socket.bigEndian(UInt16(8 + bytes.count)) + [0, 0] + bytes
        let sent = unsafe packet.withUnsafeBytes { packet in
            unsafe Socket.withAddress(to.0, 0) { unsafe sendto(raw, packet.baseAddress, packet.count, 0, $0, $1) }
        }
        try #require(sent == packet.count)
    }
}

/// A blocking IPv4 socket on loopback. Used by one task at a time.
final class Socket: @unchecked Sendable {
    private(set) var descriptor: Int32

    enum Kind { case datagram, stream }

    init(_ kind: Kind) throws {
        let number = kind == .datagram ? SOCK_DGRAM : SOCK_STREAM
        descriptor = socket(AF_INET, Int32(number.rawValue) | O_CLOEXEC, 0)
        try #require(descriptor >= 0)
        // A struct timeval: five seconds.
        let patience = [5, 0]
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            let result = unsafe setsockopt(descriptor, SOL_SOCKET, option, patience, socklen_t(16))
            try #require(result == 0)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    func release() -> Int32 {
        defer { descriptor = -1 }
        return descriptor
    }

    /// In host byte order.
    func bind(_ address: UInt32, port: UInt16) throws {
        let result = unsafe Self.withAddress(address, port) { unsafe Glibc.bind(descriptor, $0, $1) }
        try #require(result == 0)
    }

    func connect(_ address: UInt32, port: UInt16) throws {
        let result = unsafe Self.withAddress(address, port) { unsafe Glibc.connect(descriptor, $0, $1) }
        try #require(result == 0)
    }

    var localPort: UInt16 {
        var name = [UInt8](repeating: 0, count: 16)
        var size = socklen_t(name.count)
        _ = unsafe name.withUnsafeMutableBytes {
            unsafe getsockname(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), &size)
        }
        return UInt16(name[2]) << 8 | UInt16(name[3])
    }

    /// A struct sockaddr_in, byte by byte: the compiler cannot always tell which module its members come from.
    static func withAddress<T>(
        _ address: UInt32, _ port: UInt16, _ body: (UnsafePointer<sockaddr>?, socklen_t) -> T
    ) -> T {
        let bytes = [UInt8(AF_INET), 0] + bigEndian(port) + bigEndian(address) + [UInt8](repeating: 0, count: 8)
        return unsafe bytes.withUnsafeBytes {
            unsafe body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
        }
    }

    static func bigEndian(_ value: some FixedWidthInteger & UnsignedInteger) -> [UInt8] {
        stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    func send(_ bytes: [UInt8]) {
        _ = unsafe bytes.withUnsafeBytes {
            unsafe Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// False once nobody is there any more, or nobody takes anything for five seconds.
    func sendAll(_ bytes: [UInt8]) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                unsafe Glibc.send(
                    descriptor, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            sent += count
        }
        return true
    }

    /// One datagram, or what is there of a stream; empty at its end, nil after five seconds or an error.
    func receive() -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : Array(bytes.prefix(count))
    }

    /// Whether the other side closes now: true at the end or after a reset, false if bytes come, or nothing for five
    /// seconds.
    func isClosed() -> Bool {
        var byte: UInt8 = 0
        let count = unsafe recv(descriptor, &byte, 1, 0)
        return count == 0 || count < 0 && errno == ECONNRESET
    }

    /// Everything up to the end of the stream, or up to so many bytes.
    func receiveAll(most: Int = .max) -> [UInt8] {
        var all: [UInt8] = []
        while all.count < most, let bytes = receive(), !bytes.isEmpty { all += bytes }
        return all
    }

    func shutdownWriting() { shutdown(descriptor, Int32(SHUT_WR)) }
}
