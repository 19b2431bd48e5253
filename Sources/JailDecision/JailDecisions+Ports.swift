internal import JailCore
internal import JailPlan
internal import JailPolicy

extension JailDecisions {
    /// ip_unprivileged_port_start of a new network namespace, see ip(7).
    private static let firstFree: UInt16 = 1024

    /// What comes of listening on a TCP port in the jail; 0 is one that the kernel chooses.
    package func bind(_ port: UInt16) -> Decision {
        if port != 0, port < Self.firstFree {
            return .denied(
                "ports below \(Self.firstFree) need a capability", .accessDenied,
                obstacle: "the jail's programs have no capability; listen on another port and publish it as \(port)")
        }
        if let ports = plan.landlock?.bindPorts, !ports.contains(port) {
            let source = ports.isEmpty ? ProfileSource("network.listen") : nil
            return .denied(
                "the profile says which ports may be listened on, and this is none of them", .accessDenied, by: source,
                change: ProfileChange(key: "network.listen", value: "\(port)", isElement: true))
        }
        if let egress = plan.network.egress, egress.ports.contains(port) {
            return .denied(
                "the way out listens there, on every address", .addressInUse,
                obstacle: "the profile sends this port outside; listen on another one")
        }
        if let egress = plan.network.egress, egress.proxyPort == port {
            return .denied(
                "the proxy of the way out listens there, on \(EgressPlan.addressText)", .addressInUse,
                obstacle: "listen on 127.0.0.1 alone, or on another port")
        }
        let reason =
            plan.landlock?.bindPorts == nil ? "the network is the jail's own" : "the profile names the port"
        let source = plan.landlock?.bindPorts == nil ? nil : ProfileSource("network.listen", "\(port)")
        let published = plan.network.publish.contains { $0.jailPort == port }
        return Decision.allowed(reason, by: source).noting(
            published ? nil : "nobody outside reaches it: it is not published")
    }
}
