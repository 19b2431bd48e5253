import JailCore
import JailNetwork
import JailPolicy
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1)))
struct `Published ports` {
    static let loopback: UInt32 = 0x7F00_0001

    static func listener() throws -> SharedDescriptor {
        let socket = try System.makeInternetSocket()
        try System.bind(socket.borrowed, address: loopback, port: 0)
        try System.listen(socket.borrowed)
        return SharedDescriptor(socket)
    }

    /// A port that nothing listens on.
    static func freePort() throws -> UInt16 {
        let socket = try System.makeInternetSocket()
        try System.bind(socket.borrowed, address: loopback, port: 0)
        return try System.localPort(socket.borrowed)
    }

    /// Lets the publisher work until the condition holds; the suite's time limit bounds it.
    static func run(_ publisher: inout PortPublisher, until condition: () throws -> Bool) throws {
        while try !condition() {
            var entries = publisher.pollEntries
            try System.poll(&entries, milliseconds: 20)
            let ready = System.PollResult(entries)
            for _ in 0..<publisher.handle(ready) { publisher.deliver(try System.makeInternetSocket()) }
        }
    }

    static func connect(_ port: UInt16) throws -> SharedDescriptor {
        let client = try System.makeInternetSocket()
        _ = try System.connect(client.borrowed, address: loopback, port: port)
        return SharedDescriptor(client)
    }

    /// What can be read now; nil at the end.
    static func read(_ socket: Descriptor) throws -> [UInt8]? {
        do throws(SystemError) {
            let bytes = try System.read(socket, most: 65536)
            return bytes.isEmpty ? nil : bytes
        } catch  where error.errno == .wouldBlock { return [] }
    }

    @Test func `an answer that must not get out does not, nor anything after it`() throws {
        let server = try Self.listener()
        let port = PublishedPort(
            hostPort: try Self.freePort(), jailPort: try System.localPort(server.borrowed))
        var publisher = try PortPublisher([port])
        publisher.inspector = { port in
            { bytes in port == 0 || !bytes.contains(UInt8(ascii: "!")) }
        }
        let client = try Self.connect(port.hostPort)
        var accepted: SharedDescriptor?
        try Self.run(&publisher) {
            guard let socket = try System.accept(server.borrowed) else { return false }
            accepted = SharedDescriptor(socket)
            return true
        }
        let peer = try #require(accepted).borrowed
        // What comes in is nobody's business.
        try System.writeAll(client.borrowed, "ask!")
        try Self.run(&publisher) { try Self.read(peer) == Array("ask!".utf8) }
        try System.writeAll(peer, "one")
        try Self.run(&publisher) { try Self.read(client.borrowed) == Array("one".utf8) }
        try System.writeAll(peer, "two!")
        var heard: [UInt8] = []
        try Self.run(&publisher) {
            // It is cut off, perhaps with a reset.
            guard let part = try? Self.read(client.borrowed) else { return true }
            heard += part
            return false
        }
        #expect(heard.isEmpty)
    }

    @Test func `bytes go both ways, and each half is closed by itself`() throws {
        let server = try Self.listener()
        let port = PublishedPort(
            hostPort: try Self.freePort(), jailPort: try System.localPort(server.borrowed))
        var publisher = try PortPublisher([port])
        let client = try Self.connect(port.hostPort)
        var accepted: SharedDescriptor?
        try Self.run(&publisher) {
            guard let socket = try System.accept(server.borrowed) else { return false }
            accepted = SharedDescriptor(socket)
            return true
        }
        let peer = try #require(accepted).borrowed
        try System.writeAll(client.borrowed, "question")
        try System.shutdownWriting(client.borrowed)
        var heard: [UInt8] = []
        try Self.run(&publisher) {
            guard let part = try Self.read(peer) else { return true }
            heard += part
            return false
        }
        #expect(heard == Array("question".utf8))
        // The client has closed its half, and still hears the answer.
        try System.writeAll(peer, "answer")
        try System.shutdownWriting(peer)
        var answer: [UInt8] = []
        try Self.run(&publisher) {
            guard let part = try Self.read(client.borrowed) else { return true }
            answer += part
            return false
        }
        #expect(answer == Array("answer".utf8))
        #expect(publisher.pollEntries.count == 1)
    }

    @Test func `a port that nothing listens on inside ends the connection`() throws {
        let port = PublishedPort(hostPort: try Self.freePort(), jailPort: try Self.freePort())
        var publisher = try PortPublisher([port])
        let client = try Self.connect(port.hostPort)
        try Self.run(&publisher) {
            let events = try System.pollNow(client.borrowed, System.PollEvents.readable)
            return events & (System.PollEvents.readable | System.PollEvents.hangUp) != 0
        }
        #expect(publisher.pollEntries.count == 1)
    }

    @Test func `a socket that nobody waits for is closed`() async {
        await #expect(processExitsWith: .success) {
            var publisher = try PortPublisher([])
            let socket = try System.makeInternetSocket()
            let number = socket.borrowed.number
            publisher.deliver(socket)
            #expect(!System.isOpen(number))
            #expect(publisher.isEmpty && publisher.pollEntries.isEmpty)
        }
    }

    @Test func `a port that is taken is refused, with what to do`() throws {
        let taken = try Self.listener()
        let port = PublishedPort(hostPort: try System.localPort(taken.borrowed), jailPort: 1)
        let error = failure { () throws(JailError) in _ = try PortPublisher([port]) }
        #expect(error?.stage == .network && error?.path == "127.0.0.1:\(port.hostPort)")
        #expect(error?.hint?.contains("--publish") == true)
    }
}
