import EgressControl
import JailCore
import TestSupport
import Testing

@testable import JailLaunch

/// What a supervisor makes of its keeper, and finds of it on disk.
@Suite(.timeLimit(.minutes(1))) struct `A shared way out` {
    // MARK: Messages

    static let messages: [KeeperMessage] = [
        .ask(terms: "{\"a\":1}"), .distrust, .channel, .ended("by signal 9"), .gone("with status 1: why"),
    ]

    @Test(arguments: messages) func `a message comes back as it was sent`(message: KeeperMessage) {
        #expect(KeeperMessage(message.bytes) == message)
    }

    @Test func `what is no message is none`() {
        for bytes: [UInt8] in [[], [0], [1], [2, 1], [0x41, 0], [0x42], [0x43], [0x44, 65], [3]] {
            #expect(KeeperMessage(bytes) == nil, "\(bytes)")
        }
        #expect(KeeperMessage([0x42] + [UInt8](repeating: 65, count: KeeperMessage.sizeLimit)) == nil)
        #expect(KeeperMessage([0x42, 0x1B, 0x0A]) == .ended("\\u{1b}\\n"))
        #expect(KeeperMessage.gone(String(repeating: "x", count: 9999)).bytes.count == KeeperMessage.sizeLimit)
    }

    // MARK: The supervisor's side

    /// A share whose keeper is the test.
    struct Fixture {
        let share: EgressShare
        let keeper: SharedDescriptor

        init() throws {
            let (ours, theirs) = try System.makeSocketPair(.sequencedPacket).release()
            keeper = SharedDescriptor(OwnedDescriptor(ours))
            let connection = SharedDescriptor(OwnedDescriptor(theirs))
            try System.setNonBlocking(connection.borrowed)
            share = EgressShare(connection, terms: "terms")
        }

        func say(_ bytes: [UInt8], _ descriptors: [Descriptor] = []) throws -> [String] {
            try System.send(keeper.borrowed, bytes, descriptors: descriptors)
            return try news()
        }

        func news() throws -> [String] {
            var entries = share.pollEntries
            try System.poll(&entries, milliseconds: 0)
            return try share.news(System.PollResult(entries)).map { news in
                switch news {
                case .channel: "channel"
                case .word(let word): "word \(word)"
                case .ended(let how, let why, let mayRestart): "ended \(how), \(why ?? "-"), \(mayRestart)"
                }
            }
        }
    }

    @Test func `a channel comes for each question, and none without`() throws {
        let fixture = try Fixture()
        let file = SharedDescriptor(try System.makeMemoryFile("x", []))
        let channel = KeeperMessage.channel.bytes
        #expect(try fixture.say(channel, [file.borrowed]).isEmpty)
        #expect(try fixture.share.ask() == nil)
        #expect(try System.receive(fixture.keeper.borrowed, most: 100).bytes == KeeperMessage.ask(terms: "terms").bytes)
        #expect(try fixture.say(channel, [file.borrowed]) == ["channel"])
        #expect(try fixture.say(channel, [file.borrowed]).isEmpty)
    }

    @Test func `an end may be followed by another question, one for good may not`() throws {
        let fixture = try Fixture()
        #expect(try fixture.say(KeeperMessage.ended("by signal 9").bytes) == ["ended by signal 9, -, true"])
        #expect(try fixture.say(KeeperMessage.gone("too often").bytes) == ["ended too often, -, false"])
        #expect(fixture.share.pollEntries.isEmpty)
        #expect(try fixture.news().isEmpty)
        // The connection is closed, and the jail is no longer one of them.
        #expect(try System.receive(fixture.keeper.borrowed, most: 100).bytes.isEmpty)
    }

    @Test func `with its keeper it ends for good`() throws {
        let fixture = try Fixture()
        _ = fixture.keeper.take()
        #expect(try fixture.news() == ["ended with its keeper, -, false"])
    }

    static let nonsense: [[UInt8]] = [[9], KeeperMessage.distrust.bytes, KeeperMessage.channel.bytes]

    @Test(arguments: nonsense) func `what no keeper says ends it for good`(bytes: [UInt8]) throws {
        let fixture = try Fixture()
        _ = try fixture.share.ask()
        #expect(try fixture.say(bytes) == ["ended by clawjail, its keeper said what it never would, false"])
    }

    @Test func `a channel that ends alone is the end of this jail's gateway, after a while`() throws {
        let fixture = try Fixture()
        #expect(fixture.share.due == nil)
        fixture.share.channelEnded()
        let due = try #require(fixture.share.due)
        #expect(try fixture.news().isEmpty)
        while System.monotonicNanoseconds() < due { try System.pause(milliseconds: 20) }
        #expect(try fixture.news() == ["ended for this jail alone, -, true"])
        #expect(fixture.share.due == nil)
        // Where the whole process has ended, that is told instead.
        fixture.share.channelEnded()
        #expect(try fixture.say(KeeperMessage.ended("by signal 6").bytes) == ["ended by signal 6, -, true"])
        #expect(fixture.share.due == nil)
    }

    @Test func `distrust is told to the keeper`() throws {
        let fixture = try Fixture()
        fixture.share.distrust()
        #expect(try System.receive(fixture.keeper.borrowed, most: 100).bytes == KeeperMessage.distrust.bytes)
    }

    @Test func `a gateway that is gone is told from one that does not read`() throws {
        for isGone in [true, false] {
            let (ours, theirs) = try EgressProcess.makeChannel()
            let line = EgressLine(channel: ours)
            let files = ResolverFiles(resolvConf: [], hosts: [])
            if isGone { _ = theirs.take() }
            var outcome = EgressLine.Outcome.sent
            for _ in 0..<1_000 where outcome == .sent { outcome = try line.send(files) }
            #expect(outcome == (isGone ? .ended : .full))
            withExtendedLifetime(theirs) {}
        }
    }

    // MARK: On disk

    static func join(_ base: TemporaryDirectory, _ group: String = "g") throws -> (
        SharedDescriptor, KeeperDirectory.Seat?
    ) {
        var seat: KeeperDirectory.Seat?
        let connection = try KeeperDirectory.join(group, in: base.path) { seat = $0 }
        return (connection, seat)
    }

    @Test func `the first makes a keeper, the next finds it`() throws {
        let base = try TemporaryDirectory()
        let (first, seat) = try Self.join(base)
        let keeper = try #require(seat)
        let (second, other) = try Self.join(base)
        #expect(other == nil)
        for _ in [first, second] { #expect(try System.accept(keeper.listener.borrowed) != nil) }
        #expect(try System.accept(keeper.listener.borrowed) == nil)
        #expect(try System.status("\(base.path)/.egress").permissions == 0o700)
        #expect(try System.status("\(base.path)/.egress/g").permissions == 0o700)
        #expect(try Self.join(base, "h").1 != nil)
    }

    @Test func `a killed keeper's directory is cleared by the next one`() throws {
        let base = try TemporaryDirectory()
        let first = try Self.join(base)
        _ = first.1?.lock.take()
        _ = first.1?.listener.take()
        let (_, seat) = try Self.join(base)
        #expect(seat != nil)
        #expect(try seat.map { try System.accept($0.listener.borrowed) != nil } == true)
    }

    @Test func `a keeper leaves nothing, unless somebody has come or is coming`() throws {
        let base = try TemporaryDirectory()
        let seat = try #require(try Self.join(base).1)
        #expect(try !seat.directory.leave(seat.lock, mayWait: false) { true })
        do {
            // Somebody at the door.
            let door = SharedDescriptor(try System.open("\(base.path)/.egress/.lock", .writeOnly))
            try System.lock(door.borrowed, .exclusive)
            #expect(try !seat.directory.leave(seat.lock, mayWait: false) { false })
            withExtendedLifetime(door) {}
        }
        #expect(try base.names(".egress") == [".lock", "g"])
    }

    @Test func `a keeper whose place is another's by now leaves that alone`() throws {
        let base = try TemporaryDirectory()
        let seat = try #require(try Self.join(base).1)
        for file in ["g/keeper.sock", "g/lock"] { try System.unlink("\(base.path)/.egress/\(file)") }
        let (_, next) = try Self.join(base)
        #expect(next != nil)
        #expect(try seat.directory.leave(seat.lock, mayWait: false) { false })
        #expect(try base.names(".egress/g") == ["keeper.sock", "lock"])
    }

    @Test func `a start that fails is an error, and the next one starts anew`() throws {
        let base = try TemporaryDirectory()
        let error = failure { () throws(JailError) in
            _ = try KeeperDirectory.join("g", in: base.path) { (_) throws(SystemError) in
                throw SystemError(.fork, .wouldBlock)
            }
        }
        #expect(error?.stage == .egress)
        #expect(try Self.join(base).1 != nil)
    }

    @Test func `others' places for keepers are refused`() throws {
        let base = try TemporaryDirectory()
        try base.directory(".egress", mode: 0o755)
        let error = failure { () throws(JailError) in _ = try KeeperDirectory.join("g", in: base.path) { _ in } }
        #expect(error?.reason == "it must be a directory of this user's own with mode 0700")
    }

    @Test func `a start of any jail leaves keepers alone`() throws {
        let base = try TemporaryDirectory()
        let (connection, seat) = try Self.join(base)
        var asked = 0
        let jail = try `The run directory`.claim("jail", in: base.path) { _ in
            asked += 1
            return true
        }
        jail.remove()
        #expect(asked == 0)
        #expect(try base.names(".egress/g") == ["keeper.sock", "lock"])
        #expect(RunDirectory.all(in: base.path).isEmpty)
        withExtendedLifetime((connection, seat)) {}
    }

    // MARK: Restarts

    @Test func `five restarts in a minute, and more with time`() {
        var limit = RestartLimit()
        let second: Int64 = 1_000_000_000
        let times = (0..<5).map { Int64($0) * second } + [5 * second, 60 * second, 60 * second + 1]
        var taken: [Bool] = []
        for time in times { taken.append(limit.take(time)) }
        #expect(taken == [true, true, true, true, true, false, true, false])
    }
}
