package import JailPlan

/// Becomes the supervisor of a guarded jail. The program gives one: this library knows how to launch, not how to plan.
package protocol GuardedStarter {
    associatedtype Reporter: LaunchReporter

    /// In a process of its own, whose end is the jail's.
    ///
    /// - Parameter plan: of the first start; nil: it is made anew, of the profile and the host as they are now.
    func supervise(_ plan: LaunchPlan?, _ link: GuardianLink, _ reporter: inout Reporter) -> Never

    /// The guardian, once the first supervisor has been forked: what is only for that one goes.
    func letGo(_ reporter: inout Reporter)
}
