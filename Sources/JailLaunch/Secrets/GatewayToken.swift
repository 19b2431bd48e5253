internal import JailCore
internal import JailNetwork
internal import JailPlan
internal import JailPolicy

/// The token of a jail's published ports: outside the real one, inside a placeholder of this start.
struct GatewayToken {
    let published: PublishedToken
    /// `NAME=placeholder`, for commands inside.
    let environment: [String]

    /// nil: no port of the plan asks for one.
    ///
    /// - Parameter signals: readable once the launch is to be given up.
    static func resolve(_ plan: LaunchPlan, signals: Descriptor) throws(JailError) -> GatewayToken? {
        guard let name = plan.network.publish.compactMap(\.token).first else { return nil }
        let value = try JailSecrets.value(of: name, plan, signals)
        if let fault = value.bytes.withSpan({ PublishedToken.fault(in: $0) }) {
            throw JailError(
                .secrets, reason: "the token '\(name)' of network.publish \(fault)",
                hint: "'clawjail secret generate NAME' makes one")
        }
        let placeholder: SecretPlaceholder
        do throws(ValueError) {
            var generator = SystemRandomNumberGenerator()
            placeholder = try value.bytes.withSpan { (span) throws(ValueError) in
                try SecretPlaceholder.make(like: span, using: &generator)
            }
        } catch { throw JailError(.secrets, reason: "the value of '\(name)' \(error.reason)") }
        return GatewayToken(
            published: PublishedToken(value, placeholder: placeholder.text),
            environment: ["\(NetworkPlan.tokenVariable)=\(placeholder.text)"])
    }
}
