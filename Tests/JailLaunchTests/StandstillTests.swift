import JailCore
import TestSupport
import Testing

@testable import JailLaunch

/// A jail without a control group of version 2: its init stops everybody, and the supervisor looks.
struct `A jail that is stopped by signals` {
    /// Init, and what is seen of the jail's processes.
    private final class Jail {
        var orders: [Int32] = []
        var moving: [Int32] = []
        var takesOrders = true

        var order: JailPause.Order {
            { (message, _) throws(SystemError) in
                guard self.takesOrders else { return false }
                self.orders.append(message.value)
                return true
            }
        }

        func pause(patience: Int64 = 5_000_000_000) throws -> JailPause {
            try JailPause(nil, patience: patience) { () throws(SystemError) in self.moving }
        }
    }

    private final class Caller {
        let ours: SharedDescriptor
        let theirs: SharedDescriptor

        init() throws {
            let ends = try System.makeSocketPair(.sequencedPacket).release()
            ours = SharedDescriptor(OwnedDescriptor(ends.first))
            theirs = SharedDescriptor(OwnedDescriptor(ends.second))
            try System.setNonBlocking(ours.borrowed)
        }

        var heard: ControlReply? {
            (try? System.receive(ours.borrowed, most: ControlReply.sizeLimit).bytes).flatMap { ControlReply($0) }
        }
    }

    private static let nothing = System.PollResult([])

    /// Until the next look is due, and past it.
    private func wait(_ pause: inout JailPause, _ jail: Jail) throws {
        let due = try #require(pause.due)
        let left = (due - System.monotonicNanoseconds()) / 1_000_000 + 1
        try System.pause(milliseconds: Int32(clamping: max(0, left)))
        try pause.handle(Self.nothing, jail.order)
    }

    @Test func `whoever asks hears once init has stopped everybody and two looks have found them standing`() throws {
        let jail = Jail()
        var pause = try jail.pause()
        let caller = try Caller()
        jail.moving = [7]
        try pause.ask(paused: true, for: caller.theirs, jail.order)
        #expect(jail.orders == [19] && pause.isPaused && !pause.isEstablished)
        try wait(&pause, jail)
        try pause.acknowledge(jail.order)
        try wait(&pause, jail)
        // It is asked once more, and the answer is not waited for in vain.
        while jail.orders.count == 1 { try wait(&pause, jail) }
        #expect(jail.orders == [19, 19])
        jail.moving = []
        try wait(&pause, jail)
        #expect(caller.heard == nil)
        try pause.acknowledge(jail.order)
        try wait(&pause, jail)
        #expect(caller.heard == nil && !pause.isEstablished)
        try wait(&pause, jail)
        #expect(caller.heard == .done && pause.isEstablished && pause.takeChanges() == [.paused])
        try pause.ask(paused: false, for: caller.theirs, jail.order)
        #expect(caller.heard == nil && jail.orders.last == 18)
        try pause.acknowledge(jail.order)
        #expect(caller.heard == .done && !pause.isPaused && pause.due == nil && pause.takeChanges() == [.resumed])
    }

    @Test func `one that goes on by itself is stopped again, and told of once`() throws {
        let jail = Jail()
        var pause = try jail.pause()
        let caller = try Caller()
        try pause.ask(paused: true, for: caller.theirs, jail.order)
        try pause.acknowledge(jail.order)
        while !pause.isEstablished { try wait(&pause, jail) }
        #expect(pause.takeChanges() == [.paused])
        for round in 1...2 {
            jail.moving = [9]
            try wait(&pause, jail)
            #expect(jail.orders == Array(repeating: 19, count: 1 + round) && pause.strays == round)
            try pause.acknowledge(jail.order)
        }
        #expect(pause.takeChanges() == [.strayed([9])])
    }

    @Test func `who does not stop in time goes on, and so does the jail when init could not be told at first`() throws {
        let jail = Jail()
        var pause = try jail.pause(patience: 1_000_000)
        let caller = try Caller()
        jail.moving = [7]
        try pause.ask(paused: true, for: caller.theirs, jail.order)
        try System.pause(milliseconds: 3)
        jail.takesOrders = false
        try pause.handle(Self.nothing, jail.order)
        #expect(!pause.isPaused && pause.due != nil)
        guard case .refused(_, let text)? = caller.heard else { return #expect(Bool(false), "no refusal") }
        #expect(text.contains("have not all stopped"))
        jail.takesOrders = true
        try wait(&pause, jail)
        #expect(jail.orders.last == 18 && pause.due == nil)
    }

    @Test func `an init that takes no order, and one that answers what nobody has asked, are told`() throws {
        let jail = Jail()
        var pause = try jail.pause()
        let caller = try Caller()
        jail.takesOrders = false
        try pause.ask(paused: true, for: caller.theirs, jail.order)
        guard case .refused? = caller.heard else { return #expect(Bool(false), "no refusal") }
        #expect(!pause.isPaused && pause.due == nil)
        #expect(throws: SystemError.self) { try pause.acknowledge(jail.order) }
    }
}

/// What the supervisor reads in /proc.
struct `Whether processes stand` {
    private let proc: TemporaryDirectory

    init() throws { proc = try TemporaryDirectory() }

    /// - Parameter threads: their states; the first is the process's.
    private func add(_ pid: Int32, below parent: Int32, _ threads: String, pending: String = "0") throws {
        try proc.directory("\(pid)")
        try proc.directory("\(pid)/task")
        for (index, state) in threads.enumerated() {
            let stat = "\(pid) (a) S 1 (b) \(state) \(parent) 0 0\n"
            if index == 0 { try proc.file("\(pid)/stat", stat) }
            try proc.directory("\(pid)/task/\(pid + Int32(index) * 1000)")
            try proc.file("\(pid)/task/\(pid + Int32(index) * 1000)/stat", stat)
            try proc.file(
                "\(pid)/task/\(pid + Int32(index) * 1000)/status", "Name:\ta\nSigPnd:\t0\nShdPnd:\t\(pending)\n")
        }
    }

    private var moving: [Int32] {
        get throws {
            let directory = try System.open(proc.path, [.readOnly, .directory])
            return try Standstill.moving(below: 50, in: directory.borrowed).sorted()
        }
    }

    @Test func `every thread of everybody below init counts, and nobody else`() throws {
        try add(50, below: 2, "S")
        try add(2, below: 1, "R")
        try add(60, below: 50, "T")
        try add(61, below: 60, "TTt")
        try add(62, below: 61, "ZT")
        #expect(try moving.isEmpty)
        try add(63, below: 62, "TS")
        try add(64, below: 50, "R")
        #expect(try moving == [63, 64])
    }

    @Test func `where the kernel lists children nobody else is looked at`() throws {
        try add(50, below: 2, "S")
        try add(60, below: 50, "T")
        try add(61, below: 60, "TS")
        try add(90, below: 50, "R")
        for (file, children) in [
            ("50/task/50", "60 77 "), ("60/task/60", "61 "), ("61/task/61", ""), ("61/task/1061", ""),
        ] {
            try proc.file("\(file)/children", children)
        }
        // 77 has ended since; 90 is in nobody's list.
        #expect(try moving == [61])
    }

    @Test func `one that waits for a stopped child of vfork stands if it is to stop itself`() throws {
        try add(50, below: 2, "S")
        try add(60, below: 50, "D", pending: "0000000000040000")
        #expect(try moving == [60])
        try add(61, below: 60, "T")
        #expect(try moving.isEmpty)
        try add(70, below: 50, "D")
        try add(71, below: 70, "T")
        #expect(try moving == [70])
    }
}
