/// What is around a gateway.
package enum Confinement: Equatable, Sendable {
    /// A jail of clawjail's.
    case jail(String)
    /// Of an engine, by the name of its control group.
    case container(String)
    /// A pid namespace of its own, of somebody's.
    case nested
    case nothing

    package var text: String {
        switch self {
        case .jail(let name): "in clawjail's jail '\(name)'"
        case .container(let kind): "in a container (\(kind))"
        case .nested: "in a pid namespace of its own"
        case .nothing: "in no jail"
        }
    }

    var isJail: Bool { if case .jail = self { true } else { false } }
}

extension HostPicture {
    /// A run directory belongs to an ordinary user, who can write into it what he likes: the jail is believed if the kernel
    /// says of the process what it says of everything in a jail.
    package func confinement(of gateway: GatewayView) -> Confinement {
        guard gateway.isNested else { return .nothing }
        let jail = jails.first { jail in
            gateway.ancestors.contains(jail.initPID) && gateway.ancestors.contains(jail.supervisor)
        }
        if let jail, gateway.hasNoNewPrivileges == true, gateway.seccompMode == 2, gateway.capabilities == 0 {
            return .jail(jail.name)
        }
        let engines = ["docker", "libpod", "kubepods", "containerd", "crio", "lxc"]
        if let engine = engines.first(where: { gateway.cgroup.contains($0) }) { return .container(engine) }
        return .nested
    }
}

extension GatewayView {
    var subject: String { "process \(pid) (\(title))" }
}
