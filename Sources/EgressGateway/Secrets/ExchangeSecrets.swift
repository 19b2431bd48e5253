internal import EgressAnswers
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

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

    /// nil: the request goes out as it was judged.
    func head(_ request: CheckedRequest, _ policy: NetworkPolicy) throws(Denial) -> HTTPRequestHead? {
        uses.isEmpty ? nil : try uses.head(request, injector, policy)
    }

    /// nil: the request carries none.
    func answerFilter(_ memory: DecoderMemory) throws(Denial) -> SecretAnswerFilter? {
        uses.isEmpty ? nil : try injector.answerFilter(memory)
    }

    /// A part of the body, before it goes on.
    func look(through buffer: ByteBuffer) -> Denial? {
        scanner.feed(buffer.readableBytesView).map { SecretInjector.misuse(injector.name($0)) }
    }

    func look(through trailers: HTTPHeaders) -> Denial? { injector.misuse(in: trailers) }

    /// Names of values that are used for the first time since they took the place of others.
    var firstUses: [String] { uses.map(\.name).filter(injector.firstUseAfterRotation) }
}
