internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1
internal import SecretTraces

/// The secrets' side of one exchange: what goes into its head, and what may not be anywhere else in it.
final class ExchangeSecrets {
    private let injector: SecretInjector
    private let uses: [SecretUse]
    private var scanner: PlaceholderScanner

    init(_ injector: SecretInjector, _ uses: [SecretUse]) {
        self.injector = injector
        self.uses = uses
        scanner = injector.scanner
    }

    /// Of those that go with it; nil: none do.
    var names: String? { uses.isEmpty ? nil : uses.map(\.name).joined(separator: ", ") }

    /// The head with values in it, and what its answer is to be looked through for: both of one moment, since values change.
    /// nil: the request goes out as it was judged.
    func head(
        _ request: CheckedRequest, _ policy: NetworkPolicy
    ) throws(Denial) -> (head: HTTPRequestHead, traces: SecretTraces)? {
        guard !uses.isEmpty else { return nil }
        return (try uses.head(request, injector, policy), try injector.allTraces())
    }

    /// The names of the fields that hold values, as HTTP/2 has them.
    var fields: Set<String> { Set(uses.map { $0.field?.lowercased() ?? ":path" }) }

    /// A part of the body, before it goes on.
    func look(through buffer: ByteBuffer) -> Denial? {
        scanner.feed(buffer.readableBytesView).map { SecretInjector.misuse(injector.name($0)) }
    }

    func look(through trailers: HTTPHeaders) -> Denial? { injector.misuse(in: trailers) }

    /// Names of values that are used for the first time since they took the place of others.
    var firstUses: [String] { uses.map(\.name).filter(injector.firstUseAfterRotation) }
}
