import ArgumentParser
import JailCore
import JailPolicy

struct ProfileCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Read profiles as a launch would, and say what is wrong with them, or dangerous, and what to do.")

    @Argument(help: "Names, or files with '/' or .json5.", completion: .profiles) var profiles: [String]
    @Flag(help: "Exit with 1 if there is more than notes.") var strict = false
    @Flag(help: "Print the findings as JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let loader = try Invocation.loader()
            // What another profile's mistakes are is not the question here.
            let others = loader.available().compactMap { entry in try? loader.load(entry.name) }
            var worst = ProfileFindings.Severity.note
            var objects: [JSON] = []
            for name in profiles {
                let (profile, origins) = try loader.loadWithOrigins(name)
                let findings = ProfileFindings(profile, among: others).all
                worst = max(worst, findings.map(\.severity).max() ?? .note)
                if json {
                    objects.append(Self.json(profile, findings, origins))
                } else {
                    try Output.print("\(name): ok, \(profile.files.count) files")
                    for finding in findings { try Output.print(Self.text(finding, origins)) }
                }
            }
            if json { try Output.print(JSON.array(objects).text(pretty: true)) }
            Output.leave(strict && worst > .note ? 1 : 0)
        } catch { Output.fail(error) }
    }

    private static func text(_ finding: ProfileFindings.Finding, _ origins: ProfileOrigins) -> String {
        let place = finding.source.flatMap(origins.position(of:)).map { " [\($0.file):\($0.line)]" } ?? ""
        return "\(finding.severity.word): \(finding.text)\(place); \(finding.remedy)".printable
    }

    private static func json(
        _ profile: Profile, _ findings: [ProfileFindings.Finding], _ origins: ProfileOrigins
    ) -> JSON {
        [
            "version": 1, "profile": .string(profile.name),
            "findings": .array(
                findings.map { finding in
                    let position = finding.source.flatMap(origins.position(of:))
                    return [
                        "severity": .string(finding.severity.word), "id": .string(finding.id),
                        "text": .string(finding.text), "remedy": .string(finding.remedy),
                        "key": .optional(finding.source?.key), "file": .optional(position?.file),
                        "line": position.map { .number($0.line) } ?? .null,
                    ]
                }),
        ]
    }
}

struct ProfileDifference: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Say what the second profile may do more, less or otherwise than the first.")

    @Argument(help: "The first: a name, or a file with '/' or .json5.", completion: .profiles) var old: String
    @Argument(help: "The second.", completion: .profiles) var new: String
    @Flag(help: "Print the keys that differ, as they stand in a profile.") var keys = false
    @Flag(help: "Print the words as JSON.") var json = false

    mutating func validate() throws {
        if keys, json { throw ValidationError("--keys and --json are two forms of the same") }
    }

    mutating func run() {
        do throws(JailError) {
            let loader = try Invocation.loader()
            let (old, new) = (try loader.load(old), try loader.load(new))
            let words = PermissionDiff.lines(from: old, to: new)
            if json {
                try Output.print(PermissionDiff.json(words).text(pretty: true))
            } else {
                let lines =
                    keys
                    ? ProfileDiff.lines(from: old, to: new).map(\.description) : words.map(\.description)
                try Output.print(lines.joined(separator: "\n"))
            }
        } catch { Output.fail(error) }
    }
}

struct ProfileScore: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score",
        abstract: "Say how much a profile exposes, from 0.0 to 10.0, of what that is made, and what lowers it.",
        discussion: "Below 2 tight, below 4 narrow, below 6 moderate, below 8 wide, and open from there on.")

    @Argument(help: "A name, or a file with '/' or .json5.", completion: .profiles) var profile: String
    @Flag(help: "Print it as JSON.") var json = false

    mutating func run() {
        do throws(JailError) {
            let profile = try Invocation.loader().load(profile)
            let exposure = Exposure(profile)
            guard !json else {
                try Output.print(exposure.json(profile.name).text(pretty: true))
                return
            }
            let total = "\(profile.name): \(exposure.figure) of 10.0, \(exposure.word)"
            try Output.print((exposure.rows.isEmpty ? total : Table.text(exposure.rows) + "\n" + total).printableLines)
        } catch { Output.fail(error) }
    }
}

extension String {
    /// Names of files and hosts may hold anything.
    fileprivate var printableLines: String {
        split(separator: "\n", omittingEmptySubsequences: false).map { String($0).printable }.joined(separator: "\n")
    }
}
