import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `The deciders' socket` {
    private struct Fixture: ~Copyable {
        let base: TemporaryDirectory
        let directory: RunDirectory
        let doors: String
        var socket: DeciderSocket
        var now: Int64 = 1_000_000_000_000

        init() throws {
            let base = try TemporaryDirectory()
            let doors = base.path + "/doors"
            let directory = try RunDirectory.claim("jail", in: base.path + "/run") { _ in true }
            let listener = try directory.makeDeciderSocket(in: doors)
            self.base = base
            self.doors = doors
            self.directory = directory
            socket = DeciderSocket(listener)
        }

        var path: String {
            get throws {
                let names = try JailLaunchTests.names(in: doors)
                return doors + "/" + (try #require(names.first))
            }
        }

        func connect(saying bytes: [UInt8]? = nil) throws -> SharedDescriptor {
            let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
            try System.connect(socket.borrowed, path: try path)
            if let bytes { try System.send(socket.borrowed, bytes) }
            return socket
        }

        mutating func settle() throws -> [ApprovalOrder] {
            var orders: [ApprovalOrder] = []
            while true {
                var entries = socket.pollEntries
                try System.poll(&entries, milliseconds: 0)
                let ready = System.PollResult(entries)
                if ready.isEmpty { return orders }
                orders += socket.handle(ready, now: now).map(\.order)
            }
        }
    }

    @Test func `orders of approvals are heard, and nothing else is`() throws {
        var fixture = try Fixture()
        let order = try #require(ApprovalOrder(.stop, reason: "late", token: nil))
        let kept = try fixture.connect(saying: ControlRequest.approvals(order).bytes)
        #expect(try fixture.settle() == [order])
        for request in [.stop, .kill, .state, .pause, .plan, .figures, .recent] as [ControlRequest] {
            let caller = try fixture.connect(saying: request.bytes)
            #expect(try fixture.settle().isEmpty)
            #expect(throws: SystemError.self) { try System.send(caller.borrowed, request.bytes) }
        }
        withExtendedLifetime(kept) {}
    }

    @Test func `one user's silent callers are few, and so are their calls at a time`() throws {
        var fixture = try Fixture()
        var callers: [SharedDescriptor] = []
        for _ in 0..<(DeciderSocket.mostOfOne + 3) { callers.append(try fixture.connect()) }
        #expect(try fixture.settle().isEmpty)
        #expect(fixture.socket.pollEntries.count == 1 + DeciderSocket.mostOfOne)
    }

    @Test func `calls that come too fast are not heard, and others are`() {
        var rates = CallerRates()
        var now: Int64 = 1_000_000_000_000
        func heard(_ uid: UInt32, of calls: Int) -> Int {
            var count = 0
            for _ in 0..<calls where rates.take(uid, now: now) { count += 1 }
            return count
        }
        #expect(heard(1, of: 30) == Int(CallerRates.most))
        #expect(heard(2, of: 1) == 1)
        now += CallerRates.interval * 2
        #expect(heard(1, of: 30) == 2)
        for uid in UInt32(3)...1000 { _ = heard(uid, of: 1) }
        #expect(heard(1001, of: 1) == 0 && heard(0, of: 1) == 1)
        now += CallerRates.interval * CallerRates.most
        #expect(heard(1001, of: 1) == 1)
    }

    @Test func `its name says nothing of the jail, and goes with the run directory`() throws {
        let base = try TemporaryDirectory()
        let doors = base.path + "/doors"
        let directory = try RunDirectory.claim("jail", in: base.path + "/run") { _ in true }
        _ = try directory.makeDeciderSocket(in: doors)
        _ = try directory.makeDeciderSocket(in: doors)
        func names() throws -> [String] { try JailLaunchTests.names(in: doors) }
        #expect(try names().count == 1, "one that came before is removed")
        #expect(try names().allSatisfy { $0.utf8.count == 37 && $0.hasSuffix(".sock") && !$0.contains("jail") })
        directory.remove()
        #expect(try names().isEmpty)
    }

    @Test func `a directory that somebody else may write to is refused`() throws {
        let base = try TemporaryDirectory()
        let doors = base.path + "/doors"
        try System.makeDirectory(doors, mode: 0o755)
        try System.changeMode(doors, 0o777)
        let directory = try RunDirectory.claim("jail", in: base.path + "/run") { _ in true }
        #expect(throws: JailError.self) { _ = try directory.makeDeciderSocket(in: doors) }
        directory.remove()
    }
}

private func names(in path: String) throws -> [String] {
    let directory = SharedDescriptor(try System.open(path, [.readOnly, .directory]))
    return try withExtendedLifetime(directory) { try System.names(in: directory.borrowed).map(\.name) }
}
