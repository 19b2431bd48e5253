import JailCore
import JailLearning
import JailPolicy

/// From suggestions to a profile on disk.
struct SuggestWork {
    let source: SuggestSource
    /// That under which things were seen.
    let profile: Profile

    func apply(all: Bool, pick: Int?, as newName: String?, asJSON: Bool) throws(JailError) {
        let place = try SuggestPlace()
        // Asked for before, so that nobody waits for an answer.
        let name = try name(newName, in: place)
        let lock = try place.lock()
        defer { try? System.lock(lock.borrowed, .unlock) }
        let target = try target(name, in: place)
        let found = Suggestions.make(
            from: source.observations, profile: target.base, host: try .here(for: target.base))
        let report = SuggestReport(source: source, profile: target.base, found: found)
        let chosen = try Self.choose(found, all: all, pick: pick)
        guard !chosen.isEmpty else {
            try Output.print(asJSON ? report.json.text(pretty: true) : "nothing is left that is not advised against")
            Output.leave(1)
        }
        var made = target.made
        let date = String(UTCTime.text(System.realtimeSeconds()).prefix(10))
        for one in chosen { made.add(one, on: date) }
        let after = try place.write(made, as: target.name)
        if asJSON {
            let applied: [(String, JSON)] = [
                ("applied", .array(chosen.map(\.json))), ("file", .string(place.path(target.name))),
                ("newProfile", .string(target.name)),
            ]
            try Output.print(JSON.object(report.members + applied).text(pretty: true))
        } else {
            try Output.print(text(chosen, from: target.base, to: after, place.path(target.name)))
        }
    }

    private static func choose(_ found: Suggestions, all: Bool, pick: Int?) throws(JailError) -> [Suggestion] {
        guard let pick else { return all ? found.advised : Array(found.advised.prefix(1)) }
        guard found.ranked.indices.contains(pick - 1) else {
            throw JailError(.usage, reason: "there is no suggestion \(pick)", hint: "there are \(found.ranked.count)")
        }
        return [found.ranked[pick - 1]]
    }

    private func text(_ chosen: [Suggestion], from before: Profile, to after: Profile, _ file: String) -> String {
        var lines = [file] + ProfileDiff.lines(from: before, to: after).map { "  \($0.description)" }
        for one in chosen {
            lines.append("because: \(one.evidence.text)")
            lines.append("risk: \(one.risk)")
            if let reason = one.advisedAgainst { lines.append("against the advice: \(reason)") }
        }
        let words = ["clawjail", source.isLearned ? "learn" : "run", "--profile", after.name, "--"] + source.command
        lines.append("next: \(words.map(\.shellQuoted).joined(separator: " "))")
        return lines.map(\.printable).joined(separator: "\n")
    }

    // MARK: Which profile

    private struct Target {
        let name: String
        /// What suggestions are for: with what was applied before.
        let base: Profile
        let made: SuggestedProfile
    }

    /// The new one's, or that of the profile itself, if it can be added to.
    private func name(_ newName: String?, in place: SuggestPlace) throws(JailError) -> String {
        if let newName { return newName }
        return try place.made(profile) != nil ? profile.name : ask()
    }

    private func target(_ name: String, in place: SuggestPlace) throws(JailError) -> Target {
        if name == profile.name, let made = try place.made(profile) {
            return Target(name: name, base: try Invocation.loader().load(name), made: made)
        }
        let loader = try Invocation.loader()
        guard let named = try? loader.load(profile.name), named.files.last == profile.files.last else {
            throw JailError(
                .profile, path: profile.files.last,
                reason: "a profile that is not found by its name cannot be extended",
                hint: "copy it to \(place.directory)")
        }
        do throws(ValueError) { try Name.checkProfile(name) } catch {
            throw JailError(.usage, reason: "a profile's name \(error.reason)")
        }
        guard let made = try place.existing(name) else {
            return Target(name: name, base: profile, made: SuggestedProfile(extending: profile.name))
        }
        guard made.parent == profile.name else {
            throw JailError(
                .profile, path: place.path(name), reason: "it extends '\(made.parent)', not '\(profile.name)'",
                hint: "choose another name")
        }
        return Target(name: name, base: try loader.load(name), made: made)
    }

    private func ask() throws(JailError) -> String {
        guard Surroundings.isTerminal(.standardInput) else {
            throw JailError(.usage, reason: "the new profile needs a name", hint: "--as NAME, such as \(proposal)")
        }
        try attempt(.usage) { () throws(SystemError) in
            try System.writeAll(.standardError, "name of the new profile [\(proposal)]: ")
        }
        let answer = try attempt(.usage, "standard input") { () throws(SystemError) in
            try System.read(.standardInput, most: 256)
        }
        // The end of the input is no answer.
        guard !answer.isEmpty else { throw JailError(.usage, reason: "no name was given") }
        let text = String(decoding: answer.prefix { $0 != 0x0A }, as: UTF8.self)
        return text.isEmpty ? proposal : text
    }

    /// After the jail, if that is named otherwise than its profile.
    private var proposal: String {
        let name = source.jail.hasPrefix("\(profile.name)-") ? source.jail : "\(profile.name)-\(source.jail)"
        let isName = source.jail != profile.name && (try? Name.checkProfile(name)) != nil
        return isName ? name : "\(profile.name)-more"
    }
}
