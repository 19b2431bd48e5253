import ArgumentParser
import JailCore
import JailHost

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Say what this host can enforce, what not, why, and what mends it.")

    @Flag(help: "Print the checks as JSON.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let host = try Doctor.examine(searchPath: System.environmentValue("PATH")).checks
            let checks = host + (SecretKeyCheck.make().map { [$0] } ?? [])
            try Output.print(json ? Doctor.json(checks).text(pretty: true) : Doctor.text(checks))
        } catch { Output.fail(error) }
    }
}
