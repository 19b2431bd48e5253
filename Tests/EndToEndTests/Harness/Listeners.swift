import Foundation
import Glibc

/// Sockets that listen on the host: a TCP port of 127.0.0.1, an abstract name, and a path.
final class Listeners {
    let port: UInt16
    let name = Scratch.unique("clawjail-e2e")
    let path = Scratch.file("socket")
    private var sockets: [Int32] = []

    init() throws {
        let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        sockets.append(tcp)
        port = try Self.bindLoopback(tcp)
        for text in ["\0" + name, path] {
            let unix = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
            sockets.append(unix)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            let bytes = Array(text.utf8)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
            let length = socklen_t(2 + bytes.count)
            let result = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(unix, $0, length) }
            }
            guard result == 0, listen(unix, 8) == 0 else { throw HarnessError("bind \(text): errno \(errno)") }
        }
        unsafe chmod(path, 0o777)
    }

    deinit { for socket in sockets { close(socket) } }

    /// A port that nobody listens on at the moment.
    static func freePort() throws -> UInt16 {
        let tcp = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | 0o2000000, 0)
        defer { close(tcp) }
        return try bindLoopback(tcp)
    }

    static func bindLoopback(_ tcp: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = unsafe withUnsafeMutablePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(tcp, pointer, length) == 0 && listen(tcp, 8) == 0 && getsockname(tcp, pointer, &length) == 0
            }
        }
        guard result else { throw HarnessError("bind 127.0.0.1: errno \(errno)") }
        return UInt16(bigEndian: address.sin_port)
    }
}
