package import JailCore
package import JailPlan

/// What a session is made of, after everything that the jail has asked for was checked.
package struct SessionStart {
    /// A directory of the jail's that the session is shown.
    package struct Source: Equatable, Sendable {
        /// On the host.
        package var path: String
        /// Of the directory that was opened, and is kept open: whatever the path leads to by then, this is what is shown.
        package var identity: FileIdentity
        /// Inside the session.
        package var target: String
        package var readOnly: Bool
    }

    /// The jail that asked.
    package var gateway: LaunchPlan
    package var sessions: SessionsPlan
    package var order: SessionOrder
    package var sources: [Source]
    /// Where it is told how the start went: `started`, or a status, a space and a sentence; and a line end.
    package var report: Descriptor
    /// Hangs up when the session must end.
    package var lifeline: Descriptor
}

/// Plans a session and becomes its supervisor. The program gives one: this library knows how to launch, not how to plan.
package protocol SessionStarter: Sendable {
    /// In a process of its own, which has nothing else to do.
    func run(_ start: SessionStart) -> Never
}
