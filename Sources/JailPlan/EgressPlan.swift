package import JailCore
package import JailPolicy

/// The way out of one jail: the process that serves it, alone or among others, and what the jail sees of it.
package struct EgressPlan: Equatable, Sendable {
    /// What is enforced.
    package var rules: NetworkRules
    /// Ports with a transparent listener, ascending.
    package var ports: [UInt16]
    /// Of the HTTP proxy, on ``address``.
    package var proxyPort: UInt16
    package var onExit: GatewayExit
    /// `clawjail-egress` on the host, beside clawjail itself.
    package var program: String
    /// Which file that was when the plan was made. Anything else is refused.
    package var programIdentity: FileIdentity
    /// The host's trusted CA certificates; nil: it has none.
    package var trust: String?
    /// Whether the jail gets a trust store as Java reads it.
    package var wantsJavaTrustStore: Bool
    /// Who the process is: with root nobody, otherwise the caller.
    package var identity: IdentityPlan
    /// nil: left out, as for the jail.
    package var landlockABI: Int32?
    package var resources: [LimitPlan.Entry]
    /// Jails that name the same group share one process, up to ``mostSharing`` of them; each has a gateway of its own in it.
    /// nil: a process of this jail's own.
    package var group: String?
    /// nil: the profile does not limit what may be spent.
    package var spend: SpendPlan?
    /// What goes into which requests, and where it comes from; never the values.
    package var secrets = SecretRules()
    /// Milliseconds that somebody has to say yes to what no rule allows; nil: nobody is asked.
    package var asks: UInt64?

    /// Jails of one process: what ``resources`` is enough for.
    package static let mostSharing = 64

    /// Of the process: no file, no port to listen on, no signal to anybody. Connecting is what it is for.
    package static func landlock(abi: Int32) -> LandlockPlan {
        LandlockPlan(abi: abi, rules: [], bindPorts: abi >= 4 ? [] : nil, scoped: abi >= 6)
    }

    /// 127.0.0.53: where systemd-resolved listens as well, so that programs know it as a name server.
    package static let address: UInt32 = 0x7F00_0035
    package static let addressText = "127.0.0.53"
    package static let dnsPort: UInt16 = 53
    /// More ports would not fit into one message, and a profile that names more has not meant ports.
    package static let mostPorts = 64

    /// CLONE_NEW* of its process; the network is the host's.
    package static let cloned: NamespaceFlags = [.user, .pid]
    package static let unshared: NamespaceFlags = [.mount, .ipc, .uts]
}

extension EgressPlan {
    /// What programs of the jail are told: where the proxy is, for those that ask, and whom to trust.
    package func environment(_ files: [TrustFile: String]) -> [EnvironmentVariable] {
        let proxy = "http://\(Self.addressText):\(proxyPort)"
        let here = "localhost,127.0.0.1,::1"
        var variables = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"].map { ($0, proxy) }
        variables += [("NO_PROXY", here), ("no_proxy", here)]
        // Node adds the file to its own list, the others take it instead of theirs.
        if let authority = files[.authority] { variables.append(("NODE_EXTRA_CA_CERTS", authority)) }
        if let bundle = files[.bundle] {
            variables += [
                "SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO", "AWS_CA_BUNDLE",
                "CARGO_HTTP_CAINFO", "PIP_CERT", "DENO_CERT",
            ].map { ($0, bundle) }
        }
        return variables.map { EnvironmentVariable(name: $0.0, value: $0.1) }
    }
}

/// What a jail may spend at providers of language models, and where it is written down what it has.
package struct SpendPlan: Equatable, Sendable {
    package var rules: SpendRules
    /// Of the host; those of the rules count before them.
    package var prices: PriceTable
    /// On the host, and outlives the jail.
    package var ledger: String

    package init(rules: SpendRules, prices: PriceTable, ledger: String) {
        self.rules = rules
        self.prices = prices
        self.ledger = ledger
    }
}

/// A file whose content the way out gives when it has started: what the jail's programs are to trust.
package enum TrustFile: String, CaseIterable, Sendable {
    /// The host's certificates and the jail's CA, PEM.
    case bundle
    /// The jail's CA alone, PEM.
    case authority
    /// Both, as Java reads it.
    case java
}

/// The process of the way out, as found on the host.
package struct EgressFacts: Equatable, Sendable {
    /// Where `clawjail-egress` must be.
    package var program: String
    /// nil: it is not there.
    package var file: SourceFacts?
    /// A user and group id that nobody has, for the process of a jail that root starts.
    package var freeID: UInt32

    package init(program: String, file: SourceFacts?, freeID: UInt32) {
        self.program = program
        self.file = file
        self.freeID = freeID
    }
}
