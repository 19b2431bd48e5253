internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPolicy
internal import SecretTraces

/// The supervisor's end of the channel to its jail's gateway, and what the gateway is told.
struct EgressLine {
    let channel: SharedDescriptor

    enum Outcome {
        case sent
        /// The gateway has not read for a while.
        case full
        /// It is gone: how, comes by itself.
        case ended
    }

    /// The first order, after which the gateway says who it is.
    func setUp(
        _ plan: LaunchPlan, _ egress: EgressPlan, _ texts: EgressTexts, names: Descriptor,
        spend: SpendSetup?, canaries: [KnownCanary], state: Descriptor?
    ) throws(SystemError) -> Outcome {
        let files = [
            try Self.file("policy", Array(egress.rules.json.text().utf8)), try Self.file("trust", texts.trust),
            try Self.file("resolv.conf", texts.resolver.resolvConf), try Self.file("hosts", texts.resolver.hosts),
        ]
        let setup = EgressMessage.setup(
            jail: plan.name, profile: plan.profile, wantsJavaTrustStore: egress.wantsJavaTrustStore,
            limitsSpend: spend != nil, bindsSecrets: !egress.secrets.isEmpty, hasCanaries: !canaries.isEmpty,
            asks: egress.asks)
        let money = try spend.map { (spend) throws(SystemError) in try Self.file("spend", Array(spend.text.utf8)) }
        let secrets =
            egress.secrets.isEmpty
            ? nil : try Self.file("secrets", Array(egress.secrets.withoutSources.json.text().utf8))
        let birds = canaries.isEmpty ? nil : try Self.file("canaries", Array(canaries.text.utf8))
        // A descriptor lives as long as its owner, and an owner no longer than it is asked for.
        return try withExtendedLifetime((files, money, secrets, birds)) { () throws(SystemError) in
            let more = [money?.borrowed, secrets?.borrowed, birds?.borrowed, state].compactMap { $0 }
            return try send(setup, files.map(\.borrowed) + [names] + more)
        }
    }

    /// The host's files as they are now.
    func send(_ resolver: ResolverFiles) throws(SystemError) -> Outcome {
        let files = [try Self.file("resolv.conf", resolver.resolvConf), try Self.file("hosts", resolver.hosts)]
        return try withExtendedLifetime(files) { () throws(SystemError) in
            try send(EgressMessage.resolver, files.map(\.borrowed))
        }
    }

    /// A secret's value, or that it has none any more. A gateway that has many to take is waited for.
    func send(_ grant: JailSecrets.Grant) throws(SystemError) -> Outcome {
        for _ in 0..<Self.mostWaits {
            let outcome = try sendOnce(grant)
            guard case .full = outcome else { return outcome }
            var entries = [System.PollEntry(channel.borrowed, System.PollEvents.writable)]
            try System.poll(&entries, milliseconds: Self.waitForRoom)
        }
        return .full
    }

    private static let mostWaits = 10
    /// Milliseconds.
    private static let waitForRoom: Int32 = 100

    private func sendOnce(_ grant: JailSecrets.Grant) throws(SystemError) -> Outcome {
        guard let value = grant.value else {
            return try send(EgressMessage.revoke(grant.name, grant.placeholder), [])
        }
        let message = try EgressMessage.secret(grant.name, grant.placeholder, value.bytes, grace: grant.grace)
        return try outcome { () throws(SystemError) in try System.send(channel.borrowed, message) }
    }

    /// What became of a request that it has asked about.
    func send(_ verdict: EgressVerdict) throws(SystemError) -> Outcome {
        try send(EgressMessage.verdict(verdict), [])
    }

    /// The jail's sockets, of which it gets duplicates.
    func send(_ sockets: [SharedDescriptor], of egress: EgressPlan) throws(SystemError) -> Outcome {
        try withExtendedLifetime(sockets) { () throws(SystemError) in
            try send(EgressMessage.sockets(proxy: egress.proxyPort, ports: egress.ports), sockets.map(\.borrowed))
        }
    }

    private func send(
        _ packet: EgressMessage.Packet, _ descriptors: [Descriptor]
    ) throws(SystemError) -> Outcome {
        try outcome { () throws(SystemError) in
            try System.send(channel.borrowed, packet.bytes, descriptors: descriptors)
        }
    }

    private func outcome(_ send: () throws(SystemError) -> Void) throws(SystemError) -> Outcome {
        do throws(SystemError) {
            try withExtendedLifetime(channel) { () throws(SystemError) in try send() }
            return .sent
        } catch {
            if error.errno.isShortage { return .full }
            guard [.brokenPipe, .connectionReset].contains(error.errno) else { throw error }
            return .ended
        }
    }

    private static func file(_ name: String, _ content: [UInt8]) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try System.makeMemoryFile(name, content))
    }
}
