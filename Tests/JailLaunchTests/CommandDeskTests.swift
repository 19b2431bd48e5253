import CommandWire
import JailApprovals
import JailCommands
import JailCore
import JailPolicy
import Testing

@testable import JailLaunch
@testable import JailPlan

struct `The desk of commands` {
    @Test func `what a rule allows is run, and its end is told`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("npm", "test")
        #expect(bench.runs.told == [.start(1, ["npm", "test"], nil)])
        #expect(bench.runs.streams.count == 3)
        #expect(try bench.answer(caller) == .accepted)
        bench.runs.reports = [.ended(1, status: 3, note: "so it is")]
        try bench.turn()
        #expect(try bench.answer(caller) == .ended(status: 3, note: "so it is"))
        #expect(try bench.isClosed(caller))
        let events = bench.events()
        #expect(events.count == 2)
        #expect(
            events.first
                == #"{"event":"command","verdict":"allowed","rule":"commands[0]","program":"/usr/bin/npm","place":"jail","arguments":["npm","test"]}"#
        )
        #expect(events.last?.contains(#""verdict":"ended""#) == true && events.last?.contains(#""status":3"#) == true)
    }

    @Test func `a line for a shell is one command, or none`() throws {
        let bench = try DeskBench()
        let callers = [try bench.call("sh", "-c", "npm test"), try bench.call("sh", "-lc", "npm 'test'")]
        for caller in callers { #expect(try bench.answer(caller) == .accepted) }
        #expect(bench.runs.told.count == 2)
        #expect(try bench.reason(bench.call("sh", "-c", "npm test; id")).contains("';'"))
        #expect(try bench.reason(bench.call("sh", "-c", "id")).contains("no rule of commands names 'id'"))
        #expect(try bench.reason(bench.call("sh")).contains("no shell to be had"))
        #expect(try bench.reason(bench.call("sh", "-i")).contains("-c"))
        // Nobody has gone meanwhile, and so nothing was ended.
        #expect(callers.count == 2 && bench.runs.told.count == 2)
    }

    @Test func `what is refused says why, and what would allow it`() throws {
        let bench = try DeskBench()
        #expect(
            try bench.reason(bench.call("npm", "run", "evil"))
                == #"'run' is not "test" (commands[0]); commands: [{"program":"/usr/bin/npm","arguments":["run","evil"]}] in profile 'mine'"#
        )
        #expect(try bench.reason(bench.call("git", "push", "origin", "--force")) == "commands[1] denies '--force'")
        #expect(try bench.reason(bench.call("node", "-e", "1")).contains("a rule of 'commands' that names its program"))
        #expect(bench.runs.told.isEmpty)
        let events = bench.events()
        #expect(events.count == 3 && events.allSatisfy { $0.contains(#""verdict":"denied""#) })
        #expect(events[1].contains(#""rule":"commands[1]","arguments":["git","push","origin","--force"]"#))
    }

    @Test(
        arguments: [
            [0x6E, 0x00], [0x0A], [0x61, 0x0A, 0x62], [0xFF, 0xFE], [0x1B, 0x5B], [0xE2, 0x80, 0xAE], [0x7F],
        ] as [[UInt8]])
    func `no word with something hidden in it is run`(_ word: [UInt8]) throws {
        let bench = try DeskBench()
        let caller = try bench.call(bytes: #require(CommandRequest(words: [Array("npm".utf8), word]).bytes))
        #expect(try bench.reason(caller) != "not refused")
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `what is too long is refused, whoever says it`() throws {
        let bench = try DeskBench()
        let words = [Array("npm".utf8)] + Array(repeating: [0x61], count: 260)
        #expect(try bench.reason(bench.call(bytes: #require(CommandRequest(words: words).bytes))).contains("words"))
        let bytes = [UInt8](repeating: 0x61, count: CommandRequest.sizeLimit + 1)
        #expect(try bench.reason(bench.call(bytes: bytes)).contains("too long"))
        // 2 MB do not even go into a packet.
        #expect(throws: SystemError.self) { try bench.call(bytes: [UInt8](repeating: 0x61, count: 2 << 20)) }
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `random bytes are no request`() throws {
        let bench = try DeskBench()
        for _ in 0..<100 {
            let bytes = (0..<Int.random(in: 1...200)).map { _ in UInt8.random(in: 0...255) }
            #expect(try bench.reason(bench.call(bytes: bytes)).contains("no request"))
        }
    }

    @Test func `other streams than three of the right kinds are refused`() throws {
        let bench = try DeskBench()
        let bytes = try #require(CommandRequest(words: [Array("npm".utf8), Array("test".utf8)]).bytes)
        let null = try DeskBench.null()
        let directory = SharedDescriptor(try System.open("/", [.readOnly, .directory]))
        let memory = SharedDescriptor(try System.makeMemoryFile("x", [1]))
        let socket = SharedDescriptor(try System.makeUnixSocket(.stream))
        let path = SharedDescriptor(try System.open("/dev/null", .pathOnly))
        for streams in [
            [], [null[0]], [null[0], null[1]], null + [null[0]], null + null, [null[0], null[1], directory],
            [memory, null[0], null[1]], [null[0], socket, null[1]], [null[0], null[1], path],
        ] {
            #expect(try bench.reason(bench.call(bytes: bytes, streams: streams)) != "not refused")
        }
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `whoever is not of the jail is not heard`() throws {
        let bench = try DeskBench(admits: { _ in false })
        let caller = try bench.call("npm", "test")
        #expect(try bench.reason(caller).contains("no process of this jail"))
        #expect(bench.runs.told.isEmpty)
        #expect(bench.events().first?.contains(#""verdict":"denied""#) == true)
    }

    // MARK: What follows

    @Test func `signals and sizes are passed on, of a terminal alone`() throws {
        let bench = try DeskBench()
        let plain = try bench.call("npm", "test")
        let terminal = try bench.call("npm", "test", terminal: TerminalSize(rows: 24, columns: 80))
        bench.runs.told = []
        for caller in [plain, terminal] {
            try System.send(caller.borrowed, CommandFollowUp.signal(15).bytes)
            try System.send(caller.borrowed, CommandFollowUp.size(TerminalSize(rows: 1, columns: 2)).bytes)
        }
        try bench.turn()
        try bench.turn()
        #expect(bench.runs.told.filter { $0 == .signal(1, 15) || $0 == .signal(2, 15) }.count == 2)
        #expect(bench.runs.told.contains(.resize(2, .init(rows: 1, columns: 2))))
        #expect(bench.runs.told.count == 3)
    }

    @Test func `a second request on a connection ends the first`() throws {
        let bench = try DeskBench()
        let request = try #require(CommandRequest(words: [Array("npm".utf8), Array("test".utf8)]).bytes)
        for more in [request, [1], [1, 9, 0, 0, 0], [UInt8](repeating: 1, count: 70_000)] {
            let caller = try bench.call(bytes: request)
            guard case .start(let number, _, _)? = bench.runs.told.last else {
                Issue.record("it was not started")
                return
            }
            try System.send(caller.borrowed, more)
            try bench.turn()
            #expect(bench.runs.told.last == .end(number))
            bench.runs.reports = [.ended(number, status: 137, note: nil)]
            try bench.turn()
            // Nothing was started by it.
            #expect(bench.runs.told.last == .end(number))
            #expect(try bench.answer(caller) == .accepted)
            #expect(try bench.isClosed(caller))
        }
        #expect(bench.events().last?.contains("what nothing of clawjail's says") == true)
    }

    @Test func `whoever goes away takes the command along`() throws {
        let bench = try DeskBench()
        var caller: SharedDescriptor? = try bench.call("npm", "test")
        #expect(caller != nil)
        caller = nil
        try bench.turn()
        #expect(bench.runs.told.last == .end(1))
        bench.runs.reports = [.ended(1, status: 143, note: nil)]
        try bench.turn()
        #expect(bench.events().last?.contains("its caller is gone") == true)
    }

    @Test func `who says nothing is let go, and keeps nobody out`() throws {
        let bench = try DeskBench()
        let silent = try (0..<CommandDesk.mostCallers).map { _ in try bench.connect() }
        try bench.turn()
        #expect(bench.desk.due != nil)
        #expect(try !bench.isClosed(silent[0]))
        // Full: the next waits in the backlog, and is heard once one has gone.
        let patient = try bench.call("npm", "test")
        #expect(bench.runs.told.isEmpty)
        _ = silent[0].take()
        try bench.turn()
        try bench.turn()
        #expect(try bench.answer(patient) == .accepted)
    }

    @Test func `only so many run at the same time`() throws {
        let bench = try DeskBench()
        let callers = try (0..<CommandDesk.mostCalls).map { _ in try bench.call("npm", "test") }
        #expect(try callers.allSatisfy { try bench.answer($0) == .accepted })
        #expect(try bench.reason(bench.call("npm", "test")).contains("run already"))
        bench.runs.reports = [.ended(1, status: 0, note: nil)]
        try bench.turn()
        #expect(try bench.answer(bench.call("npm", "test")) == .accepted)
    }

    @Test func `a flood is refused, and few records are made of it`() throws {
        let bench = try DeskBench()
        var refused = 0
        for _ in 0..<600 where try bench.reason(bench.call("npm", "evil")).contains("too fast") { refused += 1 }
        #expect(refused > 0)
        let events = bench.events().filter { $0.contains("too fast") }
        #expect((1...5).contains(events.count))
    }

    @Test func `who has no room for more says so`() throws {
        let bench = try DeskBench()
        bench.runs.isBusy = true
        #expect(try bench.reason(bench.call("npm", "test")).contains("no more commands"))
        bench.runs.isBusy = false
        #expect(try bench.answer(bench.call("npm", "test")) == .accepted)
    }

    @Test func `what could not be started is told with its status`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("npm", "test")
        bench.runs.reports = [.failed(1, status: 127, reason: "it is not there")]
        try bench.turn()
        #expect(try bench.answer(caller) == .accepted)
        #expect(try bench.answer(caller) == .refused(status: 127, reason: "it is not there", remedy: nil))
    }

    @Test func `a report of what was never started ends the jail`() throws {
        let bench = try DeskBench()
        bench.runs.reports = [.ended(7, status: 0, note: nil)]
        #expect(throws: SystemError.self) { try bench.turn() }
    }

    @Test func `at the end nothing runs, and everybody hears it`() throws {
        let bench = try DeskBench()
        let running = try bench.call("npm", "test")
        let asking = try bench.call("rm", "old")
        bench.desk.end()
        #expect(bench.runs.told.last == .endAll)
        #expect(try bench.answer(running) == .accepted)
        for caller in [running, asking] {
            #expect(try bench.answer(caller) == .refused(status: 125, reason: "the jail ends", remedy: nil))
        }
        #expect(bench.desk.takeQuestions().last == .withdrawn(2))
        #expect(bench.desk.pollEntries.isEmpty)
    }
}

struct `Commands that somebody is asked about` {
    private static let question = CommandQuestion.asked(
        ["rm", "old"], place: "in the jail", why: "commands[2] asks about every call", 1)

    @Test func `nothing is started before somebody has said yes, and once then`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("rm", "old")
        #expect(bench.desk.takeQuestions() == [Self.question])
        #expect(bench.runs.told.isEmpty)
        #expect(try bench.answer(caller) == nil)
        try bench.desk.answer(1, .granted(grant: 4))
        try bench.desk.answer(1, .granted(grant: 5))
        #expect(bench.runs.told == [.start(1, ["rm", "old"], nil)])
        #expect(try bench.answer(caller) == .accepted)
        #expect(bench.events().first?.contains(#""grant":4"#) == true)
    }

    @Test func `a no is a refusal`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("rm", "old")
        try bench.desk.answer(1, .denied(.refused("not today")))
        #expect(try bench.reason(caller).contains("it was denied (not today) (commands[2])"))
        try bench.desk.answer(1, .granted(grant: 1))
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `one that goes away takes the question along`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("rm", "old")
        _ = bench.desk.takeQuestions()
        _ = caller.take()
        try bench.turn()
        #expect(bench.desk.takeQuestions() == [.withdrawn(1)])
        try bench.desk.answer(1, .granted(grant: 1))
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `one that is interrupted is not asked about any more`() throws {
        let bench = try DeskBench()
        let caller = try bench.call("rm", "old")
        _ = bench.desk.takeQuestions()
        try System.send(caller.borrowed, CommandFollowUp.signal(10).bytes)
        try bench.turn()
        #expect(bench.desk.takeQuestions().isEmpty)
        try System.send(caller.borrowed, CommandFollowUp.signal(2).bytes)
        try bench.turn()
        #expect(try bench.answer(caller) == .ended(status: 130, note: nil))
        #expect(bench.desk.takeQuestions() == [.withdrawn(1)])
        #expect(bench.runs.told.isEmpty)
    }

    @Test func `what no rule allows is asked about only where the profile says so`() throws {
        let bench = try DeskBench(asksUnlisted: true)
        _ = try bench.call("npm", "run", "evil")
        guard case .asked(["npm", "run", "evil"], _, let why, 1)? = bench.desk.takeQuestions().first else {
            Issue.record("it is not asked")
            return
        }
        #expect(why.contains("is not \"test\""))
        #expect(try bench.reason(bench.call("git", "push", "origin", "--force")).contains("denies"))
        #expect(try bench.reason(bench.call("id")).contains("no rule"))
        #expect(bench.runs.told.isEmpty)
    }
}

struct `Where commands are asked for` {
    @Test func `both sides mean the same place, and the same bounds`() {
        #expect(CommandSocket.path == CommandsPlan.socket)
        #expect(CommandRequest.mostWords > CommandVector.mostWords)
        #expect(CommandRequest.mostBytes > CommandVector.mostBytes)
    }

    @Test func `a process of another namespace is nobody`() throws {
        let pair = try System.makeSocketPair(.sequencedPacket).release()
        let caller = SharedDescriptor(OwnedDescriptor(pair.first))
        let other = SharedDescriptor(OwnedDescriptor(pair.second))
        try withExtendedLifetime(other) {
            let peers = try JailPeers(of: System.processID, uid: System.userID)
            #expect(peers.isInside(caller))
            #expect(try !JailPeers(of: System.processID, uid: System.userID + 1).isInside(caller))
            let file = SharedDescriptor(try System.open("/dev/null", .readWrite))
            #expect(!peers.isInside(file))
        }
        #expect(throws: SystemError.self) { try JailPeers(of: .max, uid: 0) }
    }

    @Test func `a place where nobody runs anything is no plan`() throws {
        let runs = FakeRuns()
        let host = DeskBench.host
        #expect(throws: JailError.self) { try CommandPlaces([.jail], inside: nil, elsewhere: runs) }
        #expect(throws: JailError.self) { try CommandPlaces([.jail, host], inside: runs, elsewhere: nil) }
        #expect(throws: Never.self) { try CommandPlaces([.jail, host], inside: runs, elsewhere: runs) }
    }

    @Test func `each call goes where its rule says`() throws {
        let (inside, elsewhere) = (FakeRuns(), FakeRuns())
        let host = DeskBench.host
        let places = try CommandPlaces([.jail, host], inside: inside, elsewhere: elsewhere)
        let policy = CommandPolicy(DeskBench.rules)
        for (number, words) in [["npm", "test"], ["git", "push", "origin"]].enumerated() {
            guard case .allow(let grant) = policy.decide(words) else { continue }
            #expect(try places.start(CommandCall(grant: grant), streams: [], number: UInt32(number)))
            try places.signal(UInt32(number), 15)
        }
        #expect(inside.told == [.start(0, ["npm", "test"], nil), .signal(0, 15)])
        #expect(elsewhere.told == [.start(1, ["git", "push", "origin"], nil), .signal(1, 15)])
        elsewhere.reports = [.ended(1, status: 0, note: nil)]
        #expect(places.takeReports() == [.ended(1, status: 0, note: nil)])
        try places.end(1)
        #expect(elsewhere.told.count == 2)
        places.endAll()
        #expect(inside.told.last == .endAll && elsewhere.told.last == .endAll)
    }
}
