internal import EgressAnswers
internal import EgressControl
internal import NIOCore
internal import NIOHTTP1

/// Answers that go through an ``AnswerFilter``: those to requests that carried a secret.
extension RequestHandler {
    /// The head of an answer, as the client may see it. nil: it is refused, and the client has been told.
    func filtered(_ head: HTTPResponseHead, _ exchange: Exchange) -> HTTPResponseHead? {
        guard let filter = exchange.answerFilter else { return head }
        let code = head.status.code
        let fields = head.headers.map { AnswerHead.Field($0.name, $0.value) }
        do throws(AnswerRefusal) {
            let answer = try filter.begin(
                AnswerHead(
                    status: code, reason: head.status.reasonPhrase, fields: fields,
                    hasBody: !exchange.isHead && code != 204 && code != 304))
            tellReturned(exchange)
            var head = head
            head.headers = HTTPHeaders(answer.fields.map { ($0.name, $0.value) })
            if answer.reason != head.status.reasonPhrase {
                head.status = .custom(code: code, reasonPhrase: answer.reason)
            }
            return head
        } catch {
            refuse(error, exchange)
            return nil
        }
    }

    func filter(_ body: ByteBuffer, _ exchange: Exchange) {
        do throws(AnswerRefusal) {
            try exchange.answerFilter?.take(Array(body.readableBytesView)) { pass(ByteBuffer(bytes: $0), exchange) }
            tellReturned(exchange)
        } catch { refuse(error, exchange) }
    }

    /// What goes on instead of the trailers. nil: the answer is refused, and does not end.
    func filterEnd(_ trailers: HTTPHeaders?, _ exchange: Exchange) -> HTTPHeaders? {
        let fields = trailers?.map { AnswerHead.Field($0.name, $0.value) } ?? []
        do throws(AnswerRefusal) {
            let rest = try exchange.answerFilter?.end(fields) { pass(ByteBuffer(bytes: $0), exchange) }
            tellReturned(exchange)
            return HTTPHeaders((rest ?? fields).map { ($0.name, $0.value) })
        } catch {
            refuse(error, exchange)
            return nil
        }
    }

    private func refuse(_ refusal: AnswerRefusal, _ exchange: Exchange) {
        tellReturned(exchange)
        fail(.failure(.badGateway, "the origin answers with \(refusal.reason); the request carried a secret"))
    }

    /// Where it came from and its name, and nothing else of it.
    private func tellReturned(_ exchange: Exchange) {
        tellReturned(exchange.answerFilter?.takeFound() ?? [], exchange)
    }

    func tellReturned(_ names: [String], _ exchange: Exchange) {
        for name in names {
            var event = gateway.event(.secretReturned, .allowed, exchange.request.destination, nil)
            event.port = nil
            event.secret = name
            gateway.events.record(event)
        }
    }
}
