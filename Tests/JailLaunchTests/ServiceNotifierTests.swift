import Glibc
import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `Telling the service manager` {
    /// What systemd would be: a datagram socket at a path.
    private final class Manager {
        let place: TemporaryDirectory
        let socket: SharedDescriptor
        var path: String { place.path + "/notify" }

        init() throws {
            place = try TemporaryDirectory()
            socket = SharedDescriptor(try System.makeUnixSocket(.datagram))
            try System.bind(socket.borrowed, path: place.path + "/notify")
            try System.setNonBlocking(socket.borrowed)
        }

        func next() -> String? {
            guard let bytes = try? System.receive(socket.borrowed, most: 4096).bytes else { return nil }
            return String(decoding: bytes, as: UTF8.self)
        }

        func all() -> [String] {
            var messages: [String] = []
            while let message = next() { messages.append(message) }
            return messages
        }
    }

    @Test func `a start, health, illness and the end`() throws {
        let manager = try Manager()
        let notifier = try ServiceNotifier(socket: manager.path, pingInterval: 1_000_000_000)
        notifier.starting("starting", period: 60_000)
        #expect(manager.all() == ["EXTEND_TIMEOUT_USEC=90000000\nSTATUS=starting"])
        #expect(notifier.due == nil)
        notifier.ready("healthy")
        #expect(manager.all() == ["READY=1\nSTATUS=healthy"])
        let first = try #require(notifier.due)
        notifier.work(now: first)
        notifier.work(now: first + 1)
        #expect(manager.all() == ["WATCHDOG=1"] && notifier.due == first + 1_000_000_000)
        notifier.ailing("unhealthy: a\nREADY=1")
        notifier.work(now: first + 10_000_000_000)
        #expect(manager.all() == ["STATUS=unhealthy: a\\nREADY=1"] && notifier.due == nil)
        notifier.ready("healthy")
        #expect(manager.all() == ["STATUS=healthy"] && notifier.due != nil)
        notifier.stopping("stopping", grace: 300_000)
        #expect(manager.all() == ["STOPPING=1\nEXTEND_TIMEOUT_USEC=330000000\nSTATUS=stopping"])
        notifier.stopping("stopping", grace: 300_000)
        notifier.ready("healthy")
        notifier.work(now: first + 20_000_000_000)
        #expect(manager.all().isEmpty && notifier.due == nil)
    }

    @Test func `without anything to wait for it is ready at once`() throws {
        let manager = try Manager()
        let notifier = try ServiceNotifier(socket: manager.path, pingInterval: nil)
        notifier.starting("running", period: nil)
        #expect(manager.all() == ["READY=1\nSTATUS=running"] && notifier.due == nil)
    }

    @Test func `a name with @ is an abstract one`() throws {
        let socket = try System.makeUnixSocket(.datagram)
        try System.setNonBlocking(socket.borrowed)
        let name = "clawjail-test-\(System.processID)"
        try #require(bindAbstract(socket.borrowed, name))
        try ServiceNotifier(socket: "@" + name, pingInterval: nil).ready("x")
        #expect(try System.receive(socket.borrowed, most: 64).bytes == Array("READY=1\nSTATUS=x".utf8))
    }

    private func bindAbstract(_ socket: Descriptor, _ name: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: [0] + Array(name.utf8)) }
        let length = socklen_t(3 + name.utf8.count)
        return unsafe withUnsafePointer(to: &address) {
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(socket.number, $0, length) == 0
            }
        }
    }

    @Test func `a full queue is tried again, in order, and nothing waits`() throws {
        let manager = try Manager()
        let filler = try System.makeUnixSocket(.datagram)
        let name = Array(manager.path.utf8)
        var count = 0
        while (try? System.sendDatagram(filler.borrowed, to: name, [0x78])) != nil { count += 1 }
        let notifier = try ServiceNotifier(socket: manager.path, pingInterval: nil)
        notifier.starting("starting", period: 1)
        notifier.ready("healthy")
        let due = try #require(notifier.due)
        #expect(manager.all() == Array(repeating: "x", count: count))
        notifier.work(now: due - 1)
        #expect(manager.next() == nil)
        notifier.work(now: due)
        #expect(manager.all().map { String($0.prefix(6)) } == ["EXTEND", "READY="] && notifier.due == nil)
        #expect(notifier.takeNotes().isEmpty)
    }

    @Test func `a manager that is gone is noted, once`() throws {
        let notifier = try ServiceNotifier(socket: "/nowhere/at/all", pingInterval: nil)
        notifier.ready("a")
        notifier.ready("b")
        let notes = notifier.takeNotes()
        #expect(notes.count == 1 && notes[0].contains("No such file or directory"), "\(notes)")
    }

    private static func make(_ variables: [String: String]) throws -> ServiceNotifier? {
        try ServiceNotifier(environment: { variables[$0] }, pid: 7)
    }

    @Test func `the environment says whom to tell, and how often`() throws {
        #expect(try Self.make([:]) == nil)
        #expect(try Self.make(["NOTIFY_SOCKET": ""]) == nil)
        let manager = try Manager()
        var variables = ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "3000000"]
        func interval() throws -> Int64? {
            let notifier = try #require(try Self.make(variables))
            defer { _ = manager.all() }
            notifier.ready("x")
            guard let due = notifier.due else { return nil }
            notifier.work(now: due)
            return notifier.due.map { $0 - due }
        }
        #expect(try interval() == 1_500_000_000)
        variables["WATCHDOG_PID"] = "7"
        #expect(try interval() == 1_500_000_000)
        variables["WATCHDOG_PID"] = "8"
        #expect(try interval() == nil)
        variables = ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "x"]
        #expect(try interval() == nil)
        // More than can be counted: still an interval, and not a loop without a pause.
        for limit in [Int64.max, .max / 1000, .max / 500, 1 << 54] {
            variables["WATCHDOG_USEC"] = "\(limit)"
            #expect(try #require(try interval()) > 1_000_000_000)
        }
    }

    @Test(arguments: ["relative", "@", "/", "vsock:2:1234", "/" + String(repeating: "a", count: 108)])
    func `what is no name of a socket is said`(name: String) {
        #expect(throws: JailError.self) { try Self.make(["NOTIFY_SOCKET": name]) }
    }
}
