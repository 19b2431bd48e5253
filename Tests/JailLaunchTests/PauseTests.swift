import JailCgroups
import JailCore
import TestSupport
import Testing

@testable import JailLaunch
@testable import JailPlan

/// The kernel's part is tried where there is a hierarchy of version 2. Here its files are a directory's, and say what a test
/// has them say.
struct `A jail that is to stand still` {
    private final class Host {
        let directory: TemporaryDirectory
        let group: Cgroup

        init(frozen: Bool) throws {
            directory = try TemporaryDirectory()
            try directory.file("cgroup.subtree_control")
            group = try Cgroup.prepare(
                CgroupPlan(
                    place: .v2(parent: directory.path), name: "jail", memory: nil, swap: 0, processes: nil,
                    milliCPUs: nil))
            try directory.file("jail/cgroup.freeze", "as it was")
            try set(frozen: frozen)
        }

        func set(frozen: Bool) throws {
            try directory.file("jail/cgroup.events", "populated 1\nfrozen \(frozen ? 1 : 0)\n")
        }

        /// What was asked of the kernel last.
        var order: String { get throws { String(try directory.read("jail/cgroup.freeze").prefix(1)) } }

        deinit {
            var group = group
            group.closeJoinDescriptors()
        }
    }

    /// One who asks, and what they hear.
    private struct Caller {
        let ours: SharedDescriptor
        let theirs: SharedDescriptor

        init() throws {
            let ends = try System.makeSocketPair(.sequencedPacket).release()
            ours = SharedDescriptor(OwnedDescriptor(ends.first))
            theirs = SharedDescriptor(OwnedDescriptor(ends.second))
            try System.setNonBlocking(ours.borrowed)
        }

        /// `done`, why not, or nothing yet.
        var heard: String? {
            guard let bytes = try? System.receive(ours.borrowed, most: ControlReply.sizeLimit).bytes else { return nil }
            switch ControlReply(bytes) {
            case .done: return "done"
            case .refused(_, let text): return text
            default: return "something else"
            }
        }
    }

    /// Of a jail that has a group nobody but the kernel is asked.
    private static var noOrder: JailPause.Order {
        { (_, _) throws(SystemError) in throw SystemError(.check, .invalid) }
    }

    private static func pause(_ group: Cgroup, patience: Int64 = 5_000_000_000) throws -> JailPause {
        try JailPause(group, patience: patience) { () throws(SystemError) in throw SystemError(.check, .invalid) }
    }

    @Test func `whoever asks hears once it is so`() throws {
        let host = try Host(frozen: false)
        var pause = try Self.pause(host.group)
        let caller = try Caller()
        try pause.ask(paused: true, for: caller.theirs, Self.noOrder)
        #expect(try host.order == "1" && caller.heard == nil && pause.isPaused && pause.due != nil)
        #expect(pause.takeChanges().isEmpty)
        try host.set(frozen: true)
        let second = try Caller()
        try pause.ask(paused: true, for: second.theirs, Self.noOrder)
        #expect(caller.heard == "done" && second.heard == "done" && pause.due == nil)
        #expect(pause.takeChanges() == [.paused])
        try host.set(frozen: false)
        try pause.ask(paused: false, for: caller.theirs, Self.noOrder)
        #expect(try host.order == "0" && caller.heard == "done" && !pause.isPaused)
        #expect(pause.takeChanges() == [.resumed])
    }

    @Test func `a jail that is to end goes on`() throws {
        let host = try Host(frozen: true)
        var pause = try Self.pause(host.group)
        try pause.ask(paused: true, for: Caller().theirs, Self.noOrder)
        #expect(pause.takeChanges() == [.paused])
        try pause.resume(Self.noOrder)
        #expect(try host.order == "0" && !pause.isPaused && pause.due == nil)
        #expect(pause.takeChanges() == [.resumed])
        // While it has not stopped yet as well, and who waits for that is told.
        try host.set(frozen: false)
        let caller = try Caller()
        try pause.ask(paused: true, for: caller.theirs, Self.noOrder)
        #expect(try host.order == "1")
        try pause.resume(Self.noOrder)
        #expect(try host.order == "0" && caller.heard?.contains("the opposite") == true && pause.due == nil)
    }

    @Test func `who asks for the opposite goes first`() throws {
        let host = try Host(frozen: false)
        var pause = try Self.pause(host.group)
        let first = try Caller()
        let second = try Caller()
        try pause.ask(paused: true, for: first.theirs, Self.noOrder)
        try pause.ask(paused: false, for: second.theirs, Self.noOrder)
        #expect(first.heard?.contains("the opposite") == true && second.heard == "done")
        #expect(try host.order == "0" && !pause.isPaused && pause.takeChanges().isEmpty)
    }

    @Test func `one that does not stop in time goes on`() throws {
        let host = try Host(frozen: false)
        var pause = try Self.pause(host.group, patience: 1_000_000)
        let caller = try Caller()
        try pause.ask(paused: true, for: caller.theirs, Self.noOrder)
        try System.pause(milliseconds: 5)
        try pause.handle(System.PollResult([]), Self.noOrder)
        #expect(try host.order == "0" && !pause.isPaused && pause.due == nil)
        #expect(caller.heard?.contains("go on; try again") == true && pause.takeChanges().isEmpty)
    }
}
