import Glibc
import JailCore
import JailMounts
import JailNetwork
import JailPolicy
import TestSupport
import Testing

@testable import JailPlan

/// In user and network namespaces of the test's own.
@Suite(.timeLimit(.minutes(1)))
struct `The jail's side of the way out` {
    static func egress(_ ports: [UInt16]) -> EgressPlan {
        EgressPlan(
            rules: NetworkRules(), ports: ports, proxyPort: 3128, onExit: .block, program: "",
            programIdentity: FileIdentity(device: 0, inode: 0), trust: nil, wantsJavaTrustStore: false,
            identity: .caller, landlockABI: nil, resources: [])
    }

    /// Connects; nil: it is going on. `address` as inet_pton(3) takes it.
    static func dial(_ address: String, _ port: UInt16, kind: Int32 = 1) throws -> (socket: Int32, error: Int32) {
        let isSix = address.utf8.contains(0x3A)
        let descriptor = socket(isSix ? AF_INET6 : AF_INET, kind, 0)
        var result: Int32
        if isSix {
            var name = sockaddr_in6()
            name.sin6_family = UInt16(AF_INET6)
            name.sin6_port = port.bigEndian
            try require(unsafe inet_pton(AF_INET6, address, &name.sin6_addr) == 1, address)
            result = unsafe withUnsafePointer(to: &name) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, 28) }
            }
        } else {
            var name = sockaddr_in()
            name.sin_family = UInt16(AF_INET)
            name.sin_port = port.bigEndian
            try require(unsafe inet_pton(AF_INET, address, &name.sin_addr) == 1, address)
            result = unsafe withUnsafePointer(to: &name) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe connect(descriptor, $0, 16) }
            }
        }
        if result < 0 { result = errno }
        return (descriptor, result)
    }

    /// getsockname(2) of an accepted connection, as text.
    static func meant(_ listener: Int32) throws -> String {
        guard let accepted = try System.accept(Descriptor(listener)) else { throw Child.Failed(description: "nobody") }
        var name = sockaddr_in6()
        var size = socklen_t(28)
        let result = unsafe withUnsafeMutablePointer(to: &name) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe getsockname(accepted.borrowed.number, $0, &size)
            }
        }
        try require(result == 0, "getsockname")
        var text = [CChar](repeating: 0, count: 64)
        _ = unsafe inet_ntop(AF_INET6, &name.sin6_addr, &text, 64)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + " \(UInt16(bigEndian: name.sin6_port))"
    }

    @Test func `a connection to any address arrives, and says which one was meant`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .network]) {
                try System.bringLoopbackUp()
                let sockets = try Self.egress([80, 443]).makeSockets()
                try requireEqual(sockets.count, 5)
                for (address, seen) in [
                    ("93.184.216.34", "::ffff:93.184.216.34"), ("198.18.0.7", "::ffff:198.18.0.7"),
                    ("10.0.0.1", "::ffff:10.0.0.1"), ("127.0.0.1", "::ffff:127.0.0.1"),
                    ("2606:2800:220:1::1", "2606:2800:220:1::1"), ("::1", "::1"),
                ] {
                    for (port, listener) in [(UInt16(80), sockets[3]), (443, sockets[4])] {
                        try requireEqual(try Self.dial(address, port).error, 0)
                        try requireEqual(try Self.meant(listener), "\(seen) \(port)")
                    }
                }
            }
        }
    }

    @Test func `every other port refuses at once, by TCP and by UDP`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .network]) {
                try System.bringLoopbackUp()
                _ = try Self.egress([443]).makeSockets()
                let start = System.monotonicNanoseconds()
                for address in ["93.184.216.34", "2606:2800:220:1::1"] {
                    for port: UInt16 in [80, 444, 25, 65535] {
                        try requireEqual(try Self.dial(address, port).error, ECONNREFUSED)
                    }
                    let datagram = try Self.dial(address, 53, kind: 2)
                    try requireEqual(datagram.error, 0)
                    _ = unsafe send(datagram.socket, "x", 1, 0)
                    var byte: UInt8 = 0
                    try requireEqual(unsafe recv(datagram.socket, &byte, 1, 0), -1)
                    try requireEqual(errno, ECONNREFUSED)
                }
                try require(System.monotonicNanoseconds() - start < 2_000_000_000, "it took long")
            }
        }
    }

    @Test func `name server and proxy are on their own address alone`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .network]) {
                try System.bringLoopbackUp()
                _ = try Self.egress([]).makeSockets()
                for port: UInt16 in [53, 3128] {
                    try requireEqual(try Self.dial("127.0.0.53", port).error, 0)
                    try requireEqual(try Self.dial("127.0.0.1", port).error, ECONNREFUSED)
                    try requireEqual(try Self.dial("8.8.8.8", port).error, ECONNREFUSED)
                }
            }
        }
    }

    @Test func `nothing is left open where one socket cannot be had`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .network]) {
                try System.bringLoopbackUp()
                // Port 3128 twice: the second time somebody listens there.
                let before = try System.open("/proc/self/fd", [.readOnly, .directory])
                let count = try System.names(in: before.borrowed).count
                try requireFailure(.addressInUse) { () throws(SystemError) in
                    _ = try Self.egress([3128, 3128]).makeSockets()
                }
                let after = try System.open("/proc/self/fd", [.readOnly, .directory])
                try requireEqual(try System.names(in: after.borrowed).count, count + 1)
            }
        }
    }

    @Test func `an empty root has no name in it, and cannot be written`() async {
        await #expect(processExitsWith: .success) {
            try Child.run(in: [.user, .mount]) {
                try EmptyRoot.enter()
                try requireFailure(.notFound) { () throws(SystemError) in _ = try System.status("/proc") }
                try requireFailure(.readOnly) { () throws(SystemError) in
                    try System.makeDirectory("/x", mode: 0o755)
                }
            }
        }
    }
}
