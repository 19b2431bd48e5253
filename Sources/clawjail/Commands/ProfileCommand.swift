import ArgumentParser
import JailCore
import JailPolicy

struct ProfileCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "profile", abstract: "List, show, check and compare profiles.",
        subcommands: [ProfileList.self, ProfileShow.self, ProfileCheck.self, ProfileDifference.self])
}

struct ProfileList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the profiles that can be named, and where they are.")

    mutating func run() {
        do throws(JailError) {
            let loader = try Invocation.loader()
            var rows: [[String]] = []
            for entry in loader.available() {
                let summary: String
                do throws(JailError) { summary = try loader.load(entry.name).summary } catch { summary = "\(error)" }
                rows.append([entry.name, summary, entry.path])
            }
            try Output.print(Table.text(rows))
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

struct ProfileCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read profiles as a launch would, and say what is wrong with them.")

    @Argument(help: "Names, or files with '/' or .json5.", completion: .profiles) var profiles: [String]

    mutating func run() {
        do throws(JailError) {
            for profile in profiles {
                let loaded = try Invocation.loader().load(profile)
                try Output.print("\(profile): ok, \(loaded.files.count) files")
                let notes = NetworkPolicy(loaded.network).notes + (loaded.alerts?.notes(for: loaded) ?? [])
                for note in notes { try Output.print("note: \(note)") }
            }
        } catch { Output.fail(error) }
    }
}

struct ProfileDifference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Show what the second profile may do more, less or otherwise than the first.")

    @Argument(help: "The first: a name, or a file with '/' or .json5.", completion: .profiles) var old: String
    @Argument(help: "The second.", completion: .profiles) var new: String

    mutating func run() {
        do throws(JailError) {
            let loader = try Invocation.loader()
            let lines = ProfileDiff.lines(from: try loader.load(old), to: try loader.load(new))
            try Output.print(lines.map(\.description).joined(separator: "\n"))
        } catch { Output.fail(error) }
    }
}
