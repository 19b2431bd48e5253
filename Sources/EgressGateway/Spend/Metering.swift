internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// The money side of one exchange: its body is read before anything of it is sent, its bound reserved, its answer read
/// while it passes, and what it came to settled. However it ends, it is settled once.
final class Metering {
    private let format: MeteredFormat
    private let meter: SpendMeter
    /// Whether the answer is the provider's: it came over TLS that was verified.
    private let isTrusted: Bool
    private var stream = JSONStream()
    private var reader: RequestReader
    private var bytes = 0
    private var held = 0
    private var price: ModelPrice?
    private var bound: SpendAmount?
    private var answer: AnswerReader?
    private var status: UInt?
    /// Something of it may have reached the provider.
    private(set) var isSent = false
    private var isEnded = false
    /// Once it has ended.
    private(set) var charged: SpendAmount?

    init(_ format: MeteredFormat, _ meter: SpendMeter, isTrusted: Bool) {
        self.format = format
        self.meter = meter
        self.isTrusted = isTrusted
        reader = RequestReader(format, more: meter.rules.fields)
    }

    deinit { end(isComplete: false) }

    /// As the request names it.
    var model: String? { reader.model }

    // MARK: The request

    /// A part of the body, which is kept elsewhere until all of it has been read.
    func take(_ buffer: ByteBuffer) -> Denial? {
        guard meter.hold(buffer.readableBytes) else {
            return Denial(.serviceUnavailable, "too many large requests at the same time to read them all")
        }
        held += buffer.readableBytes
        bytes += buffer.readableBytes
        do throws(JSONStreamError) {
            try stream.feed(buffer.readableBytesView, &reader)
            return nil
        } catch { return Self.denial(error) }
    }

    /// Once the body is whole. nil: it may be sent.
    func reserve() -> Denial? {
        do throws(JSONStreamError) { try stream.finish(&reader) } catch { return Self.denial(error) }
        do throws(Denial) {
            let price = try meter.price(of: reader.model)
            let bound = reader.bound(bytes: bytes, price)
            if let denial = meter.reserve(bound) { return denial }
            self.price = price
            self.bound = bound
            return nil
        } catch { return error }
    }

    private static func denial(_ error: JSONStreamError) -> Denial {
        SpendMeter.refusal("a body that is not understood, or whose cost is not: \(error.reason)", remedy: error.remedy)
    }

    func send() { isSent = true }

    // MARK: The answer

    func begin(_ head: HTTPResponseHead) {
        letGo()
        status = head.status.code
        guard isTrusted, head.status.code == 200 else { return }
        let encodings = head.headers["Content-Encoding"]
        answer = AnswerReader(
            type: head.headers.first(name: "Content-Type"),
            encoding: encodings.isEmpty ? nil : encodings.joined(separator: ","))
    }

    func take(answer buffer: ByteBuffer) { answer?.feed(buffer.readableBytesView) }

    // MARK: The end

    /// - Parameter isComplete: the answer has come to its end.
    func end(isComplete: Bool) {
        guard !isEnded else { return }
        isEnded = true
        letGo()
        guard let bound else { return }
        let actual = actual(isComplete: isComplete) ?? bound
        charged = actual
        meter.settle(bound, as: actual)
    }

    private func letGo() {
        meter.letGo(held)
        held = 0
    }

    /// nil: nobody knows, and so it is the bound.
    private func actual(isComplete: Bool) -> SpendAmount? {
        guard isSent else { return .nothing }
        if isTrusted, let status, Self.isFree(status) { return SpendAmount(requests: 1) }
        guard isComplete, let price, let usage = answer?.finish(format) else { return nil }
        return SpendAmount(cost: price.cost(usage), tokens: usage.total, requests: 1)
    }

    /// Answers for which providers charge nothing: the request was refused, or nobody had time for it (529 is Anthropic's).
    private static func isFree(_ status: UInt) -> Bool {
        (400...499).contains(status) || status == 503 || status == 529
    }
}
