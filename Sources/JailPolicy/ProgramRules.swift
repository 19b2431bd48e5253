package import JailCore

/// What the programs of a profile mean for a command.
package enum ProgramRules {
    /// Why a program is not there, and the profile that would have it. Its status is 126.
    package static func denial(program: String, profile: Profile) -> JailError {
        // A path with a slash that is not absolute is no rule; nothing useful can be suggested for it.
        let rule = try? ProgramRule.parse(program)
        let suggestion =
            rule == nil
            ? "name it by its absolute path"
            : "to allow it, make a profile that extends it: { extends: \"\(profile.name)\", "
                + "process: { programs: [\(JSON.string(program).text())] } }"
        return JailError(
            .exec, reason: "'\(program.excerpt)' is not in the programs of profile '\(profile.name)'", hint: suggestion,
            status: ExitStatus.notExecutable)
    }
}
