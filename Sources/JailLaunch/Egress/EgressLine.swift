internal import EgressControl
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// The supervisor's end of the channel to its jail's gateway, and what the gateway is told.
struct EgressLine {
    let channel: SharedDescriptor

    /// The first order, after which the gateway says who it is.
    ///
    /// - Returns: false if it could not be told; then the gateway's end comes next.
    func setUp(
        _ plan: LaunchPlan, _ egress: EgressPlan, tellsAllowed: Bool, _ texts: EgressTexts, names: Descriptor,
        state: Descriptor?
    ) throws(SystemError) -> Bool {
        let files = [
            try Self.file("policy", Array(egress.rules.json.text().utf8)), try Self.file("trust", texts.trust),
            try Self.file("resolv.conf", texts.resolver.resolvConf), try Self.file("hosts", texts.resolver.hosts),
        ]
        let setup = EgressMessage.setup(
            jail: plan.name, profile: plan.profile, wantsJavaTrustStore: egress.wantsJavaTrustStore,
            tellsAllowed: tellsAllowed)
        // A descriptor lives as long as its owner, and an owner no longer than it is asked for.
        return try withExtendedLifetime(files) { () throws(SystemError) in
            try send(setup, files.map(\.borrowed) + [names] + (state.map { [$0] } ?? []))
        }
    }

    /// The host's files as they are now; false if the channel is full.
    func send(_ resolver: ResolverFiles) throws(SystemError) -> Bool {
        let files = [try Self.file("resolv.conf", resolver.resolvConf), try Self.file("hosts", resolver.hosts)]
        return try withExtendedLifetime(files) { () throws(SystemError) in
            try send(EgressMessage.resolver, files.map(\.borrowed))
        }
    }

    /// The jail's sockets, of which it gets duplicates; false if the channel is full.
    func send(_ sockets: [SharedDescriptor], of egress: EgressPlan) throws(SystemError) -> Bool {
        try withExtendedLifetime(sockets) { () throws(SystemError) in
            try send(EgressMessage.sockets(proxy: egress.proxyPort, ports: egress.ports), sockets.map(\.borrowed))
        }
    }

    private func send(
        _ packet: EgressMessage.Packet, _ descriptors: [Descriptor]
    ) throws(SystemError) -> Bool {
        do throws(SystemError) {
            try withExtendedLifetime(channel) { () throws(SystemError) in
                try System.send(channel.borrowed, packet.bytes, descriptors: descriptors)
            }
            return true
        } catch {
            // Its end is seen by itself.
            guard [.wouldBlock, .brokenPipe, .connectionReset].contains(error.errno) else { throw error }
            return false
        }
    }

    private static func file(_ name: String, _ content: [UInt8]) throws(SystemError) -> SharedDescriptor {
        SharedDescriptor(try System.makeMemoryFile(name, content))
    }
}
