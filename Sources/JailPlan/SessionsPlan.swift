package import JailCore
package import JailPolicy

/// The jails that are made beside this one when its programs ask for them.
package struct SessionsPlan: Equatable, Sendable {
    /// One of `sessions.workspaces`.
    package struct Root: Equatable, Sendable {
        /// Inside the jail that asks.
        package var path: String
        /// The target of the mount that it lies in.
        package var mount: String
        /// That mount's source on the host. Its identity stands in the mount's step.
        package var source: String
        /// From there to the root; empty: the source itself. What lies on this way the jail may have made.
        package var below: String
        package var readOnly: Bool

        /// For people: whether something is there, and what, is looked up when a session is made.
        package var hostPath: String { below.isEmpty ? source : "\(source)/\(below)" }
    }

    /// Of every session, as it was when the jail was planned.
    package var profile: Profile
    package var roots: [Root]
    package var most: Int
    /// Of the profile's secrets, those that a session may be asked for with.
    package var secrets: [String] = []
    /// Where clawjail itself is inside.
    package var program: String

    /// Where requests are made, inside.
    package static let socket = "/run/clawjail/sessions.sock"
    package static let usualProgram = "/usr/bin/clawjail"
}

/// clawjail itself, as found on the host: what a jail with sessions asks with.
package struct LauncherFacts: Equatable, Sendable {
    /// Canonical.
    package var path: String
    package var identity: FileIdentity
    /// A file of this name is in the host's /usr/bin: in a jail that shows all of that, it can be covered.
    package var isInUsualPlace: Bool

    package init(path: String, identity: FileIdentity, isInUsualPlace: Bool) {
        self.path = path
        self.identity = identity
        self.isInUsualPlace = isInUsualPlace
    }
}
