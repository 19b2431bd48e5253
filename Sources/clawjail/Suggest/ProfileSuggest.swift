import ArgumentParser
import JailCore
import JailLearning
import JailPolicy

struct ProfileSuggest: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest", abstract: "Turn what a jail was denied into the smallest change of its profile.",
        discussion: """
            Lines with what was seen, what it would mean, and the JSON5 to add, the most likely cause of trouble first, and last \
            what is advised against. Nothing is changed without --apply, which writes a profile that extends the old one, or \
            adds to it if it was made so. With --apply the exit status is 1 where there was nothing to apply.
            """)

    @Argument(
        help: "The name of a jail, or of a record of 'clawjail learn', or its file.", completion: .suggestSources)
    var source: String

    @Flag(help: "Apply the first suggestion that is not advised against.")
    var apply = false

    @Flag(help: "With --apply: all that are not advised against.")
    var all = false

    @Option(help: ArgumentHelp("With --apply: this one, also if it is advised against.", valueName: "number"))
    var pick: Int?

    @Option(
        name: .customLong("as"), help: ArgumentHelp("With --apply: the name of the new profile.", valueName: "name"))
    var newName: String?

    @Option(
        help: ArgumentHelp("Instead: permissions that were not used for so many days.", valueName: "days"))
    var unused: Int?

    @Flag(help: "Print it as JSON.")
    var json = false

    func validate() throws {
        guard apply || (!all && pick == nil && newName == nil) else {
            throw ValidationError("--all, --pick and --as go with --apply")
        }
        guard !all || pick == nil else { throw ValidationError("--all and --pick exclude each other") }
        guard unused == nil || !apply else { throw ValidationError("--unused and --apply exclude each other") }
        guard unused.map({ (1...3650).contains($0) }) ?? true else {
            throw ValidationError("--unused is a number of days from 1 to 3650")
        }
    }

    mutating func run() {
        do throws(JailError) {
            if let unused {
                try UnusedReport(source, days: unused).print(asJSON: json)
                return
            }
            let source = try SuggestSource.find(source)
            let profile = try source.load(try Invocation.loader())
            if apply {
                try SuggestWork(source: source, profile: profile).apply(all: all, pick: pick, as: newName, asJSON: json)
            } else {
                let found = Suggestions.make(
                    from: source.observations, profile: profile, host: try .here(for: profile))
                let report = SuggestReport(source: source, profile: profile, found: found)
                try Output.print(json ? report.json.text(pretty: true) : report.text)
            }
        } catch { Output.fail(error) }
    }
}

/// What is printed of suggestions.
struct SuggestReport {
    let source: SuggestSource
    let profile: Profile
    let found: Suggestions

    var text: String {
        var lines = ["\(profile.name), from \(source.shown)"]
        for (index, one) in found.ranked.enumerated() {
            lines += ["", "\(index + 1). \(one.change.text)", "   \(one.evidence.text)", "   risk: \(one.risk)"]
            if let reason = one.advisedAgainst { lines.append("   advised against: \(reason)") }
        }
        if found.ranked.isEmpty { lines += ["", "nothing is to be suggested"] }
        if !found.ungrantable.isEmpty { lines += ["", "not suggested:"] }
        for one in found.ungrantable { lines.append("   \(one.evidence.text): \(one.reason)") }
        if !found.advised.isEmpty { lines += ["", "'--apply' applies the first, '--apply --pick N' another one"] }
        return lines.map(\.printable).joined(separator: "\n")
    }

    var json: JSON { .object(members) }

    var members: [(String, JSON)] {
        [
            ("version", 1), ("source", .string(source.shown)), ("profile", .string(profile.name)),
            ("suggestions", .array(found.ranked.map(\.json))), ("notSuggested", .array(found.ungrantable.map(\.json))),
        ]
    }
}
