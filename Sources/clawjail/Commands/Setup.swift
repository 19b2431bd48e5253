import ArgumentParser
import JailCore
import JailExport
import JailPolicy

struct Setup: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract:
            "Prepare this host for jails as services: a user, directories, and a unit. As root; again changes nothing.",
        discussion: "It says each thing that it does, or that is there already.")

    @Flag(help: "Say what would be done, and do nothing.")
    var dryRun = false

    @Option(help: "Also write the unit NAME.service; 'clawjail@' for the template.")
    var unit: String?

    @Flag(help: "Have that unit start with the machine.")
    var enable = false

    @Flag(help: "Also write a service and a timer that make a snapshot of the jail's /data each night.")
    var snapshots = false

    @OptionGroup var retention: RetentionOptions

    @OptionGroup var options: UnitOptions

    mutating func run() {
        do throws(JailError) {
            guard System.effectiveUserID == 0 else {
                throw JailError(
                    .usage, reason: "setup is for root", hint: "sudo clawjail setup --dry-run shows what it does")
            }
            let request = try request()
            let facts = try SetupFacts.gather(request)
            for step in try SetupPlan.steps(request, facts) {
                switch step {
                case .there: try Output.print("there    \(step.description.printable)")
                case .warn: try Output.print("warning  \(step.description.printable)")
                default:
                    if !dryRun { try SetupWork.perform(step) }
                    try Output.print("\(dryRun ? "would   " : "done    ") \(step.description.printable)")
                }
            }
        } catch { Output.fail(error) }
    }

    private func request() throws(JailError) -> SetupRequest {
        var request = SetupRequest(user: options.user)
        guard (try? Name.checkHostUser(options.user)) != nil, UInt32(options.user) == nil else {
            throw JailError(.usage, reason: "'\(options.user.printable)' is not a name for a user")
        }
        guard let unit else {
            guard !enable, !snapshots, options.profile == nil, options.command.isEmpty else {
                throw JailError(
                    .usage, reason: "--enable, --snapshots, --profile and a command belong to a unit",
                    hint: "name it: --unit NAME")
            }
            return request
        }
        let isTemplate = unit == "clawjail@"
        let name = isTemplate ? SystemdUnit.instance : unit
        let made = try options.unit(name: name)
        request.units = [
            SetupRequest.Unit(fileName: made.fileName, text: try made.text, isTemplate: isTemplate, enable: enable)
        ]
        guard snapshots else { return request }
        let nightly = try options.snapshots(name: name, retention)
        request.units += [
            SetupRequest.Unit(
                fileName: nightly.serviceName, text: nightly.service, isTemplate: isTemplate, enable: false),
            SetupRequest.Unit(
                fileName: nightly.timerName, text: nightly.timer, isTemplate: isTemplate, enable: enable),
        ]
        return request
    }
}
