import JailCore
import TestSupport
import Testing

@testable import JailLaunch

struct `The control socket` {
    /// A socket in a run directory of its own, polled as the supervisor does.
    struct Fixture: ~Copyable {
        let base: TemporaryDirectory
        let directory: RunDirectory
        var callers: ControlSocket

        init() throws {
            let base = try TemporaryDirectory()
            let directory = try RunDirectory.claim("jail", in: base.path) { _ in true }
            let socket = try directory.makeSocket()
            self.base = base
            self.directory = directory
            callers = ControlSocket(socket)
        }

        func connect() throws -> SharedDescriptor {
            let socket = try System.makeUnixSocket(.sequencedPacket)
            try System.connect(socket.borrowed, path: directory.path + "/" + RunDirectory.socketFile)
            return SharedDescriptor(socket)
        }

        /// Handles whatever is ready now, until nothing is.
        mutating func settle() throws -> [ControlRequest] {
            var requests: [ControlRequest] = []
            while true {
                var entries = callers.pollEntries
                try System.poll(&entries, milliseconds: 0)
                let ready = System.PollResult(entries)
                if ready.isEmpty { return requests }
                requests += callers.handle(ready).map(\.request)
            }
        }

        consuming func end() { directory.remove() }
    }

    @Test func `S stops and K kills, and the caller may wait`() throws {
        var fixture = try Fixture()
        let caller = try fixture.connect()
        #expect(try fixture.settle().isEmpty)
        try System.send(caller.borrowed, [0x53])
        #expect(try fixture.settle().map(\.bytes) == [[0x53]])
        let second = try fixture.connect()
        try System.send(second.borrowed, [0x4B])
        #expect(try fixture.settle().map(\.bytes) == [[0x4B]])
        // Open as long as the jail is there.
        #expect(try System.pollNow(caller.borrowed, System.PollEvents.readable) == 0)
        fixture.end()
    }

    @Test func `D tells of a snapshot, by an id that can be nothing else`() throws {
        let note = SnapshotNote(id: "20260301T093000Z-2", isConsistent: true)
        let request = ControlRequest.saved(note)
        #expect(request.bytes == [0x44, 1] + Array("20260301T093000Z-2".utf8))
        guard case .saved(let read)? = ControlRequest(request.bytes, []) else {
            Issue.record("it is not understood")
            return
        }
        #expect(read == note && !request.isForOtherJails)
        let long = Array(String(repeating: "a", count: 65).utf8)
        for wrong in [[], [1], [2, 0x61], [1, 0x0A], [0, 0x22], [1, 0x2F], [1, 0xC3, 0xA4], [1] + long] as [[UInt8]] {
            #expect(ControlRequest([0x44] + wrong, []) == nil)
        }
    }

    @Test func `C tells of a secret that was changed, by its name`() throws {
        for note in [SecretNote(.rotate, "hub.b", who: "me"), SecretNote(.reload, nil, who: "")] {
            guard case .secret(let read)? = ControlRequest(ControlRequest.secret(note).bytes, []) else {
                Issue.record("it is not understood")
                continue
            }
            #expect(read == note && !ControlRequest.secret(note).isForOtherJails)
        }
        let whole = ControlRequest.secret(SecretNote(.rotate, "hub", who: "me")).bytes
        #expect(whole.first == 0x43)
        for wrong in ["", "rotate", "rotate\0", "rotate\0hub", "rotate\0\0me", "rotate\0HUB\0me", "rob\0hub\0me"] {
            #expect(ControlRequest([0x43] + Array(wrong.utf8), []) == nil, "\(wrong)")
        }
        let long = String(repeating: "a", count: 801)
        #expect(ControlRequest([0x43] + Array("set\0hub\0\(long)".utf8), []) == nil)
    }

    @Test func `P pauses and R resumes, and the caller is answered, not kept`() throws {
        var fixture = try Fixture()
        for byte: UInt8 in [0x50, 0x52] {
            let caller = try fixture.connect()
            try System.send(caller.borrowed, [byte])
            #expect(try fixture.settle().map(\.bytes) == [[byte]])
            // Nobody has taken it, so nobody holds it.
            #expect(try System.pollNow(caller.borrowed, System.PollEvents.readable) & System.PollEvents.hangUp != 0)
        }
        fixture.end()
    }

