internal import JailCore
internal import JailPolicy

/// The sandboxes of chats.
extension HostAudit {
    @Sendable static func sandboxSettings(_ picture: HostPicture) -> [HostFinding] {
        picture.states.flatMap { state -> [HostFinding] in
            guard let configuration = state.configuration, configuration.value != nil else { return [] }
            let path = configuration.path
            let defaults = state.setting("agents", "defaults", "sandbox")
            let own = state.agents().compactMap { agent in agent.value["sandbox"].map { (agent.path, $0) } }
            return mode(defaults, "agents.defaults", path, isDefault: true)
                + own.filter { $0.0 != "agents.defaults" }.flatMap { mode($0.1, $0.0, path, isDefault: false) }
                + own.flatMap { docker($0.1["docker"], "\($0.0).sandbox.docker", path) }
        }
    }

    /// What is not said is off, for all; a single agent has then what holds for all.
    private static func mode(
        _ sandbox: JSON5Value?, _ agent: String, _ path: String, isDefault: Bool
    ) -> [HostFinding] {
        let mode = sandbox?["mode"]?.text ?? (isDefault ? "off" : nil)
        guard mode == "off" else { return [] }
        let isDescribed = sandbox?["docker"] != nil
        return [
            HostFinding(
                isDescribed ? .dockerModeOff : .sandboxOff, .medium, path,
                seen: "\(agent).sandbox.mode is off".printable,
                remedy:
                    "openclaw config set agents.defaults.sandbox '{ \"mode\": \"non-main\", \"backend\": \"clawjail\" }'"
            )
        ]
    }

    private static func docker(_ docker: JSON5Value?, _ prefix: String, _ path: String) -> [HostFinding] {
        guard let docker else { return [] }
        func finding(_ check: HostCheck, _ severity: Severity, _ seen: String, _ remedy: String) -> HostFinding {
            HostFinding(check, severity, path, seen: "\(prefix).\(seen)".printable, remedy: remedy)
        }
        var found: [HostFinding] = []
        if let network = docker["network"]?.text, network != "none" {
            let isHost = network == "host" || network.hasPrefix("container:")
            found.append(
                finding(
                    isHost ? .dangerousNetwork : .sandboxNetwork, isHost ? .high : .low, "network is \(network)",
                    "openclaw config set \(prefix).network none"))
        }
        for bind in docker["binds"]?.elements?.compactMap(\.text) ?? [] { found += mount(bind, finding) }
        for (key, check) in [("seccompProfile", HostCheck.seccompProfile), ("apparmorProfile", .appArmorProfile)] {
            guard docker[key]?.text == "unconfined" else { continue }
            found.append(finding(check, .high, "\(key) is unconfined", "openclaw config unset \(prefix).\(key)"))
        }
        for member in docker.members where member.key.hasPrefix("dangerously") && member.value.isTrue {
            found.append(
                finding(
                    .dangerousOverride, .medium, "\(member.key) is true",
                    "openclaw config unset \(prefix).\(member.key.printable)"))
        }
        return found
    }

    private static func mount(
        _ bind: String, _ finding: (HostCheck, Severity, String, String) -> HostFinding
    ) -> [HostFinding] {
        let source = bind.split(separator: ":", omittingEmptySubsequences: false).first.map(String.init) ?? ""
        guard source.hasPrefix("/") else {
            return [finding(.relativeMount, .medium, "binds has '\(bind)'", "write an absolute path")]
        }
        guard let why = danger(source) else { return [] }
        return [
            finding(
                .dangerousMount, why == .engine ? .critical : .high, "binds has '\(bind)'",
                "take it out; show a directory of the agent's own")
        ]
    }

    private enum Danger { case engine, host }

    private static func danger(_ source: String) -> Danger? {
        let parts = source.split(separator: "/").map(String.init)
        if ["docker.sock", "containerd.sock", "podman.sock", "crio.sock"].contains(parts.last ?? "") { return .engine }
        if parts.isEmpty || parts.contains("..") { return .host }
        let tops: Set<String> = ["etc", "proc", "sys", "dev", "root", "boot", "run"]
        if tops.contains(parts[0]) || parts.starts(with: ["var", "run"]) { return .host }
        if parts[0] == "home", parts.count <= 2 { return .host }
        let hidden: Set<String> = [
            ".aws", ".cargo", ".config", ".docker", ".gnupg", ".netrc", ".npm", ".ssh", ".kube", ".openclaw",
        ]
        return parts.contains(where: hidden.contains) ? .host : nil
    }
}
