internal import JailPolicy

/// How the gateway lets people in.
extension HostAudit {
    /// Characters of a token that nobody guesses.
    static let longestGuess = 32

    @Sendable static func gatewaySettings(_ picture: HostPicture) -> [HostFinding] {
        picture.states.flatMap { state -> [HostFinding] in
            guard let configuration = state.configuration else { return [] }
            if let problem = configuration.problem {
                return [
                    HostFinding(
                        .configUnjudged, .medium, configuration.path, seen: problem,
                        remedy: "mend it by hand, or by openclaw doctor")
                ]
            }
            return [
                authentication(state, configuration.path), token(state, configuration.path),
                password(state, configuration.path), interface(state, configuration.path),
            ].flatMap(\.self)
        }
    }

    private static func isBeyondLoopback(_ state: StateView) -> Bool {
        guard let bind = state.setting("gateway", "bind")?.text else { return false }
        return bind != "loopback"
    }

    private static func authentication(_ state: StateView, _ path: String) -> [HostFinding] {
        let isBeyond = isBeyondLoopback(state)
        if state.setting("gateway", "auth", "mode")?.text == "none" {
            return [
                HostFinding(
                    isBeyond ? .bindNoAuth : .loopbackNoAuth, isBeyond ? .critical : .high, path,
                    seen: "gateway.auth.mode is none", remedy: "openclaw config set gateway.auth.mode token")
            ]
        }
        guard isBeyond else { return [] }
        return [
            HostFinding(
                .bindNotLoopback, .medium, path,
                seen: "gateway.bind is \(state.setting("gateway", "bind")?.text ?? "")",
                remedy: "openclaw config set gateway.bind loopback")
        ]
    }

    private static func token(_ state: StateView, _ path: String) -> [HostFinding] {
        guard let token = state.setting("gateway", "auth", "token")?.literal else { return [] }
        var found = [
            HostFinding(
                .tokenInFile, .low, path, seen: "gateway.auth.token (\(token.count) characters) stands in it",
                remedy:
                    "openclaw config set gateway.auth.token '${OPENCLAW_GATEWAY_TOKEN}', and an EnvironmentFile= with mode 600"
            )
        ]
        let isShort = token.count < longestGuess
        // Long is not enough: 32 times the same is no secret.
        if isShort || Set(token).count < 8 {
            found.insert(
                HostFinding(
                    .tokenTooShort, token.count < 16 || !isShort ? .high : .medium, path,
                    seen: isShort
                        ? "gateway.auth.token has \(token.count) characters"
                        : "gateway.auth.token has \(Set(token).count) different characters",
                    remedy: "openclaw config set gateway.auth.token \"$(openssl rand -hex 32)\""), at: 0)
        }
        return found
    }

    private static func password(_ state: StateView, _ path: String) -> [HostFinding] {
        guard let password = state.setting("gateway", "auth", "password")?.literal else { return [] }
        return [
            HostFinding(
                .passwordInConfig, .medium, path,
                seen: "gateway.auth.password (\(password.count) characters) stands in it",
                remedy:
                    "openclaw config unset gateway.auth.password, and OPENCLAW_GATEWAY_PASSWORD in an EnvironmentFile= with mode 600"
            )
        ]
    }

    private static func interface(_ state: StateView, _ path: String) -> [HostFinding] {
        let keys = ["allowInsecureAuth", "dangerouslyDisableDeviceAuth", "dangerouslyAllowHostHeaderOriginFallback"]
        let set = keys.filter { state.setting("gateway", "controlUi", $0)?.isTrue == true }
        guard let first = set.first else { return [] }
        return [
            HostFinding(
                .insecureInterface, .high, path,
                seen: set.map { "gateway.controlUi.\($0) is true" }.joined(separator: ", "),
                remedy: "openclaw config unset gateway.controlUi.\(first)")
        ]
    }
}