    @Test func `anything else is no request, and ends the connection`() throws {
        var fixture = try Fixture()
        let longID = [UInt8](repeating: 0x61, count: 65)
        for bytes: [UInt8] in [
            [0], [0x73], [0x53, 0x53], [0x58], [0x45], [0x49], [0x49, 9], [0x49, 0, 0x61], [0x49, 65, 0x61],
            [0x49, 9, 0x2F], [0x49, 9] + longID, [0x51, 0], [0x50, 0], [0x52, 0x52], [0x46, 0], [0x4E, 0x4E],
        ] {
            let caller = try fixture.connect()
            try System.send(caller.borrowed, bytes)
            #expect(try fixture.settle().isEmpty)
            #expect(try System.pollNow(caller.borrowed, System.PollEvents.readable) & System.PollEvents.hangUp != 0)
        }
        fixture.end()
    }

    @Test(arguments: [0x53, 0x4B, 0x51, 0x50, 0x52, 0x46, 0x4E] as [UInt8])
    func `a word comes without a file`(word: UInt8) throws {
        var fixture = try Fixture()
        let null = try System.open("/dev/null", .readWrite)
        let caller = try fixture.connect()
        try System.send(caller.borrowed, [word], descriptors: [null.borrowed])
        #expect(try fixture.settle().isEmpty)
        #expect(try System.pollNow(caller.borrowed, System.PollEvents.readable) & System.PollEvents.hangUp != 0)
        fixture.end()
    }

    @Test func `callers that say nothing are bounded, and make room when they go`() throws {
        var fixture = try Fixture()
        var callers: [SharedDescriptor] = []
        for _ in 0..<64 {
            callers.append(try fixture.connect())
            _ = try fixture.settle()
        }
        #expect(fixture.callers.pollEntries.count == 64)
        let last = try fixture.connect()
        try System.send(last.borrowed, [0x4B])
        #expect(try fixture.settle().isEmpty)
        callers.removeLast()
        #expect(try fixture.settle().map(\.bytes) == [[0x4B]])
        fixture.end()
    }

    @Test func `an exec is one file, or one and three streams`() throws {
        var fixture = try Fixture()
        let null = SharedDescriptor(try System.open("/dev/null", .readWrite))
        for (count, isRequest) in [(0, false), (1, true), (2, false), (3, false), (4, true)] {
            let caller = try fixture.connect()
            try System.send(
                caller.borrowed, [0x45], descriptors: [Descriptor](repeating: null.borrowed, count: count))
            let requests = try fixture.settle()
            #expect(requests.count == (isRequest ? 1 : 0), "\(count)")
            if case .execute(_, let streams)? = requests.first { #expect(streams.count == count - 1) }
        }
        // More than there can be: refused, and closed.
        let caller = try fixture.connect()
        try System.send(caller.borrowed, [0x45], descriptors: [Descriptor](repeating: null.borrowed, count: 5))
        #expect(try fixture.settle().isEmpty)
        fixture.end()
    }

    @Test func `a signal names its exec`() throws {
        var fixture = try Fixture()
        let caller = try fixture.connect()
        try System.send(caller.borrowed, ControlRequest.signal(id: "a.b-c_D9", signal: 15).bytes)
        guard case .signal("a.b-c_D9", 15)? = try fixture.settle().first else { return #expect(Bool(false)) }
        fixture.end()
    }

    @Test(.needsRoot) func `another user is sent away`() async {
        // Root may ask everybody, so the one who listens must be somebody else: a process of its own.
        await #expect(processExitsWith: .success) {
            var fixture = try Fixture()
            let path = fixture.directory.path
            for directory in [fixture.base.path, path] { try System.changeMode(directory, 0o777) }
            try System.changeMode(path + "/" + RunDirectory.socketFile, 0o777)
            let child = try System.fork()
            if child == 0 {
                do {
                    try System.setGroup(65534)
                    try System.setUser(65534)
                    let caller = try fixture.connect()
                    try System.send(caller.borrowed, [0x4B])
                    // Until it is sent away.
                    System.exitNow(try System.receive(caller.borrowed, most: 1).bytes.isEmpty ? 0 : 1)
                } catch { System.exitNow(error is SystemError ? 0 : 2) }
            }
            let listening = fixture.callers.pollEntries
            var entries = listening
            try System.poll(&entries, milliseconds: 10_000)
            #expect(entries[0].returned != 0)
            #expect(try fixture.settle().isEmpty)
            let isSentAway = fixture.callers.pollEntries.count == 1
            if !isSentAway { try System.kill(child, 9) }
            #expect(isSentAway)
            #expect(try System.wait(forChild: child) == .exited(0))
            fixture.end()
        }
    }
}
