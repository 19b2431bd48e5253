import JailCore
import JailVerify

/// Sockets of the host that nobody in a jail may reach.
struct VerifyListeners {
    private let stream: SharedDescriptor
    private let abstract: SharedDescriptor
    let port: UInt16
    let name: String

    private static let loopback: UInt32 = 0x7F00_0001

    init() throws(JailError) {
        name = try Invocation.randomName("clawjail-verify")
        let bytes = Array(name.utf8)
        (stream, port, abstract) = try attempt(.host) { () throws(SystemError) in
            let stream = try System.makeInternetSocket()
            try System.bind(stream.borrowed, address: Self.loopback, port: 0)
            try System.listen(stream.borrowed)
            let abstract = try System.makeUnixSocket(.stream)
            try System.bind(abstract.borrowed, abstract: bytes)
            try System.listen(abstract.borrowed)
            try System.setNonBlocking(abstract.borrowed)
            let port = try System.localPort(stream.borrowed)
            return (SharedDescriptor(stream), port, SharedDescriptor(abstract))
        }
    }

    /// Connections that have come.
    func arrivals() -> Int {
        var count = 0
        for listener in [stream, abstract] {
            while (try? System.accept(listener.borrowed)) ?? nil != nil { count += 1 }
        }
        return count
    }

    /// A port of 127.0.0.1 that nobody has at the moment.
    static func freePort() throws(JailError) -> UInt16 {
        try attempt(.host) { () throws(SystemError) in
            let socket = try System.makeInternetSocket()
            try System.bind(socket.borrowed, address: loopback, port: 0)
            return try System.localPort(socket.borrowed)
        }
    }

    /// Whether what listens there greets as the probe does.
    static func greets(address: UInt32, port: UInt16) -> Bool {
        guard let socket = try? System.makeInternetSocket(nonBlocking: false),
            (try? System.connect(socket.borrowed, address: address, port: port)) != nil
        else { return false }
        var entries = [System.PollEntry(socket.borrowed, System.PollEvents.readable)]
        guard (try? System.poll(&entries, milliseconds: 2000)) != nil, entries[0].returned != 0,
            let bytes = try? System.read(socket.borrowed, most: 64)
        else { return false }
        return String(decoding: bytes, as: UTF8.self) == "jailprobe\n"
    }
}
