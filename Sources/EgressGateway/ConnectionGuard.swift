internal import NIOCore

/// The outermost handler of every connection from the jail: counts it, and ends it when nothing moves any more.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private let gateway: GatewayState
    private var context: ChannelHandlerContext?
    private var channel: (any Channel)? { context?.channel }
    private var opened = NIODeadline.now()
    private var lastMove = NIODeadline.now()
    private var handlers: [ObjectIdentifier: any Timed] = [:]
    /// For tests.
    var timed: some Collection<any Timed> { handlers.values }
    /// The protocol is known: from then on idle means idle, before it the client has little time.
    var isSettled = false
    /// A WebSocket or its like, which may be silent for hours.
    var mayIdle = false

    /// For a ClientHello, a TLS handshake, the first request.
    static let setUpTime = TimeAmount.seconds(15)

    init(_ gateway: GatewayState) { self.gateway = gateway }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        gateway.guards[ObjectIdentifier(self)] = self
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        guard gateway.guards.removeValue(forKey: ObjectIdentifier(self)) != nil else { return }
        gateway.budgets.closeConnection()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastMove = .now()
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: promise)
    }

    func flush(context: ChannelHandlerContext) {
        context.flush()
        // Only what the client takes is a move: bytes that pile up here are none.
        if context.channel.isWritable { lastMove = .now() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { lastMove = .now() }
        context.fireChannelWritabilityChanged()
    }

    /// Another protocol begins, inside the one that was spoken so far.
    func startAgain() {
        isSettled = false
        opened = .now()
    }

    /// Ends it where nobody can take that for an orderly end: TLS, which stands behind this handler, says no goodbye.
    func reset() {
        guard let context else { return }
        Reset.arm(context.channel)
        context.close(promise: nil)
    }

    func add(_ handler: any Timed) { handlers[ObjectIdentifier(handler)] = handler }
    func remove(_ handler: any Timed) { handlers[ObjectIdentifier(handler)] = nil }

    func tick(_ now: NIODeadline) {
        for handler in handlers.values { handler.tick(now) }
        let isBusy = handlers.values.contains(where: \.isAwaitingOrigin)
        let allowed = isSettled ? gateway.times.idle : Self.setUpTime
        let since = isSettled ? lastMove : opened
        if !mayIdle, !isBusy, now - since > allowed { channel?.close(promise: nil) }
    }
}

/// Something on a connection that has times of its own.
protocol Timed: AnyObject {
    func tick(_ now: NIODeadline)
    /// The client has done its part and waits.
    var isAwaitingOrigin: Bool { get }
}
