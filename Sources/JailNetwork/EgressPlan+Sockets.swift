package import JailCore
package import JailPlan

/// The jail's side of the way out: routes that lead everything here, and the sockets that take it.
///
/// Init makes them while it has its rights in the namespace; who accepts on them lives outside it. A socket stays in the
/// namespace that it was made in.
extension EgressPlan {
    /// Connections that may wait at one listener. More are not answered, and their programs try again.
    private static let backlog: Int32 = 256

    /// Routes, then sockets, in the order of ``EgressSockets``: DNS over UDP, DNS over TCP, the proxy, and one listener
    /// for each of ``ports``. `lo` must be up. The caller closes them.
    package func makeSockets() throws(SystemError) -> [Int32] {
        try System.routeEverythingHere(.four)
        let hasDual = try routeVersionSix()
        let datagram = try System.makeDatagramSocket()
        try System.bind(datagram.borrowed, address: Self.address, port: Self.dnsPort)
        var numbers = [datagram.release()]
        do throws(SystemError) {
            for port in [Self.dnsPort, proxyPort] { numbers.append(try listen(at: Self.address, port)) }
            for port in ports { numbers.append(try hasDual ? listenEverywhere(port) : listen(at: 0, port)) }
        } catch {
            for number in numbers { System.close(number) }
            throw error
        }
        return numbers
    }

    /// False where the kernel has no IPv6, or it is switched off: nobody inside can use it then either.
    private func routeVersionSix() throws(SystemError) -> Bool {
        do throws(SystemError) {
            _ = try System.makeDualSocket()
        } catch {
            guard error == SystemError(.socket, .familyNotSupported) else { throw error }
            return false
        }
        do throws(SystemError) {
            try System.routeEverythingHere(.six)
        } catch {
            // disable_ipv6 of ip-sysctl: the addresses are not there, the sockets are.
            guard error.errno == .accessDenied else { throw error }
        }
        return true
    }

    private func listen(at address: UInt32, _ port: UInt16) throws(SystemError) -> Int32 {
        let socket = try System.makeInternetSocket()
        try System.bind(socket.borrowed, address: address, port: port)
        try System.listen(socket.borrowed, backlog: Self.backlog)
        return socket.release()
    }

    private func listenEverywhere(_ port: UInt16) throws(SystemError) -> Int32 {
        let socket = try System.makeDualSocket()
        try System.bindEverywhere(socket.borrowed, port: port)
        try System.listen(socket.borrowed, backlog: Self.backlog)
        return socket.release()
    }
}
