import DNSMessages
import JailPolicy
import NIOCore
import TestSupport
import Testing

@testable import EgressDNS

private let resolverAddress: UInt32 = 0x7F00_0035

/// The responder on two real sockets of 127.0.0.53.
private struct Served: Sendable {
    let server: DNSServer
    let udpPort: UInt16
    let tcpPort: UInt16
    let eventLoop: any EventLoop

    init(on eventLoop: any EventLoop, limits: DNSServer.Limits = .init()) async throws {
        let (udp, tcp) = (try Socket(.datagram), try Socket(.stream))
        try udp.bind(resolverAddress, port: 0)
        try tcp.bind(resolverAddress, port: 0)
        udpPort = udp.localPort
        tcpPort = tcp.localPort
        let (first, second) = (udp.release(), tcp.release())
        self.eventLoop = eventLoop
        server = try await eventLoop.flatSubmit {
            do {
                let responder = try Recorder().responder(allowed: ["example.org"])
                return DNSServer.start(
                    udp: first, tcp: second, responder: responder, eventLoop: eventLoop, limits: limits)
            } catch {
                return eventLoop.makeFailedFuture(error)
            }
        }.get()
    }

    func datagrams() throws -> Socket {
        let socket = try Socket(.datagram)
        // Connected: an answer from any other address would not arrive.
        try socket.connect(resolverAddress, port: udpPort)
        return socket
    }

    func stream() throws -> Socket {
        let socket = try Socket(.stream)
        try socket.connect(resolverAddress, port: tcpPort)
        return socket
    }
}

private func framed(_ bytes: [UInt8]) -> [UInt8] { [UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes }

private func answer(_ query: DNSQuery) -> [UInt8] {
    DNSReply(to: query, addresses: [.v4(0xC612_0001)], timeToLive: 60).bytes
}

struct `Responder on sockets` {
    private let example: DNSQuery
    private let other: DNSQuery

    init() throws {
        example = try query("example.org", extensions: DNSExtensions(payloadSize: 4_096))
        other = try query("other.example")
    }

    @Test func `datagrams are answered from the address that was asked`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.datagrams()
            socket.send(example.bytes)
            #expect(socket.receive() == answer(example))
            socket.send(other.bytes)
            #expect(socket.receive() == DNSReply(to: other, code: .nameError).bytes)
        }
    }

    @Test func `datagrams of any size and kind do no harm`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.datagrams()
            var generator = Seeded(11)
            for size in [0, 1, 11, 2_047, 2_048, 2_049, 9_000, 65_507] {
                socket.send((0..<size).map { _ in UInt8.random(in: 0...255, using: &generator) | 0x80 })
            }
            socket.send(example.bytes)
            #expect(socket.receive() == answer(example))
        }
    }

    @Test func `a datagram from port 0 does not close the socket`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            try RawDatagram.send(
                example.bytes, from: (0x7F00_0001, 0), to: (resolverAddress, served.udpPort))
            let socket = try served.datagrams()
            socket.send(example.bytes)
            #expect(socket.receive() == answer(example))
        }
    }

    @Test func `queries over TCP are answered in order, in whatever pieces they come`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.stream()
            for byte in framed(example.bytes) { socket.send([byte]) }
            #expect(socket.receiveAll(most: answer(example).count + 2) == framed(answer(example)))
            let pairs = (0..<500).map { _ in framed(example.bytes) + framed(other.bytes) }
            let wanted = framed(answer(example)) + framed(DNSReply(to: other, code: .nameError).bytes)
            socket.send(Array(pairs.joined()))
            #expect(socket.receiveAll(most: wanted.count * 500) == Array((0..<500).map { _ in wanted }.joined()))
        }
    }

    @Test func `a client that has said everything gets all answers, and then the end`() async throws {
        try await withLoop { loop in
            var limits = DNSServer.Limits()
            limits.idle = .minutes(1)
            let served = try await Served(on: loop, limits: limits)
            let socket = try served.stream()
            socket.send(framed(example.bytes) + framed(other.bytes) + [0, 40, 1])
            socket.shutdownWriting()
            #expect(
                socket.receiveAll() == framed(answer(example)) + framed(DNSReply(to: other, code: .nameError).bytes))
            #expect(socket.isClosed())
        }
    }

    @Test(arguments: [
        [0, 0], [0xFF, 0xFF], [0x10, 0x01], [0, 1, 0], [0, 12] + [UInt8](repeating: 0xFF, count: 12),
    ])
    func `a length or message that no query has ends the connection`(bytes: [UInt8]) async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.stream()
            socket.send(bytes)
            #expect(socket.isClosed())
            // And the next one is served.
            let next = try served.stream()
            next.send(framed(example.bytes))
            #expect(next.receiveAll(most: answer(example).count + 2) == framed(answer(example)))
        }
    }

    @Test func `single bytes buy no time`() async throws {
        try await withLoop { loop in
            var limits = DNSServer.Limits()
            limits.idle = .milliseconds(300)
            let served = try await Served(on: loop, limits: limits)
            let socket = try served.stream()
            let start = ContinuousClock.now
            let bytes = framed(example.bytes)
            for byte in bytes.prefix(bytes.count - 1) {
                socket.send([byte])
                try await Task.sleep(for: .milliseconds(30))
                if ContinuousClock.now - start > .milliseconds(900) { break }
            }
            #expect(socket.isClosed())
        }
    }

    @Test func `one connection too many is closed, and a place that is free again is given away`() async throws {
        try await withLoop { loop in
            var limits = DNSServer.Limits()
            limits.connections = 3
            let served = try await Served(on: loop, limits: limits)
            var sockets = try (0..<3).map { _ in try served.stream() }
            for socket in sockets {
                socket.send(framed(example.bytes))
                #expect(socket.receive()?.isEmpty == false)
            }
            let fourth = try served.stream()
            #expect(fourth.isClosed())
            sockets.removeLast()
            try await Task.sleep(for: .milliseconds(200))
            let fifth = try served.stream()
            fifth.send(framed(example.bytes))
            #expect(fifth.receive()?.isEmpty == false)
        }
    }

    @Test func `a client that does not take its answers is cut off`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.stream()
            let batch = Array((0..<1_000).map { _ in framed(example.bytes) }.joined())
            // Until the kernel says that nobody is there, or far more than all buffers hold.
            let sender = Task.detached {
                var sent = 0
                while sent < 1_000, socket.sendAll(batch) { sent += 1 }
                return sent
            }
            #expect(await sender.value < 1_000)
        }
    }

    @Test func `a socket that is gone is told`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            try await loop.submit { served.server.close() }.get()
            try await served.server.closed.get()
        }
    }

    @Test func `with the server its clients go`() async throws {
        try await withLoop { loop in
            let served = try await Served(on: loop)
            let socket = try served.stream()
            socket.send(framed(example.bytes))
            #expect(socket.receiveAll(most: answer(example).count + 2) == framed(answer(example)))
            try await loop.submit { served.server.close() }.get()
            #expect(socket.isClosed())
        }
    }
}
