package import JailCore
internal import JailPlan
package import JailPolicy

/// Shows ports of the jail's loopback on the host, for the supervisor's poll loop.
///
/// A socket belongs to the network namespace that it was made in, wherever it is used: so the supervisor listens on
/// the host, asks init for a socket of the jail's for each connection, and connects that one to the jail's 127.0.0.1.
/// No address translation, no bridge, no rights. Bytes are passed on and not looked at, but by ``inspector`` and for a port with
/// a token: there each client's go through a ``TokenGate``.
package struct PortPublisher {
    /// Connections at the same time; more wait in the listeners' backlog.
    private static let mostConnections = 512
    /// Sockets asked for and not yet there: no more requests than the control socket holds, or one would be lost.
    private static let mostWaiting = 64
    /// Clients that have not shown the token yet. Where there are more the one that has waited longest goes.
    private static let mostStrangers = 64
    /// Descriptors that the supervisor needs for itself.
    private static let reserve = 64

    fileprivate final class Connection {
        let client: SharedDescriptor
        let port: UInt16
        var jail: SharedDescriptor?
        var isConnected = false
        var isRefused = false
        var up: Relay?
        var down: Relay?
        /// Of what the jail answers.
        var look: Relay.Look?
        /// Of a port that asks for a token.
        var gate: TokenGate?
        /// What it has let through before there was a socket of the jail's.
        var first: [UInt8] = []
        var refusal: TokenGate.Refusal?

        init(client: consuming OwnedDescriptor, port: UInt16, gate: TokenGate?) {
            self.client = SharedDescriptor(client)
            self.port = port
            self.gate = gate
        }

        var isFinished: Bool {
            guard !isRefused, let up, let down else { return isRefused }
            return up.state == .failed || down.state == .failed || (up.state == .done && down.state == .done)
        }

        /// Each side's end is passed on as such: clients that close their half after the request are real.
        func pass(clientReady: Bool, jailReady: Bool) {
            guard let jail = jail?.borrowed, var up, var down else { return }
            let wasUpDone = up.state == .done
            let wasDownDone = down.state == .done
            // The jail first: what it has said decides how its client is understood.
            down.step(
                readable: jailReady, through: gate == nil && look == nil ? nil : { [weak self] in self?.hear($0) })
            self.down = down
            up.step(readable: clientReady, through: gate == nil ? nil : { [weak self] in self?.judge($0) })
            if !wasUpDone, up.state == .done { try? System.shutdownWriting(jail) }
            if !wasDownDone, down.state == .done { try? System.shutdownWriting(client.borrowed) }
            self.up = up
            self.down = down
        }

        private func hear(_ bytes: [UInt8]) -> [UInt8]? {
            gate?.hear(bytes)
            return look?(bytes[...]) == false ? nil : bytes
        }
    }

    private final class Listener {
        let socket: SharedDescriptor
        let port: PublishedPort
        let token: PublishedToken?

        init(_ socket: consuming OwnedDescriptor, _ port: PublishedPort, _ token: PublishedToken?) {
            self.socket = SharedDescriptor(socket)
            self.port = port
            self.token = token
        }
    }

    private var listeners: [Listener] = []
    /// Clients of ports with a token that have not said enough yet, in the order in which they came.
    private var strangers: [Connection] = []
    /// Accepted, and waiting for a socket of the jail's, in the order in which sockets were asked for.
    private var waiting: [Connection] = []
    private var connections: [Connection] = []
    private var mostConnections = PortPublisher.mostConnections
    /// Makes what looks through the answers of one connection to a port of the jail's; nil: nobody does, and it costs nothing.
    package var inspector: ((_ port: UInt16) -> Relay.Look)?
    private var refusals = TokenRefusals()

    /// Before the clone: a port that is taken ends the launch.
    ///
    /// - Parameter token: of the ports that ask for one.
    package init(_ ports: [PublishedPort], token: PublishedToken? = nil) throws(JailError) {
        if !ports.isEmpty {
            // Each takes two descriptors. A supervisor that runs out of them cannot hear init, and ends the jail.
            let descriptors = try attempt(.network) { () throws(SystemError) in try System.limit(.openFiles).soft }
            let most = (Int(clamping: descriptors) - Self.reserve) / 2
            guard most > 0 else {
                throw JailError(
                    .network, reason: "\(descriptors) open files are too few to publish ports", hint: "ulimit -n 1024")
            }
            mostConnections = min(Self.mostConnections, most)
        }
        for port in ports {
            guard port.token == nil || token != nil else {
                throw JailError(.network, path: port.hostText, reason: "its token is not known")
            }
            do {
                let socket = try System.makeInternetSocket()
                try System.bind(socket.borrowed, address: port.hostAddress, port: port.hostPort)
                try System.listen(socket.borrowed)
                listeners.append(Listener(socket, port, port.token.flatMap { _ in token }))
            } catch {
                throw JailError(.network, error, path: port.hostText)
            }
        }
    }

    /// Nobody comes in any more, and who is in is cut off.
    package mutating func close() {
        listeners = []
        strangers = []
        waiting = []
        connections = []
    }

    package var isEmpty: Bool { listeners.isEmpty }

    private var isAccepting: Bool {
        waiting.count < Self.mostWaiting && strangers.count + waiting.count + connections.count < mostConnections
    }

    /// What was refused for want of a token, to be told.
    package mutating func takeRefusals() -> [JSON] { refusals.take(System.monotonicNanoseconds()) }

    package var pollEntries: [System.PollEntry] {
        var entries: [System.PollEntry] = []
        if isAccepting {
            for listener in listeners { entries.append(.init(listener.socket.borrowed, System.PollEvents.readable)) }
            for stranger in strangers { entries.append(.init(stranger.client.borrowed, System.PollEvents.readable)) }
        }
        for connection in connections {
            guard let jail = connection.jail?.borrowed else { continue }
            guard connection.isConnected, let up = connection.up, let down = connection.down else {
                entries.append(.init(jail, System.PollEvents.writable))
                continue
            }
            let client = connection.client.borrowed
            // A descriptor with nothing to wait for is left out: a hang-up would otherwise wake the loop for ever.
            let clientEvents =
                (up.wantsToRead ? System.PollEvents.readable : 0) | (down.wantsToWrite ? System.PollEvents.writable : 0)
            let jailEvents =
                (down.wantsToRead ? System.PollEvents.readable : 0) | (up.wantsToWrite ? System.PollEvents.writable : 0)
            if clientEvents != 0 { entries.append(.init(client, clientEvents)) }
            if jailEvents != 0 { entries.append(.init(jail, jailEvents)) }
        }
        return entries
    }

    /// Handles what poll(2) returned. Returns how many sockets init is to be asked for.
    package mutating func handle(_ ready: System.PollResult) -> Int {
        var wanted = 0
        for listener in listeners where ready[listener.socket.borrowed] != nil {
            // Out of descriptors or memory: the connection stays in the backlog and is tried again.
            while isAccepting,
                let client = try? System.accept(listener.socket.borrowed)
            {
                let connection = Connection(
                    client: client, port: listener.port.jailPort, gate: listener.token.map { TokenGate($0) })
                if connection.gate == nil {
                    waiting.append(connection)
                    wanted += 1
                } else {
                    makeRoomForStranger()
                    strangers.append(connection)
                }
            }
        }
        wanted += hearStrangers(ready)
        for connection in connections { step(connection, ready) }
        for connection in connections {
            if let refusal = connection.refusal { refusals.add(refusal, at: connection.port) }
        }
        connections.removeAll { $0.isFinished }
        return wanted
    }

    /// Init has no socket for the connection that has waited longest.
    package mutating func drop() { if !waiting.isEmpty { waiting.removeFirst() } }

    /// A socket that init made in the jail's namespace, for the connection that has waited longest.
    package mutating func deliver(_ socket: consuming OwnedDescriptor) {
        guard !waiting.isEmpty else { return }
        let connection = waiting.removeFirst()
        do {
            // Whatever init sent: nothing here may block on it.
            try System.setNonBlocking(socket.borrowed)
            try System.setNoDelay(connection.client.borrowed)
            try System.setNoDelay(socket.borrowed)
            connection.isConnected = try System.connect(socket.borrowed, address: 0x7F00_0001, port: connection.port)
            connection.jail = SharedDescriptor(socket)
            if connection.isConnected { start(connection) }
            connections.append(connection)
        } catch {
            // Nothing listens in the jail: dropping the connection closes both sides, and the client sees that at once.
        }
    }

    private func start(_ connection: Connection) {
        guard let jail = connection.jail?.borrowed else { return }
        connection.up = Relay(from: connection.client.borrowed, to: jail, first: connection.first)
        connection.first = []
        connection.down = Relay(from: jail, to: connection.client.borrowed)
        connection.look = inspector?(connection.port)
    }

    private func step(_ connection: Connection, _ ready: System.PollResult) {
        guard let jail = connection.jail?.borrowed else { return }
        if !connection.isConnected {
            guard ready[jail] != nil else { return }
            do { try System.confirmConnected(jail) } catch {
                connection.isRefused = true
                return
            }
            connection.isConnected = true
            start(connection)
        }
        connection.pass(
            clientReady: ready[connection.client.borrowed] != nil, jailReady: ready[jail] != nil)
    }

    // MARK: Tokens

    /// Nobody keeps others out by connecting and saying nothing.
    private mutating func makeRoomForStranger() {
        if strangers.count >= Self.mostStrangers { strangers.removeFirst() }
        let greeting = connections.filter { $0.gate?.isKnown == false }
        if greeting.count >= Self.mostStrangers { greeting.first?.isRefused = true }
    }

    /// Returns how many of them have a use for a socket now.
    private mutating func hearStrangers(_ ready: System.PollResult) -> Int {
        var welcome = 0
        for stranger in strangers where ready[stranger.client.borrowed] != nil && isAccepting {
            stranger.hear()
            if let refusal = stranger.refusal { refusals.add(refusal, at: stranger.port) }
            guard !stranger.isRefused, !stranger.first.isEmpty else { continue }
            waiting.append(stranger)
            welcome += 1
        }
        strangers.removeAll { $0.isRefused || !$0.first.isEmpty }
        return welcome
    }
}

extension PortPublisher.Connection {
    /// Before the jail has heard of it.
    fileprivate func hear() {
        do throws(SystemError) {
            let bytes = try System.read(client.borrowed, most: Relay.capacity)
            guard !bytes.isEmpty else {
                isRefused = true
                return
            }
            first = judge(bytes) ?? []
        } catch {
            if error.errno != .wouldBlock { isRefused = true }
        }
    }

    /// What goes on to the jail; nil: nothing any more, and the client has been told.
    fileprivate func judge(_ bytes: [UInt8]) -> [UInt8]? {
        guard let step = gate?.take(bytes) else { return nil }
        switch step {
        case .pass(let passed): return passed
        case .refuse(let why, let answer):
            (refusal, isRefused) = (why, true)
            // Beside what the jail has said and the client not heard, it would mean nothing.
            guard down?.wantsToWrite != true else { return nil }
            // A client that takes nothing is not waited for; and one that has sent more than was read would lose the answer.
            _ = try? System.write(client.borrowed, answer[...])
            try? System.shutdownWriting(client.borrowed)
            _ = try? System.read(client.borrowed, most: Relay.capacity)
            return nil
        }
    }
}
