internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPrivileges

/// A process that holds one `egress-init` with its gateway for the jails of a group: their supervisors come and go, and
/// none of them has rights any more to make such processes with.
///
/// Each connection is one jail. It is given channels to the gateway, and hears how the gateway ended. What goes over the
/// channels is between supervisor and gateway: the keeper sees none of it. Single-threaded, as the supervisor is.
final class EgressKeeper {
    /// Jails at a time.
    static let mostJails = EgressPlan.mostSharing
    /// Nanoseconds without a jail after which it ends.
    private static let linger: Int64 = 3_000_000_000
    /// Between two attempts to end while somebody is at the door.
    private static let retry: Int64 = 100_000_000

    /// The supervisor of one jail.
    private final class Member {
        let connection: SharedDescriptor
        var isAsking = false

        init(_ connection: SharedDescriptor) { self.connection = connection }
    }

    private let seat: KeeperDirectory.Seat
    private let process: EgressProcess
    private let terms: String
    /// To the gateway, if there is one: it brings the jails' channels, and carries nothing else.
    private var gateway: SharedDescriptor?
    /// From the order to start it up to the word of its init that it has ended, which comes after the channel's end.
    private var isRunning = false
    private var members: [Member] = []
    private var restarts = RestartLimit()
    private var lastWord: String?
    private var leaveTime: Int64? = System.monotonicNanoseconds() + EgressKeeper.linger

    // MARK: Birth

    /// Makes the process, which is nobody's child: it outlives the supervisor that starts it. Returns in the supervisor.
    static func start(
        _ plan: LaunchPlan, _ egress: EgressPlan, at seat: KeeperDirectory.Seat
    ) throws(SystemError) {
        let child = try System.fork()
        if child == 0 {
            do throws(SystemError) {
                try System.newSession()
                if try System.fork() == 0 { live(plan, egress, seat) }
                System.exitNow(0)
            } catch {
                System.exitNow(1)
            }
        }
        guard try System.wait(forChild: child) == .exited(0) else { throw SystemError(.fork, .invalid) }
    }

