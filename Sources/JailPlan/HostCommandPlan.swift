package import JailCore

/// A program of the host's that the supervisor starts outside the jail, such as the one that tells a person of an alert.
///
/// The profile names it, and so nothing of it is the jail's choice: what happened in the jail reaches it on its standard
/// input alone, never among its arguments.
package struct HostCommandPlan: Equatable, Sendable {
    /// The key of the profile that asks for it, such as `alerts.command`: failures are told under this name.
    package var purpose: String
    /// Canonical and absolute, as it was found when the plan was made.
    package var path: String
    /// The program's own name first.
    package var arguments: [String]
    /// It talks to the caller's desktop, and gets the variables by which that is found.
    package var reachesDesktop = false
    /// Milliseconds after which it is killed, with all that is in its process group.
    package var timeout: UInt64 = 10_000
    /// It is clawjail itself, which finds running jails by the caller's variables.
    package var keepsEnvironment = false

    package init(purpose: String, path: String, arguments: [String]) {
        self.purpose = purpose
        self.path = path
        self.arguments = arguments
    }

    package var json: JSON {
        ["path": .string(path), "arguments": .strings(arguments), "timeoutMilliseconds": .number(timeout)]
    }
}
