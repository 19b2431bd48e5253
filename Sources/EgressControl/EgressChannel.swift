package import JailCore
package import JailPolicy

/// The way out's end of the socket pair to a supervisor: SOCK_SEQPACKET, non-blocking. One message is one packet: a
/// byte that says what it is, a text, and descriptors in a fixed order.
///
/// May be used from several threads: every operation is one system call, or two that do not depend on one another. It is
/// closed when nobody holds it any more, so that what is still said on it can never reach another jail's supervisor.
package final class EgressChannel: Sendable {
    /// What it is in the process, from the start on. 0 and 1 are /dev/null, 2 is what the supervisor made of it.
    package static let number: Int32 = 3

    private let owned: OwnedDescriptor

    package init(_ socket: consuming OwnedDescriptor) { owned = socket }

    /// To wait on.
    package var socket: Descriptor { owned.borrowed }

    /// Tells of what was decided, in the form of ``EgressEvent/line``.
    ///
    /// - Returns: the index of the first one that could not be told, because the channel is full: the supervisor has not
    ///   read for a while. What could not be told must not happen: the caller denies until it can tell again.
    /// - Throws: the supervisor is gone.
    package func report(_ lines: [String]) throws(SystemError) -> Int {
        var next = 0
        while next < lines.count {
            let (packet, after) = EgressMessage.events(lines[next...])
            guard after > next, try send(packet.bytes) else { break }
            next = after
        }
        return next
    }

    /// Tells what was spent so far.
    ///
    /// - Returns: false: the channel is full, and what is not told must not happen.
    package func report(_ spend: SpendReport) throws(SystemError) -> Bool {
        try send(EgressMessage.spend(spend).bytes)
    }

    /// Tells which refresh token an endpoint gave in the place of the one before.
    ///
    /// - Returns: false: the channel is full.
    package func report(renewed name: String, _ value: SecretValue) throws(SystemError) -> Bool {
        var bytes = EgressMessage.renewed(name, value).bytes
        defer { bytes.wipe() }
        return try send(bytes)
    }

    /// Asks for an approval; the answer comes as an order.
    ///
    /// - Returns: false: the channel is full, and nobody was asked.
    package func ask(_ ask: EgressAsk) throws(SystemError) -> Bool { try send(EgressMessage.ask(ask).bytes) }

    /// Nobody waits any more. Where the channel is full the supervisor does not hear it, and its answer is dropped.
    package func withdraw(_ id: UInt32) throws(SystemError) { _ = try send(EgressMessage.withdrawn(id).bytes) }

    /// Tells who it is, see ``EgressIdentity``. Once, before anything else is told.
    package func announce(_ identity: EgressIdentity) throws(SystemError) {
        let certificate = try System.makeMemoryFile("certificate", identity.certificate)
        let state = try System.makeMemoryFile("state", identity.state)
        let java = try System.makeMemoryFile("java", identity.javaTrustStore)
        try System.send(
            socket, EgressMessage.ready.bytes,
            descriptors: [certificate.borrowed, state.borrowed, java.borrowed])
    }

    /// Tells why it could not begin, instead of ``announce(_:)``.
    package func fail(_ error: SystemError) throws(SystemError) {
        try System.send(socket, EgressMessage.failure(error).bytes)
    }

    /// The next order of the supervisor's; waits for it. nil: the supervisor is gone, and so is the reason to run.
    ///
    /// For a thread that does nothing else, such as the first one.
    package func nextOrder() throws(SystemError) -> EgressOrder? {
        while true {
            var entries = [System.PollEntry(socket, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: -1)
            do throws(SystemError) { return try takeOrder() } catch {
                guard error.errno == .wouldBlock else { throw error }
            }
        }
    }

    /// The order that has come; nil: the supervisor is gone. Throws EAGAIN if there is neither, anything else for what is
    /// no order; nothing that came with it stays open then.
    package func takeOrder() throws(SystemError) -> EgressOrder? {
        let received = try System.receive(
            socket, most: EgressMessage.sizeLimit, descriptors: EgressMessage.mostDescriptors)
        let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
        if received.bytes.isEmpty { return nil }
        return try withExtendedLifetime(descriptors) { () throws(SystemError) in
            try EgressMessage.order(received.bytes, descriptors, self)
        }
    }

    /// Ends it for the supervisor as well, and wakes whoever waits for orders: nothing more is heard or told.
    package func shutDown() {
        // One that has ended already has nothing left to end.
        try? System.shutDown(socket)
    }

    private func send(_ bytes: [UInt8]) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try System.send(socket, bytes)
            return true
        } catch {
            guard error.errno.isShortage else { throw error }
            return false
        }
    }
}

/// What the supervisor wants; or, of a process that serves several jails, whoever holds that process.
package enum EgressOrder: Sendable {
    /// The first one, exactly once. `clawjail-egress` reads it before it makes the gateway.
    case setup(EgressSetup)
    /// Serve these. Once; without them there is nothing to do but to wait.
    case sockets(EgressSockets)
    /// The host's files have changed.
    case resolver(ResolverFiles)
    /// A secret that the setup's bindings name, or another value of one.
    case secret(SecretGrant)
    /// A secret was removed: what stands for it is worth nothing any more.
    case revoke(String, SecretPlaceholder)
    /// What somebody has said to a request, or that nobody has.
    case verdict(EgressVerdict)
    /// The first one instead of a setup: serve as many jails as there are channels. Nothing is said on this one.
    case share
    /// After that, and never else: one more jail, whose supervisor holds the other end.
    case attach(EgressChannel)
}
