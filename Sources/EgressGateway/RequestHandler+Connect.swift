internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

extension RequestHandler {
    /// CONNECT (RFC 9110, 9.3.6): judged before it is answered, and then treated as a connection to that host and port.
    func connect(_ head: HTTPRequestHead) {
        guard let authority = Authority(wire: head.uri.utf8), let port = authority.port else {
            return refuse(Denial(.badRequest, "CONNECT needs HOST:PORT"), head)
        }
        let destination = Destination(host: authority.host, port: port)
        if let canaries = gateway.canaries {
            var scan = canaries.scan()
            let ids = Array(Set(canaries.look(through: head, &scan) + canaries.ids(in: destination.host.text))).sorted()
            if !ids.isEmpty {
                gateway.tell(ids, in: .request, to: destination, nil)
                return denyConnect(CanaryGuard.denial(ids), destination)
            }
        }
        if let denial = gateway.secrets?.misuse(in: head) { return denyConnect(denial, destination) }
        guard isConsistent(head, with: destination) else {
            return refuse(Denial(.badRequest, "a Host that differs from CONNECT's target"), head)
        }
        switch gateway.policy.reach(destination.question()) {
        case .deny(let denial): denyConnect(Denial(denial), destination)
        case .allow(let grant):
            phase = .handingOver
            atEnd = { [weak self] in self?.hand(over: destination, grant) }
        }
    }

    private func isConsistent(_ head: HTTPRequestHead, with destination: Destination) -> Bool {
        let hosts = head.headers["host"]
        // Old clients send none with HTTP/1.0.
        guard !hosts.isEmpty else { return head.version == .http1_0 }
        guard hosts.count == 1, let authority = Authority(wire: hosts[0].utf8) else { return false }
        return authority.host == destination.host && (authority.port == nil || authority.port == destination.port)
            && head.headers["transfer-encoding"].isEmpty && head.headers["content-length"].allSatisfy { $0 == "0" }
    }

    private func denyConnect(_ denial: Denial, _ destination: Destination) {
        gateway.recordDenial(.connection, denial, destination)
        let target = "\(destination.host.urlText):\(destination.port)"
        answer(
            denial, what: "CONNECT \(target)", explain: "clawjail explain --profile \(gateway.profile) \(target)",
            isHead: false)
    }

    private func hand(over destination: Destination, _ grant: NetworkGrant) {
        guard let context else { return }
        let channel = context.channel
        context.writeAndFlush(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .ok))), promise: nil)
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        do {
            connection.startAgain()
            try Intake.carry(channel, destination, grant, connection, gateway)
            try leaveHTTP(channel)
            try releaseBytes(channel)
        } catch {
            channel.close(promise: nil)
        }
    }

    /// All of it but the parser.
    func leaveHTTP(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let encoder = try pipeline.context(handlerType: HTTPResponseEncoder.self)
        phase = .ended
        exchange = nil
        if let context { pipeline.removeHandler(context: context, promise: nil) }
        pipeline.removeHandler(context: encoder, promise: nil)
    }

    /// Then the parser goes: what it has read too much belongs to whoever comes after it, and may be passed on at once, so
    /// nobody who speaks HTTP may be left on the other side either.
    func releaseBytes(_ channel: any Channel) throws {
        let pipeline = channel.pipeline.syncOperations
        let decoder = try pipeline.context(handlerType: ByteToMessageHandler<HTTPRequestDecoder>.self)
        pipeline.removeHandler(context: decoder, promise: nil)
    }
}
