import ArgumentParser
import JailCore
import JailPlan

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what 'run' would do, in order, and do nothing.")

    @OptionGroup var options: LaunchOptions

    @Flag(help: "Print the plan as JSON, with a version.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let plan = try options.invocation.makePlan()
            try Output.print(json ? plan.json.text(pretty: true) : plan.text)
        } catch { Output.fail(error) }
    }
}
