/// What `openclaw.json` says.
extension HostCheck {
    static let configUnjudged = HostCheck(
        .configuration, "host.config.unjudged", "what cannot be read strictly may say anything")
    static let bindNoAuth = HostCheck(
        .configuration, "gateway.bind_no_auth", "everybody on the network is the gateway's operator")
    static let loopbackNoAuth = HostCheck(
        .configuration, "gateway.loopback_no_auth",
        "every program and every user of this host, and a page in a browser, is the gateway's operator")
    static let tokenTooShort = HostCheck(
        .configuration, "gateway.token_too_short", "whoever guesses the token is the gateway's operator")
    static let tokenInFile = HostCheck(
        .configuration, "host.config.token_in_file", "the token is in every copy and every backup of the file")
    static let passwordInConfig = HostCheck(
        .configuration, "config.secrets.gateway_password_in_config",
        "the password is in every copy and every backup of the file")
    static let bindNotLoopback = HostCheck(
        .configuration, "host.config.bind_not_loopback",
        "the token is all that stands between the network and the gateway")
    static let secretInConfig = HostCheck(
        .configuration, "host.config.secret", "the agent can read its own configuration, and send on what is in it")
    static let insecureInterface = HostCheck(
        .configuration, "host.config.control_ui_insecure", "a browser is let in without what proves whose it is")
    static let execFull = HostCheck(
        .configuration, "tools.exec.security_full_configured", "the agent executes what it likes, and nobody is asked")
    static let riskyTrustedDirectory = HostCheck(
        .configuration, "tools.exec.safe_bin_trusted_dirs_risky",
        "who can write to that directory chooses what runs without being asked")
    static let elevatedWildcard = HostCheck(
        .configuration, "host.tools.elevated_wildcard", "everybody who can write to the channel gets out of the sandbox"
    )
    static let mdnsFull = HostCheck(
        .configuration, "discovery.mdns_full_mode", "paths and ports of the host are told to the whole network")
    static let browserNoSandbox = HostCheck(
        .configuration, "host.browser.no_sandbox", "a page that breaks the browser is on the host at once")
    static let noPluginAllowlist = HostCheck(
        .configuration, "plugins.extensions_no_allowlist", "code that lands in the extensions directory is loaded")

    static let configuration = [
        configUnjudged, bindNoAuth, loopbackNoAuth, tokenTooShort, tokenInFile, passwordInConfig, bindNotLoopback,
        secretInConfig, insecureInterface, execFull, riskyTrustedDirectory, elevatedWildcard, mdnsFull,
        browserNoSandbox, noPluginAllowlist,
    ]

    static let sandboxOff = HostCheck(
        .configuration, "host.sandbox.off", "what strangers write in groups and channels runs beside the gateway itself"
    )
    static let dockerModeOff = HostCheck(
        .configuration, "sandbox.docker_config_mode_off", "the sandbox that is described there is not used")
    static let sandboxNetwork = HostCheck(
        .configuration, "host.sandbox.network_open", "what a sandboxed command has read it can send anywhere")
    static let dangerousNetwork = HostCheck(
        .configuration, "sandbox.dangerous_network_mode",
        "the sandbox reaches everything that listens on this host's loopback")
    static let dangerousMount = HostCheck(
        .configuration, "sandbox.dangerous_bind_mount", "what is shown there leads out of the sandbox")
    static let relativeMount = HostCheck(
        .configuration, "sandbox.bind_mount_non_absolute",
        "which directory it is depends on where the gateway was started")
    static let seccompProfile = HostCheck(
        .configuration, "sandbox.dangerous_seccomp_profile", "the sandbox has every system call of the kernel")
    static let appArmorProfile = HostCheck(
        .configuration, "sandbox.dangerous_apparmor_profile", "the sandbox is without the engine's own profile")
    static let dangerousOverride = HostCheck(
        .configuration, "host.sandbox.dangerous_override", "one of OpenClaw's own checks of sandboxes is switched off")

    static let sandboxes = [
        sandboxOff, dockerModeOff, sandboxNetwork, dangerousNetwork, dangerousMount, relativeMount, seccompProfile,
        appArmorProfile, dangerousOverride,
    ]
}
