package import JailCore
package import JailPolicy
package import SecretTraces

/// Everything that the way out is given when it starts. It opens no file afterwards: what changes arrives as an
/// ``EgressOrder``.
package struct EgressSetup: Sendable {
    /// Of the jail, for texts.
    package var jail: String
    /// Its name, for texts: `add … to profile 'NAME'`.
    package var profile: String
    /// `network` of the profile. What is enforced is `NetworkPolicy(rules)`.
    package var rules: NetworkRules
    /// The certificates that the host trusts, as PEM.
    package var trust: [UInt8]
    package var resolver: ResolverFiles
    /// What an earlier process of this jail announced as ``EgressIdentity/state``, byte by byte: with it the same CA goes
    /// on, and clients that have read its certificate need not know. nil: this is the first.
    package var state: [UInt8]?
    /// A file in memory that outlives this process, empty at first, for the table of names and addresses: read it at the
    /// start, and keep it up to date with pwrite(2). Nobody else reads it but the next process of this jail. What lies in
    /// it was written by a process that may have been taken over: it is checked like anything from outside.
    package var names: KeptDescriptor
    /// Whether ``EgressIdentity/javaTrustStore`` is wanted.
    package var wantsJavaTrustStore: Bool
    /// nil: the profile does not limit what may be spent.
    package var spend: SpendSetup?
    /// Which secrets go into which requests. Their values come as orders, before there are sockets.
    package var secrets = SecretRules()
    /// What is looked for in whatever goes out; empty: nothing is.
    package var canaries: [KnownCanary] = []
    /// Milliseconds that somebody has to answer about requests that no rule allows; nil: nobody is asked.
    package var asks: UInt64?
    /// To the supervisor.
    package var channel: EgressChannel

    package init(
        jail: String, profile: String, rules: NetworkRules, trust: [UInt8], resolver: ResolverFiles, state: [UInt8]?,
        names: KeptDescriptor, wantsJavaTrustStore: Bool, spend: SpendSetup? = nil,
        secrets: SecretRules = SecretRules(), canaries: [KnownCanary] = [], asks: UInt64? = nil, channel: EgressChannel
    ) {
        self.jail = jail
        self.profile = profile
        self.rules = rules
        self.trust = trust
        self.resolver = resolver
        self.state = state
        self.names = names
        self.wantsJavaTrustStore = wantsJavaTrustStore
        self.spend = spend
        self.secrets = secrets
        self.canaries = canaries
        self.asks = asks
        self.channel = channel
    }

    /// Bytes of the host's certificates, of the policy (and of what may be spent, with all prices) and of each of the resolver's files; of what ``EgressIdentity``
    /// carries, each.
    package static let trustLimit = 4 << 20
    package static let policyLimit = 1 << 20
    package static let resolverLimit = 1 << 20
    package static let identityLimit = 8 << 20
}

/// The host's own texts about names, as they are now, see resolv.conf(5) and hosts(5).
package struct ResolverFiles: Hashable, Sendable {
    package var resolvConf: [UInt8]
    package var hosts: [UInt8]

    package init(resolvConf: [UInt8], hosts: [UInt8]) {
        self.resolvConf = resolvConf
        self.hosts = hosts
    }
}

/// What the way out tells once, as soon as it could serve: the jail's command starts only afterwards.
package struct EgressIdentity: Sendable {
    /// The CA's certificate as PEM, with a newline at its end. It goes into the jail's trust bundle.
    package var certificate: [UInt8]
    /// What the next process of this jail needs to be the same CA. Nobody but the supervisor ever holds it.
    package var state: [UInt8]
    /// A JKS of the host's certificates and this one; empty where it is not wanted.
    package var javaTrustStore: [UInt8]

    package init(certificate: [UInt8], state: [UInt8], javaTrustStore: [UInt8] = []) {
        self.certificate = certificate
        self.state = state
        self.javaTrustStore = javaTrustStore
    }
}

/// Sockets made in the jail's network namespace, bound and listening, non-blocking. Whoever receives them owns them.
package struct EgressSockets: Sendable {
    package struct Listener: Hashable, Sendable {
        package var socket: Descriptor
        package var port: UInt16

        package init(socket: Descriptor, port: UInt16) {
            self.socket = socket
            self.port = port
        }
    }

    /// UDP and TCP on 127.0.0.53:53.
    package var dnsDatagram: Descriptor
    package var dnsStream: Descriptor
    /// On 127.0.0.53, for absolute-form requests and CONNECT.
    package var proxy: Listener
    /// Transparent, on every address: `getsockname` of what they accept says which one was meant. IPv6 with
    /// IPV6_V6ONLY off, so that IPv4 arrives as mapped addresses; plain IPv4 on a host without IPv6.
    package var listeners: [Listener]

    package init(dnsDatagram: Descriptor, dnsStream: Descriptor, proxy: Listener, listeners: [Listener]) {
        self.dnsDatagram = dnsDatagram
        self.dnsStream = dnsStream
        self.proxy = proxy
        self.listeners = listeners
    }

    /// Ports of rules: what one message carries, with room to spare.
    package static let mostListeners = 64
    /// Beside the listeners.
    package static let fixedCount = 3
}
