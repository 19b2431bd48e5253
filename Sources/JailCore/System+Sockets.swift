internal import CLinux
internal import Glibc

package enum SocketKind: Sendable {
    case stream, datagram, sequencedPacket

    var number: Int32 {
        switch self {
        case .stream: 1
        case .datagram: 2
        case .sequencedPacket: 5
        }
    }
}

package struct SocketPair: ~Copyable {
    package var first: OwnedDescriptor
    package var second: OwnedDescriptor

    /// Gives both numbers away.
    package consuming func release() -> (first: Int32, second: Int32) { (first.release(), second.release()) }
}

/// Who is at the other end of a UNIX socket, see SO_PEERCRED in unix(7).
package struct PeerCredentials: Sendable {
    package let pid: Int32
    package let uid: UInt32
    package let gid: UInt32
}

extension System {
    /// An IPv4 socket of the namespace that this process is in.
    package static func makeInternetSocket(nonBlocking: Bool = true) throws(SystemError) -> OwnedDescriptor {
        let kind = Int32(1) | (nonBlocking ? O_NONBLOCK : 0)
        return OwnedDescriptor(try check(.socket, cl_socket(AF_INET, kind, 0)))
    }

    /// The same for datagrams.
    package static func makeDatagramSocket() throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(try check(.socket, cl_socket(AF_INET, Int32(2) | O_NONBLOCK, 0)))
    }

    /// An IPv6 socket of the namespace that this process is in; it serves IPv4 as well. EAFNOSUPPORT: the kernel has no
    /// IPv6.
    package static func makeDualSocket() throws(SystemError) -> OwnedDescriptor {
        let socket = OwnedDescriptor(try check(.socket, cl_socket(AF_INET6, Int32(1) | O_NONBLOCK, 0)))
        let number = socket.borrowed.number
        try check(.setsockopt, cl_setsockopt_int(number, 41 /* IPPROTO_IPV6 */, 26 /* IPV6_V6ONLY */, 0))
        return socket
    }

    /// Binds an IPv6 socket to a port of ::1, and to nothing of IPv4.
    package static func bindLoopback6(_ socket: Descriptor, port: UInt16) throws(SystemError) {
        try check(.setsockopt, cl_setsockopt_int(socket.number, SOL_SOCKET, SO_REUSEADDR, 1))
        try check(.setsockopt, cl_setsockopt_int(socket.number, 41 /* IPPROTO_IPV6 */, 26 /* IPV6_V6ONLY */, 1))
        try check(.bind, cl_bind_loopback6(socket.number, port))
    }

    /// Binds an IPv6 socket to a port of every address.
    package static func bindEverywhere(_ socket: Descriptor, port: UInt16) throws(SystemError) {
        try check(.setsockopt, cl_setsockopt_int(socket.number, SOL_SOCKET, SO_REUSEADDR, 1))
        try check(.bind, cl_bind_everywhere(socket.number, port))
    }

    package static func makeUnixSocket(_ kind: SocketKind) throws(SystemError) -> OwnedDescriptor {
        OwnedDescriptor(try check(.socket, cl_socket(AF_UNIX, kind.number, 0)))
    }

    package static func makeSocketPair(_ kind: SocketKind) throws(SystemError) -> SocketPair {
        var fds: (Int32, Int32) = (-1, -1)
        let result = unsafe withUnsafeMutableBytes(of: &fds) {
            unsafe cl_socketpair(kind.number, $0.assumingMemoryBound(to: Int32.self).baseAddress)
        }
        try check(.socketpair, result)
        return SocketPair(first: OwnedDescriptor(fds.0), second: OwnedDescriptor(fds.1))
    }

    /// `address` and `port` in host byte order.
    package static func bind(_ socket: Descriptor, address: UInt32, port: UInt16) throws(SystemError) {
        try check(.setsockopt, cl_setsockopt_int(socket.number, SOL_SOCKET, SO_REUSEADDR, 1))
        try check(.bind, cl_bind_inet4(socket.number, address, port))
    }

    /// Starts to connect; true once connected, false if it goes on in the background.
    package static func connect(_ socket: Descriptor, address: UInt32, port: UInt16) throws(SystemError) -> Bool {
        let result = cl_connect_inet4(socket.number, address, port)
        if result == -EINPROGRESS || result == -EINTR { return false }
        try check(.connect, result)
        return true
    }

    package static func bind(_ socket: Descriptor, path: String) throws(SystemError) {
        try check(.bind, unsafe cl_bind_unix(socket.number, path))
    }

    /// - Parameter name: without the NUL before it, see unix(7).
    package static func bind(_ socket: Descriptor, abstract name: [UInt8]) throws(SystemError) {
        try check(
            .bind, unsafe name.withUnsafeBytes { unsafe cl_bind_abstract(socket.number, $0.baseAddress, $0.count) })
    }

    package static func connect(_ socket: Descriptor, path: String) throws(SystemError) {
        try check(.connect, unsafe cl_connect_unix(socket.number, path))
    }

    /// Sends one datagram to a UNIX socket, and never waits: EAGAIN if its queue is full.
    ///
    /// - Parameter name: a path, or NUL and an abstract name, see unix(7); at most 108 bytes.
    package static func sendDatagram(_ socket: Descriptor, to name: [UInt8], _ bytes: [UInt8]) throws(SystemError) {
        let result = unsafe name.withUnsafeBytes { name in
            unsafe bytes.withUnsafeBytes {
                unsafe cl_send_datagram_unix(socket.number, name.baseAddress, name.count, $0.baseAddress, $0.count)
            }
        }
        guard try check(.sendto, result) == bytes.count else { throw SystemError(.sendto, .inputOutput) }
    }

    package static func listen(_ socket: Descriptor, backlog: Int32 = 128) throws(SystemError) {
        try check(.listen, cl_listen(socket.number, backlog))
    }

    /// The next waiting connection, non-blocking, or nil.
    package static func accept(_ socket: Descriptor) throws(SystemError) -> OwnedDescriptor? {
        let result = cl_accept(socket.number, O_NONBLOCK)
        // A connection that its peer has given up already is no error of the listener.
        if result == -EAGAIN || result == -ECONNABORTED { return nil }
        return OwnedDescriptor(try check(.accept, result))
    }

    /// Throws what became of a connection that was going on in the background, see SO_ERROR in socket(7).
    package static func confirmConnected(_ socket: Descriptor) throws(SystemError) {
        var value: Int32 = 0
        try check(.getsockopt, unsafe cl_getsockopt_int(socket.number, SOL_SOCKET, SO_ERROR, &value))
        guard value == 0 else { throw SystemError(.connect, Errno(value)) }
    }

    /// Whether it is a UNIX socket of this kind that waits for connections, see SO_DOMAIN, SO_TYPE and SO_ACCEPTCONN in
    /// socket(7). False for what is no socket.
    package static func isListening(_ socket: Descriptor, _ kind: SocketKind) throws(SystemError) -> Bool {
        for (option, wanted) in [(39, AF_UNIX), (3, kind.number), (30, 1)] {
            var value: Int32 = -1
            let result = unsafe cl_getsockopt_int(socket.number, SOL_SOCKET, Int32(option), &value)
            if result == -ENOTSOCK { return false }
            try check(.getsockopt, result)
            guard value == wanted else { return false }
        }
        return true
    }

    package static func setNoDelay(_ socket: Descriptor) throws(SystemError) {
        try check(.setsockopt, cl_setsockopt_int(socket.number, 6 /* IPPROTO_TCP */, 1 /* TCP_NODELAY */, 1))
    }

    package static func localPort(_ socket: Descriptor) throws(SystemError) -> UInt16 {
        UInt16(try check(.getsockname, cl_getsockname_port(socket.number)))
    }

    /// No more is written to the peer.
    package static func shutdownWriting(_ socket: Descriptor) throws(SystemError) {
        try check(.shutdown, cl_shutdown(socket.number, 1))
    }

    /// Ends a connection for both sides at once, whoever else holds it.
    package static func shutDown(_ socket: Descriptor) throws(SystemError) {
        try check(.shutdown, cl_shutdown(socket.number, 2))
    }

    package static func peer(of socket: Descriptor) throws(SystemError) -> PeerCredentials {
        var pid: Int32 = 0
        var uid: UInt32 = 0
        var gid: UInt32 = 0
        try check(.getsockopt, unsafe cl_peer_credentials(socket.number, &pid, &uid, &gid))
        return PeerCredentials(pid: pid, uid: uid, gid: gid)
    }

    /// Brings `lo` of this network namespace up.
    package static func bringLoopbackUp() throws(SystemError) { try check(.ioctl, cl_loopback_up()) }

    package enum InternetVersion: Int32, Sendable { case four = 4, six = 6 }

    /// Makes every address of the version one of this namespace's own, see `local` in ip-route(8). `lo` must be up.
    package static func routeEverythingHere(_ version: InternetVersion) throws(SystemError) {
        try check(.rtnetlink, cl_route_everything_here(version.rawValue))
    }

    /// Sends one message, with copies of up to 96 descriptors. Never raises SIGPIPE.
    package static func send(
        _ socket: Descriptor, _ bytes: [UInt8], descriptors: [Descriptor] = []
    ) throws(SystemError) {
        let numbers = descriptors.map(\.number)
        let result = unsafe bytes.withUnsafeBytes {
            unsafe cl_send_message(socket.number, $0.baseAddress, $0.count, numbers, Int32(numbers.count))
        }
        guard try check(.sendmsg, result) == bytes.count else { throw SystemError(.sendmsg, .inputOutput) }
    }

    /// ``receive(_:most:descriptors:)`` from a peer that may have gone: one that has left something unread makes an error of
    /// its end (ECONNRESET), which comes before what it had said, and once. Empty at the end.
    package static func receiveUpToEnd(
        _ socket: Descriptor, most: Int, descriptors: Int = 0
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
        do throws(SystemError) { return try receive(socket, most: most, descriptors: descriptors) } catch {
            guard error.errno == .connectionReset else { throw error }
            return try receive(socket, most: most, descriptors: descriptors)
        }
    }

    /// Receives one message of at most `most` bytes and `descriptors` descriptors, whose owner the caller becomes.
    /// More of either is an error (EMSGSIZE), and the descriptors are closed. Empty at the end of the stream.
    package static func receive(
        _ socket: Descriptor, most: Int, descriptors: Int = 0
    ) throws(SystemError) -> (bytes: [UInt8], descriptors: [Int32]) {
        var numbers = [Int32](repeating: -1, count: max(1, descriptors))
        var count = Int32(descriptors)
        var failure: SystemError?
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: most) { buffer, filled in
            let result = unsafe numbers.withUnsafeMutableBufferPointer { numbers in
                unsafe cl_receive_message(socket.number, buffer.baseAddress, buffer.count, numbers.baseAddress, &count)
            }
            if result < 0 { failure = SystemError(.recvmsg, Errno(Int32(-result))) }
            filled = max(0, result)
        }
        if let failure { throw failure }
        return (bytes, Array(numbers.prefix(Int(count))))
    }
}
