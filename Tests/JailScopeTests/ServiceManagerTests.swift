import Glibc
import JailCore
import TestSupport
import Testing

@testable import JailPlan
@testable import JailScope

@Suite(.timeLimit(.minutes(1))) struct `A service manager` {
    private func start(_ script: [FakeManager.Line], patience: Int64 = 5000) throws -> Result<Void, JailError> {
        let manager = try FakeManager(script)
        return withExtendedLifetime(manager) {
            Result { () throws(JailError) in
                try ServiceManager(socket: manager.socket, patience: patience).startScope("a.scope", description: "d")
            }
        }
    }

    private func expectFailure(
        _ script: [FakeManager.Line], _ part: String, patience: Int64 = 5000,
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        guard case .failure(let error) = try start(script, patience: patience) else {
            Issue.record("it was taken for a success", sourceLocation: location)
            return
        }
        #expect(error.stage == .cgroup, sourceLocation: location)
        #expect(error.description.contains(part), "\(error)", sourceLocation: location)
        #expect(error.hint?.contains("systemd-run --user --scope -p Delegate=yes") == true, sourceLocation: location)
        #expect(!error.description.contains("\n"), sourceLocation: location)
    }

    private static let done = FakeManager.removed("a.scope", "done")
    private static let begin: [FakeManager.Line] = [FakeManager.ok, .listen]

    @Test func `the scope is there once its job is done`() throws {
        try start(Self.begin + [.say(FakeManager.accepted), .pause(50), .say(Self.done), .wait]).get()
        // In one piece, in the other order, and between news about others.
        let others = FakeManager.removed("b.scope", "failed") + `Messages of D-Bus`.call.bytes
        try start(Self.begin + [.say(others + Self.done + others + FakeManager.accepted), .wait]).get()
        // In pieces of one byte.
        try start(Self.begin + (FakeManager.accepted + Self.done).map { .say([$0]) } + [.wait]).get()
    }

    @Test func `a refusal is told in the manager's words`() throws {
        let text = "Unit a.scope was already loaded\u{1B}[31m\nor has a fragment file."
        try expectFailure(
            Self.begin + [.say(FakeManager.refused("org.freedesktop.systemd1.UnitExists", text)), .wait],
            "org.freedesktop.systemd1.UnitExists: Unit a.scope was already loaded\\u{1b}[31m\\nor has")
    }

    @Test func `a job that fails is no scope`() throws {
        try expectFailure(
            Self.begin + [.say(FakeManager.accepted + FakeManager.removed("a.scope", "failed")), .wait],
            "the job of a.scope ended with 'failed'")
    }

    @Test func `another unit's job is not waited for`() throws {
        try expectFailure(
            Self.begin + [.say(FakeManager.accepted + FakeManager.removed("b.scope", "done")), .wait],
            "did not answer within 300 ms", patience: 300)
    }

    @Test(arguments: [0, 1, 2, 3]) func `a manager that says nothing more does not hold the launch`(said: Int) throws {
        let script: [FakeManager.Line] = [FakeManager.ok, .listen, .say(FakeManager.accepted)]
        let before = System.monotonicNanoseconds()
        try expectFailure(script.prefix(said) + [.wait], "did not answer within 300 ms", patience: 300)
        #expect(System.monotonicNanoseconds() - before < 5_000_000_000)
    }

    @Test func `one that talks without end does not either`() throws {
        let noise = [FakeManager.Line](repeating: .say(FakeManager.removed("b.scope", "done")), count: 200_000)
        try expectFailure(Self.begin + noise + [.wait], "did not answer within 300 ms", patience: 300)
    }

    @Test func `one that hangs up, or talks of something else, is no manager`() throws {
        try expectFailure([], "closed the connection")
        try expectFailure(Self.begin, "closed the connection")
        try expectFailure(Self.begin + [.say(Array(Self.done.prefix(30)))], "closed the connection")
        try expectFailure(Self.begin + [.say(Array("HTTP/1.1 200 OK\r\n\r\n".utf8)), .wait], "no D-Bus message")
        try expectFailure(
            Self.begin + [.say([0x6C, 4, 0, 1] + [UInt8](repeating: 0xFF, count: 12)), .wait], "no D-Bus message")
        try expectFailure([.say(Array("REJECTED EXTERNAL\r\n".utf8)), .wait], "does not accept this user")
        try expectFailure([.say([UInt8](repeating: 0x4F, count: 600)), .wait], "no D-Bus message")
    }

    @Test func `nobody there is told with the path`() {
        let error = failure { () throws(JailError) in
            try ServiceManager(socket: "/nowhere/private").startScope("a.scope", description: "d")
        }
        #expect(error?.description.hasPrefix("cgroup: connect '/nowhere/private': ") == true)
    }

    @Test func `a question whether it is there is answered, or fails`() throws {
        var pong = DBusMessage(.reply, serial: 5)
        pong.replySerial = 1
        let manager = try FakeManager(Self.begin + [.say(pong.bytes), .wait])
        try ServiceManager(socket: manager.socket).ping()
        let silent = try FakeManager([FakeManager.ok, .wait])
        #expect(
            failure { () throws(JailError) in try ServiceManager(socket: silent.socket, patience: 300).ping() }?
                .operation
                == "Ping")
    }

    @Test(arguments: [("b", 1, true), ("b", 0, false), ("u", 1, nil)] as [(String, UInt32, Bool?)])
    func `whether a unit is delegated is the manager's to say`(type: String, value: UInt32, answer: Bool?) throws {
        var reply = DBusMessage(.reply, serial: 5)
        reply.replySerial = 1
        reply.signature = "v"
        var body = DBusWriter()
        body.signature(type)
        body.number(value)
        reply.body = body.bytes
        let manager = try FakeManager(Self.begin + [.say(reply.bytes), .wait])
        let found = withExtendedLifetime(manager) {
            try? ServiceManager(socket: manager.socket).delegates(to: "a.service")
        }
        #expect(found == answer)
    }

    @Test func `a unit that has no such property is not delegated`() throws {
        let manager = try FakeManager(Self.begin + [.say(FakeManager.refused("a.b.UnknownInterface", "no")), .wait])
        #expect(try !ServiceManager(socket: manager.socket).delegates(to: "a.slice"))
        #expect(DelegationRequest.escaped("1a-B.scope") == "_31a_2dB_2escope")
        #expect(
            DelegationRequest(unit: "a.scope").message(serial: 1).path == "/org/freedesktop/systemd1/unit/a_2escope")
    }

    // MARK: Entering

    private func enter(_ path: String, controllers: String) throws -> Result<String, JailError> {
        let host = try TemporaryDirectory()
        let unit = "clawjail-x-\(System.processID).scope"
        try host.directory(unit)
        try host.file("\(unit)/cgroup.controllers", controllers)
        let membership = try host.file("membership", "1:name=x:/\n0::\(path.replacing("UNIT", with: unit))\n")
        let manager = try FakeManager(
            Self.begin + [.say(FakeManager.accepted + FakeManager.removed(unit, "done")), .wait])
        let plan = ScopePlan(manager: .user, socket: manager.socket, prefix: "clawjail-x", description: "d")
        return withExtendedLifetime(manager) {
            Result { () throws(JailError) in
                let found = try plan.enter(needing: [.memory, .pids], mount: host.path, membership: membership)
                return found == "\(host.path)/\(unit)" ? "there" : found
            }
        }
    }

    @Test func `where the scope is, the kernel says`() throws {
        #expect(try enter("/UNIT", controllers: "cpu memory pids\n").get() == "there")
        guard case .failure(let elsewhere) = try enter("/user.slice/session-1.scope", controllers: "") else {
            Issue.record("a scope that we are not in was accepted")
            return
        }
        #expect(elsewhere.reason.contains("has not put this process into clawjail-x-"))
        guard case .failure(let poor) = try enter("/UNIT", controllers: "cpu\n") else {
            Issue.record("a scope without controllers was accepted")
            return
        }
        #expect(poor.reason == "the scope has no controller memory, pids")
    }

    /// Who listens is who it was at listen(2), and a process of its own can be somebody else for that.
    @Test(.needsRoot) func `another user's socket is told nothing`() async {
        await #expect(processExitsWith: .success) {
            let directory = try TemporaryDirectory()
            let path = "\(directory.path)/private"
            let listener = try System.makeUnixSocket(.stream)
            try System.bind(listener.borrowed, path: path)
            try #require(seteuid(65534) == 0)
            try System.listen(listener.borrowed)
            try #require(seteuid(0) == 0)
            do throws(JailError) { try ServiceManager(socket: path, patience: 300).ping() } catch {
                #expect(error.description.contains("user 65534 listens there"), "\(error)")
            }
            guard let caller = try System.accept(listener.borrowed) else { throw SystemError(.accept, .wouldBlock) }
            #expect(try System.read(caller.borrowed, most: 64).isEmpty)
        }
    }
}
