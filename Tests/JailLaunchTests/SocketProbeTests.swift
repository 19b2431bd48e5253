import JailCore
import Testing

@testable import JailLaunch

struct `One question to a port` {
    /// A listener of this process's own, and a probe that connects to it.
    private final class Pair {
        let listener: SharedDescriptor
        let port: UInt16
        let probe: SocketProbe
        var peer: SharedDescriptor?

        init(path: String? = "/healthz") throws {
            let listener = SharedDescriptor(try System.makeInternetSocket())
            try System.bind(listener.borrowed, address: 0x7F00_0001, port: 0)
            try System.listen(listener.borrowed)
            self.listener = listener
            port = try System.localPort(listener.borrowed)
            probe = SocketProbe(try System.makeInternetSocket(), port: port, path: path)
            step()
            if let peer = try System.accept(listener.borrowed) { self.peer = SharedDescriptor(peer) }
        }

        /// What the supervisor's loop does, once, without waiting long.
        func step() {
            var entries = probe.pollEntries
            guard !entries.isEmpty else { return }
            try? System.poll(&entries, milliseconds: 20)
            probe.handle(System.PollResult(entries))
        }

        func answer(_ text: String) throws {
            let peer = try #require(peer)
            try? System.writeAll(peer.borrowed, text)
            for _ in 0..<3 { step() }
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n", SocketProbe.Outcome.healthy), ("HTTP/1.0 204\r\n\r\n", .healthy),
        ("HTTP/1.1 399 x\n", .healthy), ("HTTP/1.1 503 Service Unavailable\r\n", .failed("status 503")),
        ("HTTP/1.1 199 x\r\n", .failed("status 199")), ("HTTP/1.1 400 x\r\n", .failed("status 400")),
        ("HTTP/2.0 200 OK\r\n", .failed("the answer is not HTTP")),
        ("HTTP/1.1 2000 OK\r\n", .failed("the answer is not HTTP")),
        ("HTTP/1.1 20\r\n", .failed("the answer is not HTTP")),
        ("HTTP/1.1 2x0 OK\r\n", .failed("the answer is not HTTP")),
        ("HTTP/1.1\r\n", .failed("the answer is not HTTP")), ("\n", .failed("the answer is not HTTP")),
        ("SSH-2.0-OpenSSH\r\n", .failed("the answer is not HTTP")), ("HTTP/1.1 200 OK", .pending),
        (String(repeating: "a", count: 1023), .pending),
        (String(repeating: "a", count: 1024), .failed("the answer is not HTTP")),
        ("HTTP/1.1 200 " + String(repeating: "a", count: 70_000), .failed("the answer is not HTTP")),
    ])
    func `the first line decides`(text: String, outcome: SocketProbe.Outcome) throws {
        let pair = try Pair()
        try pair.answer(text)
        #expect(pair.probe.outcome == outcome)
    }

    @Test func `it asks for the path, and wants the connection closed`() throws {
        let pair = try Pair(path: "/a?b=c")
        pair.step()
        let peer = try #require(pair.peer)
        let request = String(decoding: try System.read(peer.borrowed, most: 4096), as: UTF8.self)
        #expect(
            request
                == "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:\(pair.port)\r\nUser-Agent: clawjail\r\nAccept: */*\r\n"
                + "Connection: close\r\n\r\n")
        #expect(pair.probe.outcome == .pending)
    }

    @Test func `a peer that closes has not answered`() throws {
        let silent = try Pair()
        silent.peer = nil
        for _ in 0..<3 { silent.step() }
        guard case .failed = silent.probe.outcome else {
            Issue.record("\(silent.probe.outcome)")
            return
        }
        let half = try Pair()
        _ = try System.read(try #require(half.peer).borrowed, most: 4096)
        try half.answer("HTTP/1.1 2")
        half.peer = nil
        for _ in 0..<3 { half.step() }
        #expect(half.probe.outcome == .failed("the answer ends in its first line"))
    }

    @Test func `without a path a connection is enough, and nobody listening is too little`() throws {
        #expect(try Pair(path: nil).probe.outcome == .healthy)
        let port = try Pair(path: nil).port
        let probe = SocketProbe(try System.makeInternetSocket(), port: port, path: nil)
        var entries = probe.pollEntries
        if !entries.isEmpty {
            try System.poll(&entries, milliseconds: 100)
            probe.handle(System.PollResult(entries))
        }
        #expect(probe.outcome == .failed("nothing listens"))
    }

    /// As it happens by chance to who asks a port of those that the kernel gives to clients.
    @Test func `a connection of the probe with itself is nobody listening`() throws {
        let socket = try System.makeInternetSocket()
        try System.bind(socket.borrowed, address: 0x7F00_0001, port: 0)
        let port = try System.localPort(socket.borrowed)
        let probe = SocketProbe(socket, port: port, path: nil)
        var entries = probe.pollEntries
        if !entries.isEmpty {
            try System.poll(&entries, milliseconds: 100)
            probe.handle(System.PollResult(entries))
        }
        #expect(probe.outcome == .failed("nothing listens"))
    }

    @Test func `what is no socket of the network fails, and nothing waits for it`() throws {
        let pipe = try System.pipe().release()
        System.close(pipe.writeEnd)
        let probe = SocketProbe(OwnedDescriptor(pipe.readEnd), port: 1, path: nil)
        guard case .failed = probe.outcome else {
            Issue.record("\(probe.outcome)")
            return
        }
    }
}
