/// What one run under `learn` came to, as its record has it.
package struct LearnedRun: Equatable, Sendable {
    package struct Start: Equatable, Sendable {
        /// Of the jail.
        package var name: String
        package var profile: String
        package var profileFiles: [String]
        /// SHA-256 of the plan that was carried out.
        package var plan: String
        package var command: [String]
        /// RFC 3339, in UTC.
        package var started: String
        /// What the profile lacks was let pass within the bounds of `--permit`.
        package var permits: Bool

        package init(
            name: String, profile: String, profileFiles: [String], plan: String, command: [String], started: String,
            permits: Bool = false
        ) {
            self.name = name
            self.profile = profile
            self.profileFiles = profileFiles
            self.plan = plan
            self.command = command
            self.started = started
            self.permits = permits
        }
    }

    package struct End: Equatable, Sendable {
        /// RFC 3339, in UTC.
        package var ended: String
        /// The command's, see ``ExitStatus``.
        package var status: Int32
        /// How often something was seen for which there was no room any more.
        package var leftOut: Int
        /// The tracer ended before the jail: files, programs and system calls are missing.
        package var isIncomplete: Bool

        package init(ended: String, status: Int32, leftOut: Int = 0, isIncomplete: Bool = false) {
            self.ended = ended
            self.status = status
            self.leftOut = leftOut
            self.isIncomplete = isIncomplete
        }
    }

    package var start: Start
    package var observations: [Observation]
    /// nil: the run has not ended, or its end could not be written.
    package var end: End?

    package init(start: Start, observations: [Observation] = [], end: End? = nil) {
        self.start = start
        self.observations = observations
        self.end = end
    }
}
