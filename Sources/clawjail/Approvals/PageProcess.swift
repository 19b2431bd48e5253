internal import Glibc
import JailCore
import JailHost
import JailPage
import JailPolicy
import PageControl

/// The page's process, and this one, which answers it until one of them ends.
///
/// The page reads what strangers say, so it has nothing: no file, no way to a jail, as root no root. It has its listeners and a
/// socket to this process, which does what tokens may, see ``PageDesk``.
struct PageProcess {
    private static let signals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGCHLD]

    private let desk: PageDesk
    private let port: UInt16
    private let names: [String]

    init(port: UInt16, names: [String], desk: PageDesk) throws(JailError) {
        self.desk = desk
        self.port = port
        self.names = names
        do throws(ValueError) { _ = try PageHosts(port: port, others: names) } catch {
            throw JailError(.usage, reason: "--allowed-host: \(error.reason)")
        }
    }

    func run() throws(JailError) -> Never {
        let program = try Self.program()
        let listeners = try listen()
        let ends = try attempt(.supervise) { () throws(SystemError) in
            try System.ignore(SIGPIPE)
            try System.block(Self.signals)
            return try System.makeSocketPair(.stream).release()
        }
        let own = OwnedDescriptor(ends.first)
        let user = try System.effectiveUserID == 0 ? Self.freeUser() : 0
        let words = [program, "\(port)", "\(user)", "\(listeners.count)"] + names
        let pid = try attempt(.supervise) { () throws(SystemError) in try System.fork() }
        if pid == 0 { Self.become(words, Descriptor(ends.second), listeners) }
        System.close(ends.second)
        let signals = try attempt(.supervise) { () throws(SystemError) in
            try Self.giveUp()
            return SharedDescriptor(try System.signalDescriptor(Self.signals))
        }
        say()
        do throws(SystemError) {
            try serve(PageChannel(own.borrowed), own.borrowed, signals.borrowed, pid)
            // Whatever became of the page: nobody is to log in there any more.
            for listener in listeners { try System.shutDown(listener.borrowed) }
            // It sees the end of this process's socket.
        } catch {
            throw JailError(.supervise, error)
        }
        Output.leave(0)
    }

    /// Beside this very program.
    private static func program() throws(JailError) -> String {
        try attempt(.supervise, "clawjail-web") { () throws(SystemError) in
            let path = try System.readLink("/proc/self/exe").parentPath + "/clawjail-web"
            guard try System.status(path).kind == .regular else { throw SystemError(.execve, .notFound) }
            return path
        }
    }

    private static func freeUser() throws(JailError) -> UInt32 {
        let accounts = try Accounts()
        return try attempt(.supervise) { () throws(SystemError) in try EgressProbe.freeID(accounts) }
    }

    private func listen() throws(JailError) -> [SharedDescriptor] {
        do throws(SystemError) {
            let first = SharedDescriptor(try System.makeInternetSocket())
            try System.bind(first.borrowed, address: 0x7F00_0001, port: port)
            try System.listen(first.borrowed, backlog: 16)
            do throws(SystemError) {
                let second = SharedDescriptor(try System.makeDualSocket())
                try System.bindLoopback6(second.borrowed, port: port)
                try System.listen(second.borrowed, backlog: 16)
                return [first, second]
            } catch {
                // A host without IPv6 has no ::1 that anybody could ask.
                guard error.errno == .familyNotSupported || error.errno == .addressNotAvailable else { throw error }
                return [first]
            }
        } catch {
            throw JailError(
                .supervise, error, path: "port \(port)",
                hint: error.errno == .addressInUse ? "another page is there already, or take another --port" : nil)
        }
    }

    /// In the child: has the page's descriptors and nothing else, and becomes it.
    private static func become(
        _ words: [String], _ channel: Descriptor, _ listeners: [SharedDescriptor]
    ) -> Never {
        do throws(SystemError) {
            // Those that are there may have the numbers that they are to have.
            var copies = [SharedDescriptor(try System.duplicate(channel, atLeast: 16))]
            for listener in listeners {
                copies.append(SharedDescriptor(try System.duplicate(listener.borrowed, atLeast: 16)))
            }
            for (copy, number) in zip(copies, [PageChannel.number] + PageChannel.listeners) {
                try System.duplicate(copy.borrowed, to: number, closeOnExec: false)
            }
            try System.closeRange(UInt32(PageChannel.number) + UInt32(copies.count), .max)
            try System.resetSignals()
            // Of the caller's environment it needs nothing.
            try System.execute(words[0], arguments: words, environment: [])
        } catch {
            Output.say(JailError(.supervise, error, path: words[0]).description)
            Output.leave(ExitStatus.notExecutable)
        }
    }

    /// Sockets and files of jails are its own user's: it needs no right besides.
    private static func giveUp() throws(SystemError) {
        try System.setDumpable(false)
        try System.clearAmbientCapabilities()
        try System.setCapabilities(.empty)
        try System.setNoNewPrivileges()
        guard try System.capabilities() == .empty, try System.hasNoNewPrivileges() else {
            throw SystemError(.check, .notPermitted)
        }
    }

    private func say() {
        Output.say("the page is at http://clawjail.localhost:\(port)/ and http://127.0.0.1:\(port)/")
        Output.say("from elsewhere: ssh -L \(port):127.0.0.1:\(port) THIS-HOST, and the same address there")
    }

    /// Until a signal, or the page's end.
    private func serve(
        _ channel: PageChannel, _ socket: Descriptor, _ signals: Descriptor, _ page: Int32
    ) throws(SystemError) {
        while true {
            var entries = [
                System.PollEntry(socket, System.PollEvents.readable),
                System.PollEntry(signals, System.PollEvents.readable),
            ]
            try System.poll(&entries, milliseconds: -1)
            let ready = System.PollResult(entries)
            if ready[signals] != nil, let signal = try System.nextSignal(signals), signal != SIGCHLD { return }
            if ready[socket] != nil {
                guard let bytes = try channel.receive(limit: PageCall.sizeLimit) else { break }
                try channel.send(desk.answer(bytes).bytes)
            } else if ready[signals] != nil {
                break
            }
        }
        Output.say("clawjail-web ended \(try System.wait(forChild: page))")
        Output.leave(ExitStatus.launchFailed)
    }
}
