internal import Glibc
internal import JailCore
internal import JailPlan
internal import JailTerminal

/// PID 1 of the jail: reaps, passes signals on, makes sockets, and ends the jail when the command has ended.
///
/// It runs under every wall that the command runs under. As PID 1 it takes no signal from inside, and what it is asked
/// to do comes over one inherited socket.
enum Init {
    /// The cloned child's whole life. Never returns: whatever happens, `_exit` is the only way out.
    static func run(
        _ plan: LaunchPlan, filters: [[UInt64]], control: Descriptor, streams: StandardStreams,
        hostNamespaces: [String], canaries: [String]
    ) -> Never {
        var confinement = Confinement(plan, filters: filters, control: control, canaries: canaries)
        do {
            try confinement.enter(streams)
        } catch {
            // Before the descriptors are tidied the socket still has its first number.
            report(
                Failure(stage: confinement.stage, step: confinement.step, error: error), to: confinement.supervisor)
        }
        do {
            try announce(&confinement)
            let terminal = confinement.takeSlave()
            let ruleset = confinement.takeRuleset()
            if plan.selfTest {
                let open = [0, 1, 2, Confinement.control.number] + [terminal, ruleset].compactMap(\.self)
                do throws(Failure) {
                    try SelfTest(plan: plan, host: hostNamespaces, open: Set(open)).run()
                } catch { report(error) }
            }
            let command = try start(
                plan.command, terminal: terminal, ruleset: ruleset, openFiles: confinement.openFiles)
            try serve(command, InitExecs(plan, openFiles: confinement.openFiles))
        } catch {
            report(Failure(stage: .exec, step: 0, error: error))
        }
    }

    private static func report(_ failure: Failure, to supervisor: Descriptor = Confinement.control) -> Never {
        // Nobody to tell if this fails; the supervisor then sees the exit.
        try? System.send(supervisor, ControlMessage(failure: failure).bytes)
        System.exitNow(ExitStatus.launchFailed)
    }

    private static func announce(_ confinement: inout Confinement) throws(SystemError) {
        let sockets = confinement.takeEgressSockets()
        if !sockets.isEmpty {
            try System.send(
                Confinement.control, ControlMessage(.egressSockets).bytes, descriptors: sockets.map(Descriptor.init))
            for number in sockets { System.close(number) }
        }
        for (path, number) in confinement.takeOwnSockets() {
            let kind: ControlMessage.Kind = path == CommandsPlan.socket ? .commandSocket : .sessionSocket
            try System.send(Confinement.control, ControlMessage(kind).bytes, descriptors: [Descriptor(number)])
            System.close(number)
        }
        let descriptors = confinement.takeDescriptors()
        try System.send(
            Confinement.control, ControlMessage(.ready, detail: confinement.plan.command.terminal ? 1 : 0).bytes,
            descriptors: descriptors.map(Descriptor.init))
        for number in descriptors { System.close(number) }
    }

    // MARK: The command

    /// A session of its own, so that it can be signalled as a group; its terminal; signals as a fresh process expects
    /// them (the supervisor put every disposition to its default); and nothing else but the command.
    private static func start(
        _ command: CommandPlan, terminal: Int32?, ruleset: Int32?, openFiles: UInt64?
    ) throws(SystemError) -> Int32? {
        try System.block([SIGCHLD])
        var pid: Int32?
        if !command.isNone {
            var surroundings = System.Surroundings(
                directory: .path(command.workingDirectory), terminal: terminal.map(Descriptor.init))
            surroundings.openFiles = openFiles
            surroundings.ruleset = ruleset.map(Descriptor.init)
            // Nothing else is here yet that could stop it on its way.
            pid = try System.spawn(
                System.Program(
                    path: command.path, arguments: command.arguments, environment: command.environment), surroundings)
        }
        for number in [terminal, ruleset].compactMap(\.self) { System.close(number) }
        try System.send(Confinement.control, ControlMessage(.started).bytes)
        return pid
    }

