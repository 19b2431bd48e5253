package import JailCore
package import JailPolicy
internal import SecretTraces

/// The messages as they cross the socket pair.
///
/// What the supervisor reads comes from a process that faces the internet: it is checked in full. What the way out reads
/// comes from a supervisor; a malformed message can only be a mistake, and ends what serves that supervisor's jail.
package enum EgressMessage {
    /// Bytes of one message.
    package static let sizeLimit = 8192
    /// Beside a message.
    package static let mostDescriptors = EgressSockets.mostListeners + EgressSockets.fixedCount

    private enum Kind: UInt8 {
        case setup = 1
        case sockets, resolver, share, attach, secret, revoke, verdict
        case ready = 0x41
        case event, failure, spend, renewed, ask, withdrawn
    }

    /// One packet on its way out.
    package struct Packet {
        package let bytes: [UInt8]
    }

    private static func packet(_ kind: Kind, _ text: String = "") -> Packet {
        Packet(bytes: [kind.rawValue] + Array(text.utf8))
    }

    // MARK: To the way out

    /// Carries, in this order: the policy, the host's certificates, resolv.conf, hosts, the table of names and, if there
    /// are, what may be spent, which secrets are bound to what, the canaries, and the CA's state.
    package static func setup(
        jail: String, profile: String, wantsJavaTrustStore: Bool, limitsSpend: Bool = false,
        bindsSecrets: Bool = false, hasCanaries: Bool = false, asks: UInt64? = nil
    ) -> Packet {
        let header: JSON = [
            "jail": .string(jail), "profile": .string(profile), "java": .boolean(wantsJavaTrustStore),
            "spend": .boolean(limitsSpend), "secrets": .boolean(bindsSecrets),
            "canaries": .boolean(hasCanaries),
            "asks": asks.map { .number($0) } ?? .null,
        ]
        return packet(.setup, header.text())
    }

    /// Carries DNS over UDP, DNS over TCP, the proxy, and the listeners in the order of their ports.
    package static func sockets(proxy: UInt16, ports: [UInt16]) -> Packet {
        let header: JSON = ["proxy": .number(proxy), "ports": .array(ports.map { .number($0) })]
        return packet(.sockets, header.text())
    }

    /// Carries resolv.conf and hosts.
    package static var resolver: Packet { packet(.resolver) }

    /// A secret, or another value of one. Everything is in the message itself, which nobody can read twice.
    package static func secret(_ grant: SecretGrant) -> Packet { Packet(bytes: [Kind.secret.rawValue] + grant.bytes) }

    /// The same from a value that is not copied on the way: in memory of its own, see ``SecretBytes``.
    package static func secret(
        _ name: String, _ placeholder: SecretPlaceholder, _ value: borrowing SecretBytes, grace: UInt64
    ) throws(SystemError) -> SecretBytes {
        try SecretGrant.message([Kind.secret.rawValue], name, placeholder, value, grace: grace)
    }

    /// A secret that there is no value of any more.
    package static func revoke(_ name: String, _ placeholder: SecretPlaceholder) -> Packet {
        let what: JSON = ["name": .string(name), "placeholder": .string(placeholder.text)]
        return packet(.revoke, what.text())
    }

    /// What somebody has said to a request, or that nobody has.
    package static func verdict(_ verdict: EgressVerdict) -> Packet { packet(.verdict, verdict.text) }

    /// To a process that is to serve several jails: this channel is for ``attach`` alone.
    package static var share: Packet { packet(.share) }

    /// Carries the end of one more jail's channel.
    package static var attach: Packet { packet(.attach) }

    /// Reads what the supervisor wants. Takes what the order is about out of `descriptors`, and leaves the rest.
    static func order(
        _ bytes: [UInt8], _ descriptors: [SharedDescriptor], _ channel: EgressChannel
    ) throws(SystemError) -> EgressOrder {
        if bytes.first == Kind.secret.rawValue, descriptors.isEmpty {
            guard let grant = SecretGrant(bytes: bytes.dropFirst()) else { throw malformed }
            return .secret(grant)
        }
        let header = try? JSON5Reader.read(Array(bytes.dropFirst()), file: "")
        switch bytes.first.flatMap(Kind.init(rawValue:)) {
        case .setup: return .setup(try setup(header, descriptors, channel))
        case .sockets: return .sockets(try sockets(header, descriptors))
        case .resolver where bytes.count == 1 && descriptors.count == 2:
            return .resolver(try resolver(descriptors[0], descriptors[1]))
        case .revoke where descriptors.isEmpty:
            guard let name = header?["name"]?.text, (try? Name.checkSecret(name)) != nil,
                let placeholder = header?["placeholder"]?.text.flatMap(SecretPlaceholder.init(text:))
            else { throw malformed }
            return .revoke(name, placeholder)
        case .verdict where descriptors.isEmpty:
            guard let verdict = EgressVerdict(header) else { throw malformed }
            return .verdict(verdict)
        case .share where bytes.count == 1 && descriptors.isEmpty: return .share
        case .attach where bytes.count == 1 && descriptors.count == 1:
            return .attach(EgressChannel(descriptors[0].take()))
        default: throw malformed
        }
    }

    private static var malformed: SystemError { SystemError(.check, .invalid) }

    private static func setup(
        _ header: JSON5Value?, _ descriptors: [SharedDescriptor], _ channel: EgressChannel
    ) throws(SystemError) -> EgressSetup {
        guard let header, case .boolean(let limitsSpend) = header["spend"]?.content,
            case .boolean(let bindsSecrets) = header["secrets"]?.content,
            case .boolean(let hasCanaries) = header["canaries"]?.content,
            (0...1).contains(descriptors.count - 5 - [limitsSpend, bindsSecrets, hasCanaries].count { $0 }),
            case .string(let jail) = header["jail"]?.content,
            case .string(let profile) = header["profile"]?.content, case .boolean(let java) = header["java"]?.content
        else { throw malformed }
        let asks = header["asks"]?.integer.flatMap { UInt64(exactly: $0) }
        guard asks != nil || header["asks"]?.kind == "null" else { throw malformed }
        let policy = try content(descriptors[0], limit: EgressSetup.policyLimit)
        guard let rules = try? NetworkRules(text: policy) else { throw malformed }
        let trust = try content(descriptors[1], limit: EgressSetup.trustLimit)
        let files = try resolver(descriptors[2], descriptors[3])
        var more = descriptors.dropFirst(5)
        let spend = limitsSpend ? try more.popFirst().map(spend) : nil
        let secrets = bindsSecrets ? try more.popFirst().map(secrets) : nil
        let canaries = hasCanaries ? try more.popFirst().map(canaries) : nil
        let state = try more.popFirst().map { (file) throws(SystemError) in
            try content(file, limit: EgressSetup.identityLimit)
        }
        return EgressSetup(
            jail: jail, profile: profile, rules: rules, trust: trust, resolver: files, state: state,
            names: KeptDescriptor(descriptors[4].take()), wantsJavaTrustStore: java, spend: spend,
            secrets: secrets ?? SecretRules(), canaries: canaries ?? [], asks: asks, channel: channel)
    }

    private static func canaries(_ file: SharedDescriptor) throws(SystemError) -> [KnownCanary] {
        guard let canaries = [KnownCanary](text: try content(file, limit: EgressSetup.policyLimit)) else {
            throw malformed
        }
        return canaries
    }

    private static func secrets(_ file: SharedDescriptor) throws(SystemError) -> SecretRules {
        guard let rules = try? SecretRules(text: try content(file, limit: EgressSetup.policyLimit)) else {
            throw malformed
        }
        return rules
    }

    private static func spend(_ file: SharedDescriptor) throws(SystemError) -> SpendSetup {
        guard let spend = try? SpendSetup(text: try content(file, limit: EgressSetup.policyLimit)) else {
            throw malformed
        }
        return spend
    }

    private static func sockets(
        _ header: JSON5Value?, _ descriptors: [SharedDescriptor]
    ) throws(SystemError) -> EgressSockets {
        guard let proxy = header?["proxy"].flatMap(port), case .array(let values) = header?["ports"]?.content,
            descriptors.count == values.count + EgressSockets.fixedCount
        else { throw malformed }
        let ports = values.compactMap(port)
        guard ports.count == values.count else { throw malformed }
        let taken = descriptors.map { Descriptor($0.take().release()) }
        return EgressSockets(
            dnsDatagram: taken[0], dnsStream: taken[1], proxy: .init(socket: taken[2], port: proxy),
            listeners: zip(taken.dropFirst(3), ports).map { .init(socket: $0, port: $1) })
    }

    private static func port(_ value: JSON5Value) -> UInt16? {
        guard case .number(let number) = value.content else { return nil }
        return number.integer.flatMap { UInt16(exactly: $0) }
    }

    private static func resolver(
        _ resolvConf: SharedDescriptor, _ hosts: SharedDescriptor
    ) throws(SystemError) -> ResolverFiles {
        ResolverFiles(
            resolvConf: try content(resolvConf, limit: EgressSetup.resolverLimit),
            hosts: try content(hosts, limit: EgressSetup.resolverLimit))
    }

    private static func content(_ file: SharedDescriptor, limit: Int) throws(SystemError) -> [UInt8] {
        try withExtendedLifetime(file) { () throws(SystemError) in
            try System.readContent(file.borrowed, limit: limit)
        }
    }

    // MARK: To the supervisor

    /// Carries the CA's certificate, its state and the Java trust store, all sealed.
    static var ready: Packet { packet(.ready) }

    /// As many as one message carries, each on a line. What is left starts at the returned index.
    static func events(_ lines: ArraySlice<String>) -> (packet: Packet, next: Int) {
        var bytes = [Kind.event.rawValue]
        var next = lines.startIndex
        for line in lines {
            guard bytes.count + line.utf8.count + 1 <= sizeLimit else { break }
            bytes += line.utf8
            bytes.append(0x0A)
            next += 1
        }
        return (Packet(bytes: bytes), next)
    }

    static func spend(_ report: SpendReport) -> Packet { packet(.spend, report.text) }

    /// A line that says whose value it is, and then the value as it is.
    static func renewed(_ name: String, _ value: SecretValue) -> Packet {
        value.withBytes { span in
            Packet(bytes: [Kind.renewed.rawValue] + Array(name.utf8) + [0x0A] + span.indices.map { span[$0] })
        }
    }

    static func ask(_ ask: EgressAsk) -> Packet { packet(.ask, ask.text) }

    static func withdrawn(_ id: UInt32) -> Packet { packet(.withdrawn, String(id)) }

    static func failure(_ error: SystemError) -> Packet {
        let text: JSON = ["call": .string("\(error.call)"), "errno": .number(error.errno.rawValue)]
        return packet(.failure, text.text())
    }

    /// What the way out has to say.
    package enum Report {
        case ready(EgressIdentity)
        case events([EgressEvent])
        case spend(SpendReport)
        /// The refresh token that counts from now on, of the secret of this name.
        case renewed(String, SecretValue)
        /// May this request be let through?
        case ask(EgressAsk)
        /// Nobody waits for the answer to that any more.
        case withdrawn(UInt32)
        /// It could not confine itself, and has not begun.
        case failure(SystemError)
    }

    /// Reads what the way out says. nil: it says what it never would, and is not to be trusted any further.
    ///
    /// - Parameter descriptors: owned by the caller.
    package static func report(_ bytes: [UInt8], _ descriptors: [Descriptor]) throws(SystemError) -> Report? {
        switch bytes.first.flatMap(Kind.init(rawValue:)) {
        case .ready where bytes.count == 1 && descriptors.count == 3:
            guard let certificate = try sealed(descriptors[0]), let state = try sealed(descriptors[1]),
                let java = try sealed(descriptors[2])
            else { return nil }
            return .ready(EgressIdentity(certificate: certificate, state: state, javaTrustStore: java))
        case .event where descriptors.isEmpty:
            var events: [EgressEvent] = []
            for line in bytes.dropFirst().split(separator: 0x0A) {
                guard let event = EgressEvent(text: Array(line)) else { return nil }
                events.append(event)
            }
            return .events(events)
        case .spend where descriptors.isEmpty:
            return SpendReport(text: Array(bytes.dropFirst())).map { .spend($0) }
        case .renewed where descriptors.isEmpty: return renewed(bytes.dropFirst())
        case .ask where descriptors.isEmpty: return EgressAsk(text: Array(bytes.dropFirst())).map { .ask($0) }
        case .withdrawn where descriptors.isEmpty:
            return UInt32(String(decoding: bytes.dropFirst(), as: UTF8.self)).map { .withdrawn($0) }
        case .failure where descriptors.isEmpty:
            return failure(Array(bytes.dropFirst())).map { .failure($0) }
        default: return nil
        }
    }

    private static func renewed(_ bytes: ArraySlice<UInt8>) -> Report? {
        guard let end = bytes.firstIndex(of: 0x0A) else { return nil }
        let (name, value) = (String(decoding: bytes[..<end], as: UTF8.self), SecretValue(bytes[(end + 1)...]))
        guard (try? Name.checkSecret(name)) != nil, value.withBytes({ SecretPlaceholder.fault(in: $0) }) == nil else {
            return nil
        }
        return .renewed(name, value)
    }

    private static func failure(_ text: [UInt8]) -> SystemError? {
        guard let value = try? JSON5Reader.read(text, file: ""), case .string(let name) = value["call"]?.content,
            let call = KernelCall.allCases.first(where: { "\($0)" == name }),
            case .number(let number) = value["errno"]?.content, let errno = number.integer, (1...4095).contains(errno)
        else { return nil }
        return SystemError(call, Errno(Int32(errno)))
    }

    /// The content of a file that cannot change any more; nil for any other, or one that is too large.
    private static func sealed(_ file: Descriptor) throws(SystemError) -> [UInt8]? {
        guard System.isSealed(file), try System.status(of: file).size <= UInt64(EgressSetup.identityLimit) else {
            return nil
        }
        return try System.readContent(file, limit: EgressSetup.identityLimit)
    }
}
