/// `spend`: how much a jail may spend at providers of language models, in one day of UTC.
package struct SpendRules: Hashable, Sendable {
    /// In millionths of a dollar.
    package var perDay: UInt64?
    package var tokensPerDay: UInt64?
    package var requestsPerDay: UInt64?
    package var onLimit = SpendAction.deny
    package var unknownModels = UnknownModels.deny
    /// Besides those that are known, see ``SpendProvider/known``.
    package var providers: [SpendProvider] = []
    /// Prices beside or instead of those of the table.
    package var prices: [ModelPrice] = []
    /// Fields of requests, besides those that are known, that do not change what a request costs.
    package var fields: [String] = []

    package init() {}

    package var hasLimit: Bool { perDay != nil || tokensPerDay != nil || requestsPerDay != nil }
    package var allProviders: [SpendProvider] { SpendProvider.known + providers }
}

/// `spend.onLimit`: what happens to the jail besides that the request is denied.
package enum SpendAction: String, CaseIterable, Sendable { case deny, pause, stop }

/// `spend.unknownModels`: what a request for a model without a price comes to.
package enum UnknownModels: String, CaseIterable, Sendable {
    case deny
    /// It is charged as the dearest that there is a price for.
    case dearest
}

/// Hosts whose requests are counted, and where below them the endpoints are.
package struct SpendProvider: Hashable, Sendable {
    package var hosts: [HostPattern]
    /// Before `/messages`, `/chat/completions`, `/responses` and `/embeddings`: `/v1`.
    package var path: String

    package init(hosts: [HostPattern], path: String) {
        self.hosts = hosts
        self.path = path
    }

    /// The texts are this file's own; a test reads every one of them.
    private init(_ hosts: [String], _ path: String) {
        self.init(hosts: hosts.compactMap { try? HostPattern.parse($0) }, path: path)
    }

    package static let known = [
        SpendProvider(["api.anthropic.com"], "/v1"),
        SpendProvider(["api.openai.com"], "/v1"),
        SpendProvider(["openrouter.ai"], "/api/v1"),
        SpendProvider(["generativelanguage.googleapis.com"], "/v1beta/openai"),
    ]

    /// Theirs for single regions, where prices are others: asked only if a profile names them among its own providers.
    package static let regional = SpendProvider(["*.api.anthropic.com", "*.api.openai.com"], "/v1")

    package func serves(_ host: Host) -> Bool { hosts.contains { $0.matches(host) } }
}

extension SpendRules {
    /// Where requests to a host go to, if they are counted.
    package func providers(of host: Host) -> [SpendProvider] { allProviders.filter { $0.serves(host) } }

    /// Nothing that could cost anything goes there uncounted.
    package func isMetered(_ host: Host) -> Bool {
        allProviders.contains { $0.serves(host) } || SpendProvider.regional.serves(host)
    }

    /// A rule of `network.allow` by which a provider could be asked without anybody seeing what.
    package func blindSpot(in network: NetworkRules) -> (rule: String, host: String, key: String)? {
        let patterns = (allProviders + [SpendProvider.regional]).flatMap(\.hosts)
        for rule in NetworkPolicy(network).allow where rule.handling != .inspect {
            for host in rule.hosts {
                guard let seen = patterns.first(where: { $0.covers(host) || host.covers($0) }) else { continue }
                return (rule.label, seen.text, rule.handling == .tcp ? "protocol: \"tcp\"" : "inspect: false")
            }
        }
        return nil
    }
}
