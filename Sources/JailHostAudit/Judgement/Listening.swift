internal import JailPolicy

/// Which addresses are waited at.
extension HostAudit {
    static let usualPort: UInt16 = 18789
    /// The gateway's own helpers (bridge, browser control, canvas, browsers) have ports from its own on.
    private static let helperPorts: UInt16 = 110

    @Sendable static func listening(_ picture: HostPicture) -> [HostFinding] {
        picture.gateways.flatMap { listening($0, picture) } + picture.jails.compactMap(published)
            + picture.strangers.compactMap(stranger)
    }

    private static func listening(_ gateway: GatewayView, _ picture: HostPicture) -> [HostFinding] {
        let listeners = gateway.listeners ?? []
        var found: [HostFinding] = []
        let beyond = listeners.filter { !$0.isLoopback }
        if !beyond.isEmpty {
            found.append(
                HostFinding(
                    .listensBeyond, .high, gateway.subject, seen: "it listens on \(text(beyond))",
                    remedy: "openclaw config set gateway.bind loopback, and reach it by ssh -L 18789:127.0.0.1:18789"))
        }
        let first = gateway.port ?? configuredPort(picture) ?? usualPort
        let (last, isBeyond) = first.addingReportingOverflow(helperPorts)
        let extra = listeners.filter { $0.isLoopback && !(first...(isBeyond ? .max : last)).contains($0.port) }
        if !extra.isEmpty {
            found.append(
                HostFinding(
                    .extraPort, .low, gateway.subject, seen: "it also listens on \(text(extra))",
                    remedy: "see which plugin or channel does: openclaw plugins list"))
        }
        return found
    }

    /// Where all configurations that name a port name the same.
    private static func configuredPort(_ picture: HostPicture) -> UInt16? {
        let ports = Set(picture.states.compactMap { $0.setting("gateway", "port")?.integer })
        return ports.count == 1 ? ports.first.flatMap { UInt16(exactly: $0) } : nil
    }

    private static func published(_ jail: JailView) -> HostFinding? {
        let beyond = (jail.listeners ?? []).filter { !$0.isLoopback }
        guard !beyond.isEmpty else { return nil }
        return HostFinding(
            .listensBeyond, .high, "jail '\(jail.name)'", seen: "it publishes \(text(beyond))",
            remedy: "in profile '\(jail.profile)': network.publish with 127.0.0.1, or no address")
    }

    private static func stranger(_ stranger: Stranger) -> HostFinding? {
        let listener = stranger.listener
        guard !listener.isLoopback else { return nil }
        let holder = stranger.holder.map { "'\($0)'" } ?? "a process of uid \(listener.uid) that could not be looked at"
        return HostFinding(
            .listensBeyond, .high, "port \(listener.port)", seen: "\(holder) listens on \(listener.text)",
            remedy: stranger.holder == nil
                ? "sudo clawjail host-audit" : "have it listen on 127.0.0.1 alone, or stop it")
    }

    private static func text(_ listeners: [Listener]) -> String {
        let shown = Set(listeners.map(\.text)).sorted()
        return shown.prefix(6).joined(separator: ", ") + (shown.count > 6 ? " and \(shown.count - 6) more" : "")
    }
}
