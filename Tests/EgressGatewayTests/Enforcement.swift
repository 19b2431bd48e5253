import EgressGateway
import JailPolicy
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What the gateway makes of the bytes of a request, with the very parts that it is built of.
struct Enforcement {
    enum Outcome: Equatable {
        /// What would go upstream, and by which rule.
        case allowed(target: String, method: String, destination: Destination, rule: String)
        /// A connection that is not looked into.
        case opaque(NetworkGrant.Handling)
        case denied(String)

        var isDenied: Bool { if case .denied = self { true } else { false } }
    }

    enum Entry: CaseIterable { case transparent, proxy, tunnel }

    let policy: NetworkPolicy

    /// nil: this way in is none for such a request.
    func outcome(_ request: RandomRequests.Request, through entry: Entry) -> Outcome? {
        switch entry {
        case .transparent: transparent(request)
        case .proxy:
            request.scheme == .http && !request.isWebSocket
                ? judge(text(request, target: "http://\(request.authority)\(request.path)"), .proxy, policy) : nil
        case .tunnel: tunnel(request)
        }
    }

    // MARK: Ways in

    /// The name is looked up first, and no name comes without one.
    private func transparent(_ request: RandomRequests.Request) -> Outcome {
        guard let authority = Authority(wire: request.authority.utf8) else { return .denied("no name") }
        if case .deny(let denial) = policy.decide(NetworkQuestion(host: authority.host)) {
            return .denied(denial.reason)
        }
        let port = authority.port ?? (request.scheme == .https ? 443 : 80)
        return connection(request, Destination(host: authority.host, port: port))
    }

    private func tunnel(_ request: RandomRequests.Request) -> Outcome {
        var target = request.authority
        if Authority(wire: target.utf8)?.port == nil { target += request.scheme == .https ? ":443" : ":80" }
        guard let head = Self.read("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n"), head.method == .CONNECT,
            let authority = Authority(wire: head.uri.utf8), let port = authority.port
        else { return .denied("no CONNECT") }
        return connection(request, Destination(host: authority.host, port: port))
    }

    private func connection(_ request: RandomRequests.Request, _ destination: Destination) -> Outcome {
        var question = NetworkQuestion(host: destination.host)
        question.port = destination.port
        switch policy.decide(question) {
        case .deny(let denial): return .denied(denial.reason)
        case .allow(let grant):
            if grant.handling == .tcp { return .opaque(.tcp) }
            // Plain HTTP is read in any case.
            if grant.handling == .passThrough, request.scheme == .https { return .opaque(.passThrough) }
            return judge(text(request, target: request.path), .connection(destination, request.scheme), policy)
        }
    }

    // MARK: One request

    private func text(_ request: RandomRequests.Request, target: String) -> String {
        var text = "\(request.method) \(target) HTTP/1.1\r\nHost: \(request.authority)\r\n"
        if let method = request.override { text += "X-HTTP-Method-Override: \(method)\r\n" }
        if request.isWebSocket {
            text +=
                "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        }
        return text + "\r\n"
    }

    private func judge(_ text: String, _ entry: RequestEntry, _ policy: NetworkPolicy) -> Outcome {
        guard let head = Self.read(text) else { return .denied("not HTTP") }
        if entry == .proxy, head.method == .CONNECT { return .denied("another way in") }
        let check = RequestCheck(entry, isHTTP2: false, mostTarget: 16 << 10, mostHeaders: 64 << 10)
        do throws(RequestRefusal) {
            let request = try check.check(head)
            let verdict =
                if case .connection(let destination, let scheme) = entry {
                    policy.candidates(host: destination.host, port: destination.port, scheme: scheme).decide(
                        request.question)
                } else { policy.decide(request.question) }
            switch verdict {
            case .deny(let denial): return .denied(denial.reason)
            case .allow(let grant):
                return .allowed(
                    target: request.path.target, method: request.method, destination: request.destination,
                    rule: grant.rule)
            }
        } catch { return .denied(error.reason) }
    }

    /// The head of the one request that the bytes are; nil: the parser refuses them.
    static func read(_ text: String) -> HTTPRequestHead? {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes)))
        defer { _ = try? channel.finish(acceptAlreadyClosed: true) }
        guard (try? channel.writeInbound(ByteBuffer(string: text))) != nil,
            case .head(let head)? = try? channel.readInbound(as: HTTPServerRequestPart.self)
        else { return nil }
        return head
    }
}
