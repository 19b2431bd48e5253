package import EgressControl
internal import EgressTLS
internal import JailCore
internal import NIOCore
internal import NIOPosix

/// The way out of one jail, or of several that share the process.
///
/// The first thread listens to supervisors; everything else happens on one event loop, on a thread of its own.
package enum Gateway {
    /// Serves until whoever started this process goes away. Called on the first thread, with no other one running, once
    /// the process is confined: no file can be opened any more.
    ///
    /// - Parameter first: what came on `channel`: the setup of its one jail, or the order to share.
    package static func run(_ channel: EgressChannel, _ first: EgressOrder) -> Never {
        let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        if case .share = first {
            let jails = ServedJails(loop, attachedBy: channel)
            do {
                while try jails.serveOnce() {}
                System.exitNow(0)
            } catch {
                // Nobody to tell if this fails; whoever holds the process sees the exit.
                try? channel.fail(error)
                System.exitNow(1)
            }
        }
        let jail = ServedJail(channel, loop)
        do {
            try jail.carry(out: first, sharing: [])
            while let order = try channel.nextOrder() { try jail.carry(out: order, sharing: []) }
            System.exitNow(0)
        } catch {
            jail.tell(error)
            System.exitNow(1)
        }
    }
}

/// The jails that a shared process serves, each with a channel and a gateway of its own. Belongs to the first thread.
final class ServedJails {
    private let loop: any EventLoop
    /// From whoever holds the process. It brings further channels, and ends everything with its end.
    private let holder: EgressChannel
    private(set) var jails: [ServedJail] = []

    init(_ loop: any EventLoop, attachedBy holder: EgressChannel) {
        self.loop = loop
        self.holder = holder
    }

    /// Waits for orders, and carries out one of each channel that has some.
    ///
    /// - Returns: false once the holder is gone.
    func serveOnce() throws(SystemError) -> Bool {
        var entries = [System.PollEntry(holder.socket, System.PollEvents.readable)]
        entries += jails.map { System.PollEntry($0.channel.socket, System.PollEvents.readable) }
        try System.poll(&entries, milliseconds: -1)
        // Whatever goes wrong with one jail ends that one: the others have nothing to do with it.
        let ended = zip(jails, entries.dropFirst()).filter { $1.returned != 0 && !step($0) }.map(\.0)
        jails.removeAll { jail in ended.contains { $0 === jail } }
        return entries[0].returned == 0 ? true : try takeChannel()
    }

    private func takeChannel() throws(SystemError) -> Bool {
        do throws(SystemError) {
            switch try holder.takeOrder() {
            case nil: return false
            case .attach(let channel): jails.append(ServedJail(channel, loop))
            default: throw SystemError(.check, .invalid)
            }
        } catch {
            guard error.errno == .wouldBlock else { throw error }
        }
        return true
    }

    /// - Returns: false if the jail is served no more.
    private func step(_ jail: ServedJail) -> Bool {
        do {
            if let order = try jail.channel.takeOrder() {
                try jail.carry(out: order, sharing: jails.compactMap(\.trust))
                return true
            }
        } catch let error as SystemError where error.errno == .wouldBlock {
            return true
        } catch {
            jail.tell(error)
        }
        jail.end()
        return false
    }
}

/// One jail as the first thread sees it: its channel, and what serves it on the loop.
final class ServedJail {
    let channel: EgressChannel
    /// What origins are verified against. Its bytes came from a supervisor, and nothing of it ever changes.
    private(set) var trust: TrustRoots?
    private let loop: any EventLoop
    let service: NIOLoopBoundBox<GatewayService?>
    private var isSetUp = false

    init(_ channel: EgressChannel, _ loop: any EventLoop) {
        self.channel = channel
        self.loop = loop
        service = .makeEmptyBox(eventLoop: loop)
    }

    /// - Parameter known: trust stores that other jails have already. One with the same bytes is the same.
    func carry(out order: EgressOrder, sharing known: [TrustRoots]) throws {
        let service = service
        switch order {
        case .setup(let setup) where !isSetUp:
            isSetUp = true
            try setUp(setup, sharing: known)
        case .sockets, .resolver, .secret, .revoke, .verdict:
            guard isSetUp else { throw SystemError(.check, .invalid) }
            try loop.flatSubmit { service.value?.carry(out: order) ?? service.eventLoop.makeSucceededVoidFuture() }
                .wait()
        // A second setup, and what only the holder of a shared process may say.
        case .setup, .share, .attach: throw SystemError(.check, .invalid)
        }
    }

    private func setUp(_ setup: EgressSetup, sharing known: [TrustRoots]) throws {
        let (service, loop) = (service, loop)
        try loop.submit { service.value = try GatewayService(setup, loop: loop) }.wait()
        // The jail goes on with its start, and needs no more than the CA for it.
        if let identity = try loop.submit({ try service.value?.identity(setup) }).wait() {
            try channel.announce(identity)
        }
        // A hundred certificates and more, which takes a while: not on the loop, where others are served.
        let trust = try known.first { $0.pem == setup.trust } ?? TrustRoots(pem: setup.trust)
        self.trust = trust
        // Before the next order, which brings the sockets.
        try loop.submit { service.value?.trust(trust) }.wait()
    }

    /// Why it ends: the supervisor knows no more than that it did.
    func tell(_ error: any Error) {
        var event = EgressEvent(.gateway, .failed, time: System.realtimeMilliseconds())
        event.reason = "the way out ends: \(error)"
        // Nobody is left to tell if this fails as well.
        _ = try? channel.report([event.line])
    }

    /// Takes everything down that serves this jail, and nothing else.
    func end() {
        let service = service
        // Fails only if there is no loop any more, and then there is nothing to take down.
        try? loop.submit {
            service.value?.end()
            service.value = nil
        }.wait()
        channel.shutDown()
    }
}
