internal import Glibc
import JailCore

/// Where metrics are served: a UNIX socket of this user's own, or a port of the loopback. Nowhere else.
enum MetricsPlace: Equatable {
    case socket(String)
    /// In host byte order.
    case port(address: UInt32, UInt16)

    init(_ text: String) throws(JailError) {
        if text.contains("/") {
            // Of an address 107 bytes.
            guard text.utf8.count <= 107, !text.utf8.contains(0) else {
                throw JailError(.usage, reason: "the path of a socket has at most 107 bytes")
            }
            self = .socket(text)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = Self.address(parts[0]), let port = Self.number(parts[1], most: 65535),
            port > 0
        else {
            throw JailError(
                .usage, reason: "'\(text.printable)' is neither a path with '/' nor ADDRESS:PORT")
        }
        guard address >> 24 == 127 else {
            throw JailError(
                .usage,
                reason: "metrics are served on the loopback only, and \(parts[0].description.printable) is not on it",
                hint: "take 127.0.0.1, and let something with a login of its own pass them on")
        }
        self = .port(address: address, UInt16(port))
    }

    private static func address(_ text: Substring) -> UInt32? {
        if text == "localhost" { return 0x7F00_0001 }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false).compactMap { number($0, most: 255) }
        guard parts.count == 4, text.utf8.count(where: { $0 == 0x2E }) == 3 else { return nil }
        return parts.reduce(0) { $0 << 8 | $1 }
    }

    private static func number(_ text: Substring, most: UInt32) -> UInt32? {
        guard (1...5).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt32(text), number <= most
        else { return nil }
        return number
    }

    var isNetwork: Bool { if case .port = self { true } else { false } }

    func listen() throws(JailError) -> SharedDescriptor {
        switch self {
        case .port(let address, let port):
            return try attempt(.supervise, "port \(port)") { () throws(SystemError) in
                let socket = SharedDescriptor(try System.makeInternetSocket())
                try System.bind(socket.borrowed, address: address, port: port)
                try System.listen(socket.borrowed)
                return socket
            }
        case .socket(let path): return try Self.listen(at: path)
        }
    }

    private static func listen(at path: String) throws(JailError) -> SharedDescriptor {
        do throws(SystemError) {
            try removeDead(path)
            let socket = SharedDescriptor(try System.makeUnixSocket(.stream))
            try System.setNonBlocking(socket.borrowed)
            // Nobody else may connect from the first moment of it.
            System.setFileModeMask(0o177)
            defer { System.setFileModeMask(0o077) }
            try System.bind(socket.borrowed, path: path)
            try System.listen(socket.borrowed)
            return socket
        } catch {
            let hint = error.errno == .exists || error.errno == .addressInUse ? "remove it, or take another path" : nil
            throw JailError(.supervise, error, path: path, hint: hint)
        }
    }

    /// A socket of this user's own that nobody listens at, as a server that was killed leaves it. Anything else stays.
    private static func removeDead(_ path: String) throws(SystemError) {
        guard let status = try? System.status(path) else { return }
        guard status.kind == .socket, status.uid == System.effectiveUserID else { throw SystemError(.bind, .exists) }
        let probe = SharedDescriptor(try System.makeUnixSocket(.stream))
        try System.setNonBlocking(probe.borrowed)
        do throws(SystemError) { try System.connect(probe.borrowed, path: path) } catch {
            guard error.errno == .connectionRefused else { throw SystemError(.bind, .exists) }
            return try System.unlink(path)
        }
        throw SystemError(.bind, .addressInUse)
    }

    func remove() {
        if case .socket(let path) = self { try? System.unlink(path) }
    }
}
