/// Keys of a profile that no check is for, and why. A test demands that every other key has one.
package enum UncheckedKeys {
    /// - Returns: nil for a key that must have a check.
    package static func reason(_ key: String) -> String? {
        groups.first { $0.keys.contains { key == $0 || ($0.hasSuffix(".") && key.hasPrefix($0)) } }?.reason
    }

    /// Every key that stands here, for the test: one that no profile has is a mistake. `a.` is all keys of `a`.
    package static var all: [String] { groups.flatMap(\.keys) }

    private static let groups: [(reason: String, keys: [String])] = [
        ("says what a profile is made from, and for whom", ["extends", "description"]),
        (
            "is a section, whose keys have the checks",
            ["process", "process.inside", "filesystem", "network", "network.budgets", "network.upstream", "limits"]
        ),
        (
            "refuses to start where something would be shown that is not meant; what is shown, the mounts say",
            [
                "filesystem.read[].specialFiles", "filesystem.write[].specialFiles", "filesystem.data.source",
                "filesystem.workspace.source",
            ]
        ),
        ("is a time that a stopped command has", ["process.stopGrace"]),
        ("makes sure of what is checked here anyway, and then the jail does not start", ["process.selfTest"]),
        ("shows placeholders once more, which are in the environment anyway", ["process.secretProvider"]),
        (
            "is judged of requests that are allowed, which would leave the host",
            [
                "network.allow[].preset", "network.allow[].requestSize", "network.allow[].websocket",
                "network.allow[].inspect", "network.allow[].protocol", "network.upstream.", "network.onGatewayExit",
                "network.publish[].",
                "secrets[].hosts", "secrets[].ports", "secrets[].methods", "secrets[].paths", "secrets[].inject",
                "secrets[].inject.", "secrets[].inject.sigv4.",
            ]
        ),
        (
            "is asked by the supervisor before there is a jail, which does not start without",
            ["secrets[].source", "secrets[].source."]
        ),
        (
            "is asked by the way out, outside of the jail, and would use a refresh token up",
            ["secrets[].exchange", "secrets[].exchange."]
        ),
        ("plants what opens nothing, and is new in each jail", ["canaries", "canaries[]."]),
        ("would have to be used up", ["network.budgets.", "spend", "spend."]),
        ("has people asked, outside of the jail", ["approvals", "approvals."]),
        ("names commands, whose rules are judged of each call", ["commands", "commands[]."]),
        ("grants more jails, each of which can be verified by its name", ["sessions", "sessions."]),
        (
            "watches, tells and starts again, and is no wall",
            ["health", "health.", "alerts", "alerts.", "audit.", "restart", "restart."]
        ),
    ]
}
