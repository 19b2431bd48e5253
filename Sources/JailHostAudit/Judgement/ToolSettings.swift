internal import JailCore
internal import JailPolicy

/// What agents may do without being asked.
extension HostAudit {
    @Sendable static func toolSettings(_ picture: HostPicture) -> [HostFinding] {
        picture.states.flatMap { state -> [HostFinding] in
            guard let configuration = state.configuration, let value = configuration.value else { return [] }
            let path = configuration.path
            let scopes = [("", value)] + state.agents().map { ($0.path + ".", $0.value) }
            return scopes.flatMap { tools($0.1, $0.0, path) } + rest(state, path)
        }
    }

    private static func tools(_ scope: JSON5Value, _ prefix: String, _ path: String) -> [HostFinding] {
        var found: [HostFinding] = []
        if scope.at(["tools", "exec", "security"])?.text == "full" {
            found.append(
                HostFinding(
                    .execFull, .high, path, seen: "\(prefix)tools.exec.security is full".printable,
                    remedy: "openclaw config set tools.exec.security allowlist"))
        }
        let trusted = scope.at(["tools", "exec", "safeBinTrustedDirs"])?.elements?.compactMap(\.text) ?? []
        if let risky = trusted.first(where: isRisky) {
            found.append(
                HostFinding(
                    .riskyTrustedDirectory, .medium, path,
                    seen: "\(prefix)tools.exec.safeBinTrustedDirs has '\(risky)'".printable,
                    remedy: "keep to /bin and /usr/bin there"))
        }
        for channel in scope.at(["tools", "elevated", "allowFrom"])?.members ?? [] {
            guard channel.value.elements?.contains(where: { $0.text == "*" }) == true || channel.value.text == "*"
            else {
                continue
            }
            found.append(
                HostFinding(
                    .elevatedWildcard, .high, path,
                    seen: "\(prefix)tools.elevated.allowFrom.\(channel.key) has *".printable,
                    remedy: "name single senders there, or: openclaw config set tools.elevated.enabled false"))
        }
        return found
    }

    private static func isRisky(_ directory: String) -> Bool {
        let open = ["/tmp", "/var/tmp", "/dev/shm", "/home", "/root", "/opt", "/usr/local"]
        return !directory.hasPrefix("/") || directory.contains("..")
            || open.contains { directory == $0 || directory.hasPrefix($0 + "/") }
    }

    private static func rest(_ state: StateView, _ path: String) -> [HostFinding] {
        var found: [HostFinding] = []
        if state.setting("discovery", "mdns", "mode")?.text == "full" {
            found.append(
                HostFinding(
                    .mdnsFull, .medium, path, seen: "discovery.mdns.mode is full",
                    remedy: "openclaw config set discovery.mdns.mode off"))
        }
        if state.setting("browser", "noSandbox")?.isTrue == true {
            found.append(
                HostFinding(
                    .browserNoSandbox, .medium, path, seen: "browser.noSandbox is true",
                    remedy: "openclaw config set browser.noSandbox false"))
        }
        if state.hasExtensions, state.setting("plugins", "allow")?.elements?.isEmpty ?? true {
            found.append(
                HostFinding(
                    .noPluginAllowlist, .medium, path, seen: "there are extensions, and no plugins.allow",
                    remedy: "openclaw config set plugins.allow '[\"…\"]' with those that are meant"))
        }
        return found
    }
}
