internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// The secrets' side of one exchange: what goes into its head, and what may not be anywhere else in it.
final class ExchangeSecrets {
    private let injector: SecretInjector
    private let uses: [SecretUse]
    private var scanner: PlaceholderScanner
    /// nil: nobody has to have read all of the body before it is sent.
    private let body: HeldBody?

    init(_ injector: SecretInjector, _ uses: [SecretUse]) {
        self.injector = injector
        self.uses = uses
        scanner = injector.scanner
        body = uses.contains { $0.claim?.payload == .unsaid } ? HeldBody(injector.bodies) : nil
    }

    /// Of those that go with it; nil: none do.
    var names: String? { uses.isEmpty ? nil : uses.map(\.name).joined(separator: ", ") }

    /// Names of those that are exchanged for tokens first.
    var exchanged: [String] { uses.map(\.name).filter(injector.isExchanged) }

    /// Tokens that went out with it.
    private(set) var tokens: [(name: String, value: SecretValue)] = []

    /// Nothing is sent before the whole body has come.
    var holdsBody: Bool { body != nil }

    /// What goes out was made with secrets, and has none of them in it.
    var onlySigns: Bool { uses.allSatisfy { $0.claim != nil } }

    /// The head with values in it, and what its answer is to be looked through for: both of one moment, since values change.
    /// nil: the request goes out as it was judged.
    func head(
        _ request: CheckedRequest, _ policy: NetworkPolicy
    ) throws(Denial) -> (head: HTTPRequestHead, traces: SecretTraces)? {
        guard !uses.isEmpty else { return nil }
        let head = try uses.head(request, injector, policy, digest: body?.digest(), now: System.realtimeSeconds())
        tokens = exchanged.compactMap { name in injector.token(of: name).map { (name, $0.value) } }
        return (head, try injector.allTraces())
    }

    /// The names of the fields that hold values, as HTTP/2 has them.
    var fields: Set<String> { Set(uses.map { $0.field?.lowercased() ?? ":path" }) }

    /// A part of the body, before it goes on.
    func take(_ buffer: ByteBuffer) -> Denial? {
        if let index = scanner.feed(buffer.readableBytesView) { return SecretInjector.misuse(injector.name(index)) }
        return body?.take(buffer)
    }

    func look(through trailers: HTTPHeaders) -> Denial? { injector.misuse(in: trailers) }

    /// Names of values that are used for the first time since they took the place of others.
    var firstUses: [String] { uses.map(\.name).filter(injector.firstUseAfterRotation) }
}
