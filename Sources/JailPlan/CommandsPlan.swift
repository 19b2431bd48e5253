internal import JailCore
package import JailPolicy

/// The commands that are run for programs of the jail, and where.
package struct CommandsPlan: Equatable, Sendable {
    /// Where the command of one rule runs, resolved.
    package enum Place: Equatable, Sendable {
        /// In the jail that asks.
        case jail
        /// In a jail of its own: what clawjail is started with, up to and with `--`.
        case ownJail(profile: String, launcher: String, arguments: [String])
        /// Outside of any jail.
        case host(HostIdentity)
    }

    /// As in the profile, each with the working directory that it runs in.
    package var rules: CommandRules
    /// Of each rule, by its index.
    package var places: [Place]
    /// What stands inside for the commands and for `sh`, absolute paths there; their directory, which PATH begins with, is that
    /// of the first.
    package var stubs: [String] = []
    /// nil: no command runs in the jail itself, or the kernel has no Landlock and the profile does without.
    package var withheld: WithheldPlan?
    /// Of commands that run in the jail itself.
    package var checked: [CheckedProgram] = []

    package init(rules: CommandRules, places: [Place]) {
        self.rules = rules
        self.places = places
    }

    /// Where requests are made, inside.
    package static let socket = "/run/clawjail/commands.sock"
    /// Beside clawjail on the host.
    package static let stubProgram = "clawjail-stub"
}

extension CommandsPlan {
    var json: JSON {
        [
            "rules": rules.json, "places": .array(places.map(\.json)), "stubs": .strings(stubs),
            "withheld": withheld?.json ?? .null, "checked": .array(checked.map(\.json)),
        ]
    }
}

extension CommandsPlan.Place {
    /// For people, and for the log.
    package var shown: String {
        switch self {
        case .jail: "in this jail"
        case .ownJail(let profile, _, _): "in a jail of its own, of the profile \(profile)"
        case .host(let identity): "on the host as \(identity.name)"
        }
    }

    fileprivate var json: JSON {
        switch self {
        case .jail: ["place": "jail"]
        case .ownJail(let profile, let launcher, let arguments):
            [
                "place": "ownJail", "profile": .string(profile), "launcher": .string(launcher),
                "arguments": .strings(arguments),
            ]
        case .host(let identity):
            ["place": "host", "uid": .number(identity.uid), "gid": .number(identity.gid)]
        }
    }
}
