internal import EgressControl
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// A token that the way out got for a refresh token.
struct AccessToken {
    let value: SecretValue
    /// From then on another one is asked for before it is used.
    let fresh: NIODeadline
    let end: NIODeadline
}

/// What a token endpoint answers (RFC 6749, 5.1). From whoever is at the other end: nothing of it is ever shown or passed on.
struct TokenAnswer {
    let token: SecretValue
    /// Seconds.
    let lifetime: Int64
    /// What is to be used the next time; nil: what was used this time.
    let refresh: SecretValue?

    /// Bytes of a body.
    static let most = 64 << 10
    /// Seconds, where none are said; and at most.
    static let usualLifetime: Int64 = 300
    static let longestLifetime: Int64 = 86_400

    /// Why it is of no use: continues `the token endpoint`.
    struct Refusal: Error, Equatable { let reason: String }

    /// - Parameter body: all of it.
    init(_ head: HTTPResponseHead, _ body: [UInt8]) throws(Refusal) {
        guard head.status == .ok else {
            throw Refusal(reason: "answers \(head.status.code)\(Self.code(in: body).map { " (\($0))" } ?? "")")
        }
        guard Self.isPlainJSON(head) else { throw Refusal(reason: "does not answer with JSON as it is") }
        guard let answer = try? JSON5Reader.read(body, file: "") else {
            throw Refusal(reason: "answers with something else than JSON")
        }
        guard answer["token_type"]?.text?.asciiUppercased == "BEARER" else {
            throw Refusal(reason: "gives no token of the type bearer")
        }
        guard let token = Self.value(answer["access_token"]) else {
            throw Refusal(reason: "gives no access token that fits into a header field")
        }
        self.token = token
        lifetime = try Self.lifetime(answer["expires_in"])
        if let next = Self.said(answer["refresh_token"]) {
            guard let value = Self.value(next) else {
                throw Refusal(reason: "gives a refresh token that cannot be kept")
            }
            refresh = value
        } else {
            refresh = nil
        }
    }

    private static func isPlainJSON(_ head: HTTPResponseHead) -> Bool {
        let types = head.headers["Content-Type"]
        let type = types.first?.split(separator: ";", omittingEmptySubsequences: false).first.map(String.init)
        return types.count == 1 && type?.trimmed.asciiUppercased == "APPLICATION/JSON"
            && head.headers["Content-Encoding"].isEmpty
    }

    /// nil: nothing, in words or without.
    private static func said(_ value: JSON5Value?) -> JSON5Value? {
        if case .null? = value?.content { nil } else { value }
    }

    private static func value(_ value: JSON5Value?) -> SecretValue? {
        guard let text = value?.text else { return nil }
        let value = SecretValue(Array(text.utf8))
        return value.withBytes { SecretPlaceholder.fault(in: $0) } == nil ? value : nil
    }

    /// Some say numbers as texts.
    private static func lifetime(_ value: JSON5Value?) throws(Refusal) -> Int64 {
        guard let value = said(value) else { return usualLifetime }
        guard let seconds = value.integer ?? value.text.flatMap(Int64.init), seconds > 0 else {
            throw Refusal(reason: "does not say how long its token is good for")
        }
        return min(seconds, longestLifetime)
    }

    /// Why not, where that is one of the words that RFC 6749, 5.2 has: no other text of an endpoint's is told.
    private static func code(in body: [UInt8]) -> String? {
        let known = [
            "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "unsupported_grant_type",
            "invalid_scope",
        ]
        let said = (try? JSON5Reader.read(body, file: ""))?["error"]?.text
        return known.first { $0 == said }
    }
}
