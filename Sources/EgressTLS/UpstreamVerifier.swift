internal import JailPolicy
internal import NIOCore
internal import NIOSSL
internal import NIOTLS
internal import SwiftASN1
internal import X509

/// Stands behind the TLS handler of a connection to an origin. TLS verifies the chain; this compares the name once more,
/// strictly, before anybody may send or read, and says in words what failed.
///
/// Why once more: NIOSSL accepts a certificate for the address that was dialled in place of one for the name, and a common
/// name in place of a SAN. Whoever can forge a DNS answer could get himself the former.
final class UpstreamVerifier: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum State { case handshaking, verified, failed }

    private let host: Host
    private let handler: NIOSSLClientHandler
    private let issuers: () -> KnownIssuers
    private var state = State.handshaking

    init(host: Host, handler: NIOSSLClientHandler, issuers: @escaping () -> KnownIssuers) {
        self.host = host
        self.handler = handler
        self.issuers = issuers
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard state == .handshaking, case .handshakeCompleted = event as? TLSUserEvent else {
            if state == .verified { context.fireUserInboundEventTriggered(event) }
            return
        }
        if let reason = refusal() {
            fail(context, reason)
        } else {
            state = .verified
            context.fireUserInboundEventTriggered(event)
        }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state == .verified { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard state == .verified else {
            promise?.fail(UpstreamTLSError(host: host, reason: .handshake("written to before it was verified")))
            return
        }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch state {
        case .verified: context.fireErrorCaught(error)
        case .handshaking: fail(context, explanation(of: error))
        case .failed: break
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if state == .handshaking { fail(context, .handshake("the origin closed the connection")) }
        context.fireChannelInactive()
    }

    private func fail(_ context: ChannelHandlerContext, _ reason: UpstreamTLSError.Reason) {
        state = .failed
        context.fireErrorCaught(UpstreamTLSError(host: host, reason: reason))
        context.close(promise: nil)
    }

    /// nil: the certificate is for this host.
    private func refusal() -> UpstreamTLSError.Reason? {
        do {
            guard let der = try handler.peerCertificate?.toDERBytes() else { return .handshake("no certificate") }
            let names = try Certificate(derEncoded: der).extensions.subjectAlternativeNames
            guard let names else { return .wrongName([]) }
            return PeerName.matches(host, names) ? nil : .wrongName(PeerName.texts(names))
        } catch {
            return .untrusted("its encoding is not that of RFC 5280")
        }
    }

    private func explanation(of error: any Error) -> UpstreamTLSError.Reason {
        guard let der = try? handler.peerCertificate?.toDERBytes() else {
            return .handshake(PeerName.printable("\(error)"))
        }
        if error is NIOSSLExtraError { return refusal() ?? .untrusted(PeerName.printable("\(error)")) }
        return issuers().explain(der)
    }
}