    // MARK: Serving

    /// - Parameter command: nil if the jail has none of its own.
    private static func serve(_ command: Int32?, _ execs: consuming InitExecs) throws(SystemError) -> Never {
        var execs = execs
        let signals = try System.signalDescriptor([SIGCHLD])
        while true {
            var entries = [
                System.PollEntry(Confinement.control, System.PollEvents.readable),
                System.PollEntry(signals.borrowed, System.PollEvents.readable),
            ]
            entries += execs.pollEntries
            // Children first: one may have ended before the signal descriptor was there.
            try reap(command, &execs)
            try execs.killStrays()
            try System.poll(&entries, milliseconds: -1)
            try execs.hearReports(System.PollResult(entries))
            if entries[1].returned != 0 { while try System.nextSignal(signals.borrowed) != nil {} }
            if entries[0].returned != 0 { try handleRequest(command, &execs) }
        }
    }

    private static func reap(_ command: Int32?, _ execs: inout InitExecs) throws(SystemError) {
        while let ended = try System.reap() {
            if try execs.ended(ended.pid, ended.how) { continue }
            guard ended.pid == command else { continue }
            // PID 1 ends, and the kernel kills whatever is left in the namespace.
            switch ended.how {
            case .exited(let status): try System.send(Confinement.control, ControlMessage(.exited, value: status).bytes)
            case .signalled(let signal):
                try System.send(Confinement.control, ControlMessage(.signalled, value: signal).bytes)
            }
            System.exitNow(0)
        }
    }

    private static func handleRequest(_ command: Int32?, _ execs: inout InitExecs) throws(SystemError) {
        let message = try System.receive(
            Confinement.control, most: ControlMessage.size, descriptors: InitExecs.mostDescriptors)
        let descriptors = message.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
        // The supervisor is gone, and with it everything that watches this jail.
        guard !message.bytes.isEmpty else { System.exitNow(ExitStatus.launchFailed) }
        guard let request = ControlMessage(message.bytes) else { throw SystemError(.check, .invalid) }
        switch request.kind {
        case .signal:
            if let command { try pass(request.value, to: command) }
        case .makeSocket:
            try sendSocket()
        case .execute: try execs.execute(request, descriptors)
        case .signalExec: try execs.signal(request)
        case .signalGroup: try execs.signalGroup(request, descriptors)
        case .signalAll: try signalAll(request.value)
        default:
            throw SystemError(.check, .invalid)
        }
    }

    /// What is inside can use up what sockets and messages are made of: then this connection does not come about, and the
    /// jail goes on.
    private static func sendSocket() throws(SystemError) {
        do throws(SystemError) {
            let socket = SharedDescriptor(try System.makeInternetSocket())
            try withExtendedLifetime(socket) { () throws(SystemError) in
                try System.send(Confinement.control, ControlMessage(.socket).bytes, descriptors: [socket.borrowed])
            }
        } catch {
            try System.send(Confinement.control, ControlMessage(.socket).bytes)
        }
    }

    /// Whoever is in the namespace gets it at the same moment.
    private static func signalAll(_ signal: Int32) throws(SystemError) {
        do throws(SystemError) { try System.kill(-1, signal) } catch {
            // There is nobody else.
            guard error.errno == .noProcess else { throw error }
        }
        try System.send(Confinement.control, ControlMessage(.allSignalled).bytes)
    }

    /// A terminal's signals go to the whole group, as a terminal would send them; a stop goes to the command, which may
    /// want to end its children in its own order.
    static func pass(_ signal: Int32, to command: Int32) throws(SystemError) {
        let toGroup = [SIGINT, SIGQUIT].contains(signal)
        do throws(SystemError) { try System.kill(toGroup ? -command : command, signal) } catch {
            guard error.errno == .noProcess else { throw error }
        }
    }
}
