internal import EgressControl
internal import JailCore
internal import JailPolicy

/// What the way out says of an exchange that the profile asks for.
struct ExchangeNews {
    private let name: String
    private let host: String
    private let verdict: EgressEvent.Verdict
    private let reason: String?

    /// nil: nobody asked for such an exchange, or not there.
    init?(_ event: EgressEvent, _ rules: SecretRules) {
        guard event.subject == .secretExchanged, event.verdict != .denied, let name = event.secret,
            let exchange = rules.exchange(of: name), event.host == exchange.host.text, event.port == exchange.port
        else { return nil }
        self.name = name
        host = exchange.host.text
        verdict = event.verdict
        reason = event.reason
    }

    var json: JSON {
        var members: [(String, JSON)] = [
            ("event", "secret-exchanged"), ("secretName", .string(name)), ("host", .string(host)),
            ("verdict", .string(verdict.rawValue)),
        ]
        if let reason { members.append(("reason", .string(reason))) }
        return .object(members)
    }

    /// For people; nil: it worked.
    var fault: String? {
        guard verdict == .failed else { return nil }
        return "the secret '\(name)' was not exchanged at \(host): \(reason ?? "?")"
    }

    static func rotated(_ name: String) -> String {
        "the provider of '\(name)' gave another refresh token, which this jail alone has; the one that is kept may be "
            + "refused at the next start, and 'clawjail secret rotate \(name)' keeps another one"
    }
}

extension SecretValue {
    /// In memory that nobody who is forked has.
    func kept() throws(SystemError) -> KeptSecret {
        var bytes = try SecretBytes(count: count)
        withBytes { span in
            unsafe bytes.withMutableBytes { buffer in for index in span.indices { unsafe buffer[index] = span[index] } }
        }
        return KeptSecret(bytes)
    }
}
