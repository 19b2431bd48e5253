import JailCore
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `A marker of a lockdown` {
    private let place: TemporaryDirectory

    init() throws { place = try TemporaryDirectory() }

    private func refusal(_ name: String, gateway: String? = nil) throws -> JailError? {
        let plan = LaunchPlan.bare {
            $0.name = name
            $0.gateway = gateway
            $0.stateDirectory = place.path
        }
        do throws(JailError) {
            try LockdownMarker.check(plan)
            return nil
        } catch { return error }
    }

    @Test func `of a name keeps that jail from starting, and its sessions, and nobody else`() throws {
        #expect(try refusal("a") == nil)
        try LockdownMarker.write(["reason": "x"], for: .jail("a"), in: place.path)
        let error = try #require(try refusal("a"))
        #expect(error.status == ExitStatus.configuration && error.description.contains("unlock a"))
        #expect(try refusal("s", gateway: "a") != nil)
        #expect(try refusal("b") == nil && refusal("a", gateway: "b") == nil)
    }

    @Test func `of a session is that session's, and tells it nothing`() throws {
        try LockdownMarker.write(["reason": "secret"], for: .session("s", of: "g"), in: place.path)
        let error = try #require(try refusal("s", gateway: "g"))
        #expect(error.hint == nil && !error.description.contains("secret"))
        #expect(try refusal("s") == nil && refusal("g") == nil && refusal("t", gateway: "g") == nil)
    }

    @Test func `of all keeps everything from starting, and garbled it does the same`() throws {
        try place.directory("lockdown", mode: 0o700)
        try place.file("lockdown/ALL.json", "\0 no JSON")
        #expect(try refusal("a")?.description.contains("all jails") == true)
        #expect(try refusal("s", gateway: "g") != nil)
    }

    @Test func `that cannot be looked for counts as there`() throws {
        try place.file("lockdown", "a file where the directory should be")
        #expect(try refusal("a")?.status == ExitStatus.configuration)
    }

    @Test func `is lifted with a line of history`() throws {
        try LockdownMarker.write(["reason": "x"], for: .jail("a"), in: place.path)
        try LockdownMarker.write(["reason": "y"], for: .all, in: place.path)
        #expect(try LockdownMarker.all(in: place.path) == [.all, .jail("a")])
        try LockdownMarker.remove(.all, in: place.path, history: ["unlocked": "--all"])
        try LockdownMarker.remove(.jail("a"), in: place.path, history: ["unlocked": "a"])
        #expect(try refusal("a") == nil && LockdownMarker.all(in: place.path).isEmpty)
        #expect(
            try place.read("lockdown/\(LockdownMarker.historyFile)")
                == "{\"unlocked\":\"--all\"}\n{\"unlocked\":\"a\"}\n")
    }

    @Test func `orders and seals come back as they were sent, and nothing else is one`() throws {
        let order = try #require(LockdownOrder(reason: "because: a=b", who: "root"))
        #expect(LockdownOrder(bytes: order.bytes) == order)
        #expect(LockdownOrder(reason: "", who: "") == nil && LockdownOrder(reason: "two\nlines", who: "") == nil)
        let seal = try #require(LockdownSeal(archive: "/a", digest: String(repeating: "0a", count: 32)))
        #expect(LockdownSeal(bytes: seal.bytes) == seal)
        #expect(
            LockdownSeal(archive: "a", digest: seal.digest) == nil && LockdownSeal(archive: "/a", digest: "0a") == nil)
        #expect(LockdownOrder(bytes: seal.bytes) == nil && LockdownSeal(bytes: order.bytes) == nil)
        #expect(LockdownOrder(bytes: []) == nil && LockdownOrder(bytes: [0]) == nil)
    }

    @Test func `a connection that was handed into a jail takes no order that is not for it`() throws {
        var fixture = try `The control socket`.Fixture()
        for request in [ControlRequest.pause, .resume, .plan, .fileSystems, .restrict] {
            let caller = try fixture.connect()
            try System.send(caller.borrowed, ControlRequest.restrict.bytes)
            #expect(try fixture.settle().isEmpty)
            try System.send(caller.borrowed, request.bytes)
            #expect(try fixture.settle().isEmpty)
            #expect(try System.pollNow(caller.borrowed, System.PollEvents.readable) & System.PollEvents.hangUp != 0)
        }
        let caller = try fixture.connect()
        try System.send(caller.borrowed, ControlRequest.restrict.bytes)
        try System.send(caller.borrowed, ControlRequest.state.bytes)
        #expect(try fixture.settle().map(\.bytes) == [[0x51]])
        fixture.end()
    }
}
