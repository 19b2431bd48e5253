package import JailCore
package import JailPolicy

/// The commands that are run for programs of the jail, and where.
package struct CommandsPlan: Equatable, Sendable {
    /// Where the command of one rule runs, resolved.
    package enum Place: Equatable, Sendable {
        /// In the jail that asks.
        case jail
        /// In a jail of its own.
        case ownJail(OwnJail)
        /// Outside of any jail.
        case host(HostPlace)
    }

    /// A jail for one command, started as anybody would: by clawjail, with a profile's name.
    package struct OwnJail: Equatable, Sendable {
        package var profile: String
        /// clawjail itself, canonical, and which file that is.
        package var launcher: String
        package var identity: FileIdentity
        /// Its name and options, up to and with `--`, without the jail's name.
        package var arguments: [String]
        /// What jails of this rule are called, without their number: see ``jailName(_:)``.
        package var name: String
        /// The directory that the jail which asks has at `/workspace`, if this one is given it as well.
        package var workspace: Directory?
        /// What the program's path leads from on the host: `/`, or a prepared root.
        package var root = "/"

        package init(
            profile: String, launcher: String, identity: FileIdentity, arguments: [String], name: String,
            workspace: Directory? = nil
        ) {
            self.profile = profile
            self.launcher = launcher
            self.identity = identity
            self.arguments = arguments
            self.name = name
            self.workspace = workspace
        }

        /// - Parameter number: from 1, of no other jail that runs for the same one.
        package func jailName(_ number: Int) -> String { "\(name)-\(number)" }
    }

    /// A user of the host, and what was found there when the jail was planned.
    package struct HostPlace: Equatable, Sendable {
        package var user: HostUser
        /// Of the program, canonical: symlinks are followed once.
        package var program: String
        /// Where it runs, canonical.
        package var directory: String
        /// Somebody else than whoever starts the jail, which only root can do.
        package var isOther: Bool

        package init(user: HostUser, program: String, directory: String, isOther: Bool) {
            self.user = user
            self.program = program
            self.directory = directory
            self.isOther = isOther
        }
    }

    /// A directory of the host's: something else in its place is not it.
    package struct Directory: Equatable, Sendable {
        package var path: String
        package var identity: FileIdentity
    }

    /// As in the profile; those of the jail itself each with the working directory that it runs in.
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

    /// Whether anything runs elsewhere than in the jail that asks.
    package var leavesJail: Bool { places.contains { $0 != .jail } }
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
    fileprivate var json: JSON {
        switch self {
        case .jail: ["place": "jail"]
        case .ownJail(let place):
            [
                "place": "ownJail", "profile": .string(place.profile), "name": .string(place.name),
                "launcher": .string(place.launcher), "arguments": .strings(place.arguments),
                "workspace": .optional(place.workspace?.path),
            ]
        case .host(let place):
            [
                "place": "host", "user": .string(place.user.identity.name), "uid": .number(place.user.identity.uid),
                "gid": .number(place.user.identity.gid), "groups": .array(place.user.groups.map { .number($0.gid) }),
                "program": .string(place.program), "directory": .string(place.directory),
            ]
        }
    }

    /// For people.
    package var shown: String {
        switch self {
        case .jail: return "in this jail"
        case .ownJail(let place):
            let workspace = place.workspace.map { ", over \($0.path)" } ?? ""
            return "in a jail of '\(place.profile)', called \(place.name)-1 and so on\(workspace)"
        case .host(let place):
            let user = place.user
            let groups = user.groups.isEmpty ? "" : ", groups \(user.groups.map(\.name).joined(separator: " "))"
            return "on the host as \(user.identity.name) (uid \(user.identity.uid)\(groups)), "
                + "\(place.program) in \(place.directory)"
        }
    }
}
