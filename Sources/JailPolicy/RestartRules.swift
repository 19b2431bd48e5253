package import JailCore

/// `restart`: whether a jail that has ended is started again, by clawjail itself.
package struct RestartRules: Equatable, Sendable {
    /// What it is started again after; each one includes those before it.
    package enum Occasion: String, CaseIterable, Sendable {
        case never
        /// The command ended with another status than 0, or was killed; or its supervisor was.
        case failure
        /// The jail's health question was not answered: it is stopped first.
        case unhealthy
        /// Whatever the command ended with.
        case always
    }

    package var on = Occasion.never
    /// Milliseconds until the first restart; each one after that waits twice as long as the one before.
    package var delay: UInt64 = 1000
    /// Milliseconds that a restart waits at most. Who has been well for so long waits ``delay`` again.
    package var longest: UInt64 = 60_000
    /// So many restarts within ``within``, and the next end is the last.
    package var most: UInt64 = 5
    /// Milliseconds.
    package var within: UInt64 = 600_000

    package init() {}

    /// How often the wait doubles until it is the longest.
    package var doublings: Int {
        var count = 0
        var wait = delay
        while wait < longest {
            wait = wait.multipliedReportingOverflow(by: 2).partialValue
            count += 1
        }
        return count
    }

    /// Nobody is unhealthy who is not asked.
    package func check(_ health: HealthRules?) throws(JailError) {
        guard on == .unhealthy, health == nil else { return }
        throw JailError(
            .profile, reason: "'restart.on' is \"unhealthy\", and the profile has no 'health' that would say so",
            hint: "add 'health', or say \"failure\"")
    }

    /// For people, a line each.
    package var shown: [String] {
        let occasion =
            switch on {
            case .never: "never"
            case .failure: "on failure"
            case .unhealthy: "on failure, and when it is unhealthy"
            case .always: "whenever it ends"
            }
        if on == .never { return [occasion] }
        return [
            "\(occasion), after \(TimeSpan.format(delay)), twice as long each time, at most \(TimeSpan.format(longest))",
            "at most \(most) times within \(TimeSpan.format(within))",
        ]
    }
}
