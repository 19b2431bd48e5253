import JailCommands
import JailCore
import JailPlan
import JailPolicy
import TestSupport
import Testing

@testable import JailLaunch

/// Commands in the jail that asks. Init and the supervisor's execs are the test; time is only waited for where there is no other way.
@Suite(.timeLimit(.minutes(1))) struct `A command in the jail` {
    /// What was asked for, and the ends that a caller of a command holds.
    private final class Scene {
        var request: ExecRequest?
        var streams: [SharedDescriptor] = []
        var client: SharedDescriptor?
        private(set) var runs = InnerCommandRuns { (_, _, _) throws(SystemError) in }
        let out: (read: SharedDescriptor, write: SharedDescriptor)
        let null: SharedDescriptor

        init() throws {
            out = try Scene.pipe()
            null = SharedDescriptor(try System.open("/dev/null", .readWrite))
            runs = InnerCommandRuns { [unowned self] (file, streams, client) throws(SystemError) in
                request = ExecRequest(bytes: try System.readContent(file.borrowed, limit: ExecRequest.sizeLimit))
                self.streams = streams
                self.client = client
            }
        }

        static func pipe() throws -> (read: SharedDescriptor, write: SharedDescriptor) {
            let ends = try System.pipe().release()
            let read = SharedDescriptor(OwnedDescriptor(ends.readEnd))
            try System.setNonBlocking(read.borrowed)
            return (read, SharedDescriptor(OwnedDescriptor(ends.writeEnd)))
        }

        func start(_ change: (inout CommandRule) -> Void = { _ in }, terminal: CommandCall.Size? = nil) throws {
            var rule = CommandRule(name: "git", program: "/usr/bin/git")
            rule.arguments = [CommandArgument(.literal("status"))]
            rule.workingDirectory = "/workspace"
            rule.environment = [EnvironmentVariable(name: "GIT_OPTIONAL_LOCKS", value: "0")]
            change(&rule)
            var rules = CommandRules()
            rules.rules = [rule]
            guard case .allow(let grant) = CommandPolicy(rules).decide(["git", "status"]) else {
                Issue.record("not allowed")
                return
            }
            let call = CommandCall(grant: grant, terminal: terminal)
            #expect(try runs.start(call, streams: [null, out.write, null], number: 7))
        }

        func say(_ reply: ControlReply, _ descriptors: [Descriptor] = []) throws {
            try System.send(try #require(client).borrowed, reply.bytes, descriptors: descriptors)
        }

        /// What Execs is told; nil: nothing.
        func heard() throws -> [UInt8]? {
            do throws(SystemError) { return try System.receive(client?.borrowed ?? null.borrowed, most: 1).bytes } catch
            {
                if error.errno == .wouldBlock { return nil }
                throw error
            }
        }

        /// Turns of the supervisor's loop, until a report is there, or nothing happens any more.
        func turn(_ most: Int = 50) throws -> [CommandReport] {
            for _ in 0..<most {
                var entries = runs.pollEntries
                guard !entries.isEmpty else { return runs.takeReports() }
                let wait =
                    runs.due.map { max(0, min(200, ($0 - System.monotonicNanoseconds()) / 1_000_000 + 1)) } ?? 200
                try System.poll(&entries, milliseconds: Int32(wait))
                let ready = System.PollResult(entries)
                try runs.handle(ready)
                let reports = runs.takeReports()
                if !reports.isEmpty { return reports }
                if ready.isEmpty, wait >= 200 { return [] }
            }
            return []
        }

        func written() throws -> Int {
            var count = 0
            while true {
                do throws(SystemError) {
                    let bytes = try System.read(out.read.borrowed, most: 1 << 16)
                    if bytes.isEmpty { return count }
                    count += bytes.count
                } catch {
                    guard error.errno == .wouldBlock else { throw error }
                    return count
                }
            }
        }
    }

    @Test func `is asked for with the rule's program, directory and environment, and nothing of the caller's`() throws {
        let scene = try Scene()
        try scene.start()
        let request = try #require(scene.request)
        #expect(request.arguments.map { String(decoding: $0, as: UTF8.self) } == ["git", "status"])
        #expect(request.program == Array("/usr/bin/git".utf8) && request.directory == Array("/workspace".utf8))
        #expect(request.environment == [Array("GIT_OPTIONAL_LOCKS=0".utf8)])
        #expect(request.terminal == nil && request.id == nil && scene.streams.count == 3)
        // The caller's standard input as it is; its outputs never.
        #expect(scene.streams[0] === scene.null && scene.streams[1] !== scene.out.write)
    }

    @Test func `passes on what it writes, and is reported when nothing of it is left`() throws {
        let scene = try Scene()
        try scene.start()
        try System.writeAll(scene.streams[1].borrowed, "clean\n")
        scene.streams = []
        try scene.say(.ended(3))
        #expect(try scene.turn() == [])
        try scene.say(.ended(3))
        try scene.say(.done)
        #expect(try scene.turn() == [.ended(7, status: 3, note: nil)])
        #expect(try scene.written() == 6)
    }

    @Test func `is reported with all that it wrote last, however little the reader takes at a time`() throws {
        let scene = try Scene()
        try scene.start()
        try System.writeAll(scene.streams[1].borrowed, [UInt8](repeating: 65, count: 60_000))
        #expect(try scene.turn() == [])
        // The caller's pipe is nearly full, and so is the next one.
        try System.writeAll(scene.streams[1].borrowed, [UInt8](repeating: 66, count: 60_000))
        scene.streams = []
        try scene.say(.ended(0))
        try scene.say(.done)
        #expect(try scene.turn() == [])
        var count = try scene.written()
        #expect(try scene.turn() == [.ended(7, status: 0, note: nil)])
        count += try scene.written()
        #expect(count == 120_000)
    }

    @Test func `that somebody else still writes for is reported all the same`() throws {
        let scene = try Scene()
        try scene.start()
        // As if its output had been handed to a process that is not its own.
        try scene.say(.ended(0))
        try scene.say(.done)
        #expect(try scene.turn() == [.ended(7, status: 0, note: nil)])
        #expect(!scene.streams.isEmpty)
    }

    @Test func `is killed when it writes more than its rule gives it, and no byte more is passed on`() throws {
        let scene = try Scene()
        try scene.start { $0.outputSize = 10 }
        try System.writeAll(scene.streams[1].borrowed, [UInt8](repeating: 65, count: 11))
        #expect(try scene.turn() == [])
        #expect(try scene.heard() == [0])
        #expect(try scene.written() == 10)
        try scene.say(.ended(137))
        try scene.say(.done)
        let reports = try scene.turn()
        guard case .ended(7, 137, let note) = reports.first else {
            Issue.record("\(reports)")
            return
        }
        #expect(note?.contains("beyond 10") == true)
    }

    @Test func `that writes exactly what it may is left alone`() throws {
        let scene = try Scene()
        try scene.start { $0.outputSize = 10 }
        try System.writeAll(scene.streams[1].borrowed, [UInt8](repeating: 65, count: 10))
        scene.streams = []
        #expect(try scene.turn() == [])
        #expect(try scene.heard() == nil)
        try scene.say(.ended(0))
        try scene.say(.done)
        #expect(try scene.turn() == [.ended(7, status: 0, note: nil)])
    }

    @Test func `is killed when its time is over`() throws {
        let scene = try Scene()
        try scene.start { $0.timeout = 20 }
        #expect(try scene.turn() == [])
        #expect(try scene.heard() == [0])
        try scene.say(.ended(137))
        try scene.say(.done)
        let reports = try scene.turn()
        guard case .ended(7, 137, let note) = reports.first else {
            Issue.record("\(reports)")
            return
        }
        #expect(note?.contains("not done within") == true)
    }

    @Test func `that could not begin says why`() throws {
        let scene = try Scene()
        try scene.start()
        try scene.say(.refused(127, "exec: execve 'git': No such file"))
        #expect(try scene.turn() == [.failed(7, status: 127, reason: "exec: execve 'git': No such file")])
    }

    @Test func `ends with its caller, and is reported once`() throws {
        let scene = try Scene()
        try scene.start()
        try scene.runs.end(7)
        #expect(try scene.heard() == [0])
        // It cannot write any more.
        #expect(try System.pollNow(scene.streams[1].borrowed) & System.PollEvents.error != 0)
        try scene.say(.ended(137))
        try scene.say(.done)
        #expect(try scene.turn().count == 1)
        #expect(try scene.turn() == [])
        #expect(scene.runs.pollEntries.isEmpty && scene.runs.due == nil)
    }

    @Test func `gets signals, and none that is no signal`() throws {
        let scene = try Scene()
        try scene.start()
        try scene.runs.signal(7, 15)
        try scene.runs.signal(7, 0)
        try scene.runs.signal(7, 200)
        try scene.runs.signal(8, 15)
        #expect(try scene.heard() == [15] && scene.heard() == nil)
    }

    @Test func `has a terminal of its own, read from the one stream and written to the other`() throws {
        let scene = try Scene()
        try scene.start(terminal: CommandCall.Size(rows: 30, columns: 90))
        #expect(scene.streams.isEmpty && scene.request?.terminal == TerminalSize(rows: 30, columns: 90))
        let pair = try System.openTerminal().release()
        let slave = OwnedDescriptor(pair.slave)
        do {
            let master = OwnedDescriptor(pair.master)
            try scene.say(.started, [master.borrowed])
        }
        try System.writeAll(slave.borrowed, "hello\n")
        #expect(try scene.turn() == [])
        try scene.runs.resize(7, CommandCall.Size(rows: 31, columns: 91))
        #expect(try System.terminalSize(slave.borrowed) == TerminalSize(rows: 31, columns: 91))
        try scene.say(.ended(0))
        try scene.say(.done)
        #expect(try scene.turn() == [.ended(7, status: 0, note: nil)])
        #expect(try scene.written() == 7)
    }

    @Test func `is one of so many, and no more`() throws {
        let scene = try Scene()
        for _ in 0..<InnerCommandRuns.most { try scene.start() }
        var rules = CommandRules()
        rules.rules = [CommandRule(name: "x", program: "/x")]
        guard case .allow(let grant) = CommandPolicy(rules).decide(["x"]) else { return }
        let streams = [scene.null, scene.null, scene.null]
        #expect(try !scene.runs.start(CommandCall(grant: grant), streams: streams, number: 1))
        scene.runs.endAll()
        #expect(scene.runs.pollEntries.isEmpty)
    }
}

/// What the supervisor executes on behalf of a program of the jail.
struct `An exec for a command` {
    private let ends: (ours: SharedDescriptor, theirs: SharedDescriptor)
    private let execs = Execs(.bare())

    init() throws {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        ends = (SharedDescriptor(OwnedDescriptor(pair.first)), SharedDescriptor(OwnedDescriptor(pair.second)))
        for end in [ends.ours, ends.theirs] { try System.setNonBlocking(end.borrowed) }
    }

    private func execute(_ request: ExecRequest, _ purpose: Execs.Purpose) throws -> [ControlMessage] {
        var orders: [ControlMessage] = []
        let file = SharedDescriptor(try System.makeMemoryFile("exec", request.bytes))
        let null = SharedDescriptor(try System.open("/dev/null", .readWrite))
        try execs.execute(file, streams: [null, null, null], for: ends.theirs, in: nil, purpose: purpose) {
            (message, _) throws(SystemError) in
            orders.append(message)
            return true
        }
        return orders
    }

    private func answer() throws -> ControlReply? {
        do throws(SystemError) {
            return ControlReply(try System.receive(ends.ours.borrowed, most: ControlReply.sizeLimit).bytes)
        } catch {
            guard error.errno == .wouldBlock else { throw error }
            return nil
        }
    }

    private var request: ExecRequest {
        var request = ExecRequest(arguments: [Array("git".utf8)])
        request.program = Array("/usr/bin/git".utf8)
        return request
    }

    @Test func `is killed with all that it has started when it ends, and only then is it done`() throws {
        let index = try #require(try execute(request, .command).first).index
        var orders: [ControlMessage] = []
        func take(_ message: ControlMessage) throws {
            var sent: [ControlMessage] = []
            try execs.take(message, []) { (order, _) throws(SystemError) in
                sent.append(order)
                return true
            }
            orders += sent
        }
        try take(ControlMessage(.executed, index: index, value: 2))
        try take(ControlMessage(.execExited, index: index, value: 4))
        #expect(try answer() == .ended(4))
        #expect(try answer() == nil)
        var sent: [ControlMessage] = []
        try execs.handle(System.PollResult([])) { (order, _) throws(SystemError) in
            sent.append(order)
            return true
        }
        #expect(sent.map(\.kind) == [.signalGroup] && sent.first?.value == 9)
        try take(ControlMessage(.execGone, index: index, value: 0))
        #expect(try answer() == .done)
        execs.tidy()
        #expect(execs.count == 0 && execs.takeNotices().isEmpty)
    }

    @Test func `is killed when it is to be`() throws {
        let index = try #require(try execute(request, .command).first).index
        try execs.take(ControlMessage(.executed, index: index, value: 2), []) { (_, _) throws(SystemError) in true }
        try System.send(ends.ours.borrowed, [0])
        var entries = execs.pollEntries
        try System.poll(&entries, milliseconds: 0)
        var sent: [ControlMessage] = []
        try execs.handle(System.PollResult(entries)) { (order, _) throws(SystemError) in
            sent.append(order)
            return true
        }
        #expect(sent.map(\.kind) == [.signalGroup])
    }

    @Test func `names its program by path, which nobody outside does`() throws {
        #expect(try execute(request, .caller).isEmpty)
        guard case .refused(ExitStatus.usage, _) = try answer() else {
            Issue.record("not refused")
            return
        }
    }
}