    private static func live(_ plan: LaunchPlan, _ egress: EgressPlan, _ seat: KeeperDirectory.Seat) -> Never {
        do throws(SystemError) {
            let seat = try becomeKeeper(seat)
            let keeper: EgressKeeper
            do throws(JailError) { keeper = EgressKeeper(seat, egress, try EgressProcess(plan, egress)) } catch {
                try giveUp("before it began: \(error)", seat, [])
            }
            do throws(SystemError) {
                try settle(plan)
                try keeper.serve()
            } catch {
                try keeper.leave("with its keeper: \(error.call.name): \(error.errno)")
            }
        } catch {
            // The supervisors see their connections end. What is left of the directory the next keeper clears away.
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    /// Lets go of everything that was the supervisor's: its descriptors (the lock of its jail among them), its terminal,
    /// its directory, its signals.
    private static func becomeKeeper(_ seat: KeeperDirectory.Seat) throws(SystemError) -> KeeperDirectory.Seat {
        try System.resetSignals()
        let null = try System.open("/dev/null", .readWrite).release()
        // Above all the numbers that they will have, so that none is written over before it has moved.
        let moved = try [null, seat.listener.take().release(), seat.lock.take().release()].map {
            (number) throws(SystemError) in
            try System.duplicate(Descriptor(number), atLeast: 16).release()
        }
        for number: Int32 in 0...2 { try System.duplicate(Descriptor(moved[0]), to: number, closeOnExec: false) }
        try System.duplicate(Descriptor(moved[1]), to: 3, closeOnExec: true)
        try System.duplicate(Descriptor(moved[2]), to: 4, closeOnExec: true)
        try System.closeRange(5, .max)
        try System.changeDirectory("/")
        System.setFileModeMask(0o077)
        try System.setProcessName("egress-keeper")
        return KeeperDirectory.Seat(
            directory: seat.directory, listener: SharedDescriptor(OwnedDescriptor(3)),
            lock: SharedDescriptor(OwnedDescriptor(4)))
    }

    /// After the id maps of `egress-init`, which need these rights or this state. What is left to do is to pass descriptors
    /// on, and to remove a directory of its own.
    private static func settle(_ plan: LaunchPlan) throws(SystemError) {
        try System.setDumpable(false)
        if plan.identity.startedByRoot { try Privileges.keepOnly([]) }
        try Privileges.forbidNewPrivileges()
    }

    private init(_ seat: KeeperDirectory.Seat, _ egress: EgressPlan, _ process: EgressProcess) {
        self.seat = seat
        self.process = process
        terms = egress.terms
    }

    // MARK: Life

    private func serve() throws(SystemError) -> Never {
        // The first jail is on its way: the gateway's start overlaps with that.
        try startGateway()
        while true {
            var entries =
                process.pollEntries + members.map { .init($0.connection.borrowed, System.PollEvents.readable) }
            entries.append(.init(seat.listener.borrowed, System.PollEvents.readable))
            if let gateway {
                let isAwaited = members.contains(where: \.isAsking)
                entries.append(
                    .init(
                        gateway.borrowed,
                        System.PollEvents.readable | (isAwaited ? System.PollEvents.writable : 0)))
            }
            try System.poll(&entries, milliseconds: patience())
            try handle(System.PollResult(entries))
        }
    }

    private func patience() -> Int32 {
        // What could not be had for the moment is asked for again.
        guard let leaveTime else { return isRunning && members.contains(where: \.isAsking) ? 100 : -1 }
        return Int32(clamping: max(0, (leaveTime - System.monotonicNanoseconds()) / 1_000_000 + 1))
    }

    private func handle(_ ready: System.PollResult) throws(SystemError) {
        if let gateway, ready[gateway.borrowed] != nil { try hear(gateway) }
        for news in try process.news(ready) { try take(news) }
        for member in members where ready[member.connection.borrowed] != nil { try hear(member) }
        if ready[seat.listener.borrowed] != nil { accept() }
        try serveAsking()
        try leaveIfUnused()
    }

    // MARK: The gateway

    private func startGateway() throws(SystemError) {
        lastWord = nil
        isRunning = true
        guard let channel = try process.ask() else { return }
        gateway = channel
        do throws(SystemError) {
            try withExtendedLifetime(channel) { () throws(SystemError) in
                try System.send(channel.borrowed, EgressMessage.share.bytes)
            }
        } catch {
            // Killed already: its end is told by its init.
            guard [.brokenPipe, .connectionReset].contains(error.errno) else { throw error }
        }
    }

    /// It says nothing here but why it could not begin.
    private func hear(_ channel: SharedDescriptor) throws(SystemError) {
        let received: (bytes: [UInt8], descriptors: [Int32])
        do throws(SystemError) {
            received = try System.receiveUpToEnd(channel.borrowed, most: EgressMessage.sizeLimit)
        } catch {
            switch error.errno {
            case .wouldBlock: return
            case .messageTooLong: try leave("by clawjail: it said more than it may")
            default: throw error
            }
        }
        // Its end is told by its init.
        guard !received.bytes.isEmpty else { return gateway = nil }
        guard case .failure(let error)? = try EgressMessage.report(received.bytes, []) else {
            try leave("by clawjail: it said what it never would")
        }
        lastWord = "\(error.call.name): \(error.errno)"
    }

    private func take(_ news: EgressNews) throws(SystemError) {
        switch news {
        case .channel: break
        case .word(let line): lastWord = lastWord ?? line
        case .ended(let how, let why, let mayRestart):
            // What it said before it ended comes first.
            if let gateway { try hear(gateway) }
            gateway = nil
            isRunning = false
            let text = how + ((why ?? lastWord).map { ": \($0)" } ?? "")
            guard mayRestart else { try leave(text) }
            guard restarts.take(System.monotonicNanoseconds()) else { try leave("\(text), too often") }
            // They ask again if they want to: what was asked before that was asked of the one that has ended.
            for member in members {
                member.isAsking = false
                send(.ended(text), to: member)
            }
        }
    }

    // MARK: Jails

    private func accept() {
        while let accepted = try? System.accept(seat.listener.borrowed) {
            let connection = SharedDescriptor(accepted)
            guard let peer = try? System.peer(of: connection.borrowed), peer.uid == System.effectiveUserID else {
                continue
            }
            let member = Member(connection)
            members.append(member)
            leaveTime = nil
            if members.count > Self.mostJails {
                remove(member, saying: "for this jail: \(Self.mostJails) share it already")
            }
        }
    }

    private func hear(_ member: Member) throws(SystemError) {
        let received = try? System.receiveUpToEnd(member.connection.borrowed, most: KeeperMessage.sizeLimit)
        switch received.flatMap({ KeeperMessage($0.bytes) }) {
        case .ask(terms): member.isAsking = true
        case .ask: remove(member, saying: "for this jail: the group's is another program, or within other bounds")
        case .distrust: try leave("by clawjail: it said what it never would")
        default: remove(member, saying: nil)
        }
    }

    /// Gives a channel to each that asks, as fast as the gateway takes them.
    private func serveAsking() throws(SystemError) {
        for member in members where member.isAsking {
            if !isRunning { try startGateway() }
            guard let gateway else { return }
            let outer: SharedDescriptor
            do throws(SystemError) {
                let channel = try EgressProcess.makeChannel()
                outer = channel.outer
                try withExtendedLifetime(channel.inner) { () throws(SystemError) in
                    try System.send(
                        gateway.borrowed, EgressMessage.attach.bytes, descriptors: [channel.inner.borrowed])
                }
            } catch {
                // Full: it is asked again. On its way out: what comes of it is heard.
                guard error.errno.isShortage || [.brokenPipe, .connectionReset].contains(error.errno) else {
                    throw error
                }
                return
            }
            member.isAsking = false
            withExtendedLifetime(outer) { send(.channel, to: member, [outer.borrowed]) }
        }
    }

    private func send(_ message: KeeperMessage, to member: Member, _ descriptors: [Descriptor] = []) {
        do throws(SystemError) {
            try System.send(member.connection.borrowed, message.bytes, descriptors: descriptors)
        } catch {
            // One that is gone, or does not read: its jail has no way out, and sees that by the end of the connection.
            remove(member, saying: nil)
        }
    }

    private func remove(_ member: Member, saying reason: String?) {
        // Nobody is left to tell if this fails.
        if let reason { try? System.send(member.connection.borrowed, KeeperMessage.gone(reason).bytes) }
        members.removeAll { $0 === member }
        if members.isEmpty { leaveTime = System.monotonicNanoseconds() + Self.linger }
    }

    // MARK: The end

    private func leaveIfUnused() throws(SystemError) {
        guard let leaveTime, System.monotonicNanoseconds() >= leaveTime else { return }
        let mayGo = try seat.directory.leave(seat.lock, mayWait: false) {
            accept()
            return !members.isEmpty
        }
        guard mayGo else {
            if self.leaveTime != nil { self.leaveTime = System.monotonicNanoseconds() + Self.retry }
            return
        }
        process.kill()
        System.exitNow(0)
    }

    /// For good: tells all jails, and those that still come.
    private func leave(_ text: String) throws(SystemError) -> Never {
        process.kill()
        try Self.giveUp(text, seat, members.map(\.connection))
    }

    private static func giveUp(
        _ text: String, _ seat: KeeperDirectory.Seat, _ connections: [SharedDescriptor]
    ) throws(SystemError) -> Never {
        var connections = connections
        _ = try seat.directory.leave(seat.lock, mayWait: true) {
            while let accepted = try? System.accept(seat.listener.borrowed) {
                connections.append(SharedDescriptor(accepted))
            }
            return false
        }
        for connection in connections {
            // One that cannot be told sees the connection end.
            try? System.send(connection.borrowed, KeeperMessage.gone(text).bytes)
        }
        System.exitNow(0)
    }
}
