import ArgumentParser
import JailCore
import JailPolicy

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "List, show, check, compare, rate and extend profiles.",
        subcommands: [
            ProfileList.self, ProfileShow.self, ProfileCheck.self, ProfileDifference.self, ProfileScore.self,
            ProfileSuggest.self,
        ])
}

struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the profiles that can be named, how much each exposes (0.0 to 10.0), and where they are.",
        discussion: "Those that expose least come first.")

    mutating func run() {
        do throws(JailError) {
            let loader = try Invocation.loader()
            var rows: [(score: Double, cells: [String])] = []
            for entry in loader.available() {
                do throws(JailError) {
                    let profile = try loader.load(entry.name)
                    let exposure = Exposure(profile)
                    rows.append((exposure.score, [entry.name, exposure.figure, profile.summary, entry.path]))
                } catch {
                    // One that cannot be read is no reason to say nothing of the others.
                    rows.append((.infinity, [entry.name, "-", "\(error)", entry.path]))
                }
            }
            let sorted = rows.enumerated().sorted { ($0.element.score, $0.offset) < ($1.element.score, $1.offset) }
            try Output.print(Table.text(sorted.map(\.element.cells)))
        } catch { Output.fail(error) }
    }
}

struct ProfileShow: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a profile with everything that it inherits, and which file each value comes from.")

    @Argument(help: "A name, or a file with '/' or .json5.", completion: .profiles) var profile: String
    @Flag(help: "Print it as JSON, as a profile without parents.") var json = false
    @Flag(help: "With --json, print where each value comes from instead.") var origins = false

    mutating func validate() throws {
        if origins, !json { throw ValidationError("--origins is for --json; without it the origins are there anyway") }
    }

    mutating func run() {
        do throws(JailError) {
            let (profile, places) = try Invocation.loader().loadWithOrigins(profile)
            if json {
                let printed: JSON =
                    origins
                    ? [
                        "version": 1, "profile": .string(profile.name), "files": .strings(profile.files),
                        "values": places.json(of: profile),
                    ] : profile.json
                try Output.print(printed.text(pretty: true))
            } else {
                try Output.print(ProfileText.lines(profile, origins: places).joined(separator: "\n"))
            }
        } catch { Output.fail(error) }
    }
}
