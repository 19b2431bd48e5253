/// Services by name, with the hosts and requests that their clients are known to use.
package enum NetworkPreset: String, CaseIterable, Sendable {
    case anthropic, openai, openrouter
    case googleAI = "google-ai"
    case telegram, discord, slack, whatsapp
    case clawhub, npm, pypi
    /// Clone and fetch over HTTPS, and never a push.
    case githubRead = "github-read"

    /// What the preset stands for.
    package var rules: [NetworkRule] {
        switch self {
        case .anthropic: [Self.rule(["api.anthropic.com"], Self.send, ["/v1/**", "/api/oauth/**"])]
        case .openai: [Self.rule(["api.openai.com"], Self.send + ["DELETE"], ["/v1/**"], websocket: true)]
        case .openrouter: [Self.rule(["openrouter.ai"], Self.send, ["/api/v1/**"])]
        case .googleAI:
            [
                Self.rule(
                    ["generativelanguage.googleapis.com"], Self.send,
                    ["/v1/**", "/v1alpha/**", "/v1beta/**", "/upload/v1beta/**"])
            ]
        case .telegram:
            [Self.rule(["api.telegram.org"], Self.send, ["/bot*/**", "/file/bot*/**"])]
        case .discord:
            [
                Self.rule(["discord.com"], Self.send + ["PUT", "PATCH", "DELETE"], ["/api/**"]),
                // The gateway names one of its own hosts to resume a session at.
                Self.rule(["*.discord.gg"], ["GET"], ["/"], websocket: true),
                Self.rule(["cdn.discordapp.com", "media.discordapp.net"], Self.fetch),
            ]
        case .slack:
            [
                Self.rule(["slack.com", "api.slack.com"], Self.send, ["/api/**"]),
                Self.rule(["hooks.slack.com"], ["POST"], ["/services/**"]),
                Self.rule(["files.slack.com"], Self.send),
                Self.rule(["wss-primary.slack.com", "wss-backup.slack.com"], ["GET"], websocket: true),
            ]
        case .whatsapp:
            [
                Self.rule(["web.whatsapp.com"], Self.fetch, websocket: true),
                Self.rule(["*.whatsapp.net"], Self.send),
            ]
        case .clawhub: [Self.rule(["clawhub.ai", "openclaw.ai", "docs.openclaw.ai"], Self.fetch)]
        case .npm: [Self.rule(["registry.npmjs.org"], Self.fetch)]
        case .pypi: [Self.rule(["pypi.org", "files.pythonhosted.org"], Self.fetch)]
        case .githubRead:
            [
                Self.rule(["github.com"], ["GET"], ["/*/*/info/refs"]),
                Self.rule(["github.com"], ["POST"], ["/*/*/git-upload-pack"]),
            ]
        }
    }

    private static let fetch = ["GET", "HEAD"]
    private static let send = ["GET", "HEAD", "POST"]

    /// The texts are this file's own; a test reads every one of them.
    private static func rule(
        _ hosts: [String], _ methods: [String], _ paths: [String]? = nil, websocket: Bool = false
    ) -> NetworkRule {
        var rule = NetworkRule(
            hosts: hosts.compactMap { try? HostPattern.parse($0) }, methods: methods, ports: [443])
        rule.schemes = [.https]
        rule.paths = paths.map { $0.compactMap { PathPattern($0) } }
        rule.websocket = websocket
        return rule
    }
}
