@testable import JailHostAudit

extension Plant {
    private static func set(_ id: String, _ text: String, with others: Set<String> = []) -> Plant {
        Plant(id, text, with: others) { try $0.configure(text) }
    }

    private static func change(_ id: String, _ old: String, _ new: String, with others: Set<String> = []) -> Plant {
        Plant(id, new, with: others) { try $0.replace(PreparedHost.configuration, old, by: new) }
    }

    /// 32 characters that are no secret of anybody's.
    private static let long = "0123456789abcdef0123456789abcdef"
    private static let sandbox = "{ mode: \"non-main\", backend: \"clawjail\" }"

    static let settings: [Plant] = [
        set("host.config.unjudged", "gateway: 1"),
        change("host.config.unjudged", "agents:", "agents"),
        change("gateway.loopback_no_auth", "mode: \"token\"", "mode: \"none\""),
        change(
            "gateway.bind_no_auth", "bind: \"loopback\", auth: { mode: \"token\"", "bind: \"lan\", auth: { mode: 'none'"
        ),
        change("host.config.bind_not_loopback", "bind: \"loopback\"", "bind: \"lan\""),
        change(
            "gateway.token_too_short", "${OPENCLAW_GATEWAY_TOKEN}", "0123456789abcdef0123456789abcde",
            with: ["host.config.token_in_file"]),
        change(
            "gateway.token_too_short", "${OPENCLAW_GATEWAY_TOKEN}", String(repeating: "ab", count: 32),
            with: ["host.config.token_in_file"]),
        change("host.config.token_in_file", "${OPENCLAW_GATEWAY_TOKEN}", long),
        change(
            "config.secrets.gateway_password_in_config", "mode: \"token\"",
            "mode: 'password', password: 'correct horse'"),
        change(
            "host.config.control_ui_insecure", "gateway: {", "gateway: { controlUi: { allowInsecureAuth: true },"),
        set("host.config.secret", "models: { providers: { openai: { apiKey: 'hello' } } }"),
        set("host.config.secret", "env: { vars: { THING: 'ghp_0123456789abcdef0123' } }"),
        set("host.config.secret", "hooks: { list: [{ url: 'x', note: 'xoxb-0123456789' }] }"),
        set("tools.exec.security_full_configured", "tools: { exec: { security: 'full' } }"),
        change(
            "tools.exec.security_full_configured", "agents: {",
            "agents: { list: [{ id: 'a', tools: { exec: { security: 'full' } } }],"),
        set("tools.exec.safe_bin_trusted_dirs_risky", "tools: { exec: { safeBinTrustedDirs: ['/bin', '/tmp/x'] } }"),
        set("host.tools.elevated_wildcard", "tools: { elevated: { allowFrom: { discord: ['*'] } } }"),
        set("discovery.mdns_full_mode", "discovery: { mdns: { mode: 'full' } }"),
        set("host.browser.no_sandbox", "browser: { noSandbox: true }"),
        Plant("plugins.extensions_no_allowlist", "an extension") { try $0.keep("extensions/thing/index.js") },
        change("host.sandbox.off", sandbox, "{ mode: 'off' }"),
        change("host.sandbox.off", "sandbox: \(sandbox)", ""),
        change("sandbox.docker_config_mode_off", sandbox, "{ mode: 'off', docker: { network: 'none' } }"),
        change("host.sandbox.network_open", sandbox, "{ mode: 'all', docker: { network: 'bridge' } }"),
        change("sandbox.dangerous_network_mode", sandbox, "{ mode: 'all', docker: { network: 'host' } }"),
        change(
            "sandbox.dangerous_bind_mount", sandbox,
            "{ mode: 'all', docker: { binds: ['/var/run/docker.sock:/var/run/docker.sock'] } }"),
        change(
            "sandbox.dangerous_bind_mount", sandbox, "{ mode: 'all', docker: { binds: ['/home/alice/.ssh:/keys:ro'] } }"
        ),
        change("sandbox.bind_mount_non_absolute", sandbox, "{ mode: 'all', docker: { binds: ['data:/data'] } }"),
        change(
            "sandbox.dangerous_seccomp_profile", sandbox, "{ mode: 'all', docker: { seccompProfile: 'unconfined' } }"),
        change(
            "sandbox.dangerous_apparmor_profile", sandbox, "{ mode: 'all', docker: { apparmorProfile: 'unconfined' } }"),
        change(
            "host.sandbox.dangerous_override", sandbox,
            "{ mode: 'all', docker: { dangerouslyAllowExternalBindSources: true } }"),
        Plant("host.config.secret", "in an included file") {
            try $0.keep("more.json5", "{ apiKey: 'hello' }")
            try $0.configure("models: { $include: './more.json5' }")
        },
    ]
}
