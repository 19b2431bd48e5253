import ArgumentParser
import JailCore
import JailLaunch
import JailLearning
import JailPlan
import JailPolicy

struct Learn: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a command in a jail, and write down what it was denied.",
        discussion: """
            As 'run' does it, but that every program in the jail is watched: it is slower. What was seen is written to the \
            state directory, and 'clawjail profile suggest' makes rules of it. The exit status is the command's.
            """)

    @OptionGroup var options: LaunchOptions

    @Flag(help: "Grant nothing, and only write down; the default.")
    var deny = false

    @Flag(help: "Let pass what is within fixed bounds: public hosts, a few harmless system calls, what --within names.")
    var permit = false

    @Option(
        help: ArgumentHelp(
            "With --permit, show this host directory read-only, and write down what is used of it.", valueName: "path"),
        completion: .directory)
    var within: [String] = []

    @Option(
        help: ArgumentHelp("With --permit, the same, writable.", valueName: "path"), completion: .directory)
    var withinWrite: [String] = []

    @Option(
        help: ArgumentHelp(
            "Write what happens to this descriptor, as JSON, one event on a line.", valueName: "descriptor"))
    var statusFd: Int32?

    mutating func run() {
        do throws(JailError) {
            var reporter = try Reporter(statusDescriptor: statusFd)
            do throws(JailError) {
                Output.leave(try learn(&reporter))
            } catch {
                reporter.failed(error)
                Output.leave(error.status)
            }
        } catch {
            Output.fail(error)
        }
    }

    private func learn(_ reporter: inout Reporter) throws(JailError) -> Int32 {
        try checkOptions()
        let invocation = options.invocation
        let known = try invocation.loadProfile()
        var profile = known
        var extras = PermittedExtras()
        if permit {
            let directory = try attempt(.host, "/proc/self/cwd") { () throws(SystemError) in
                try System.readLink("/proc/self/cwd")
            }
            extras = try PermitRules(within: within, withinWrite: withinWrite).widen(&profile, directory: directory)
        }
        let plan = try invocation.makePlan(with: profile)
        tellBefore(plan, &reporter)
        let record = try LearnRecord(plan, permits: permit)
        let learning = Learning(network: permit ? known.network : nil, extras: extras, record: record.path)
        let status: Int32
        do throws(JailError) {
            status = try Supervisor.run(
                plan, sessions: GatewaySessions(), learning: learning, reporter: &reporter)
        } catch {
            // It may have run for a while before it failed.
            if learning.observations.isEmpty {
                record.remove()
            } else {
                _ = try? record.finish(learning, status: error.status)
            }
            throw error
        }
        let run = try record.finish(learning, status: status)
        for line in LearnSummary.lines(run, path: record.path) { reporter.note(line) }
        return status
    }

    private func checkOptions() throws(JailError) {
        guard !(deny && permit) else {
            throw JailError(.usage, reason: "--deny and --permit exclude each other")
        }
        guard permit || (within.isEmpty && withinWrite.isEmpty) else {
            throw JailError(
                .usage, reason: "--within shows what the profile does not", hint: "say --permit with it")
        }
        guard !permit || options.egressGroup == nil else {
            throw JailError(
                .usage, reason: "--permit widens what a way out lets pass",
                hint: "leave --egress-group out: others would have it with this jail")
        }
    }

    private func tellBefore(_ plan: LaunchPlan, _ reporter: inout Reporter) {
        for entry in plan.leftOut {
            reporter.note("left out, as the profile allows: \(entry.protection.rawValue): \(entry.reason)")
        }
        if plan.sessions != nil { reporter.note("note: what runs in sessions of this jail is not watched") }
        guard permit else { return }
        reporter.note(
            "--permit: every public host may be reached, and a few more system calls made; all of it is recorded")
    }
}
