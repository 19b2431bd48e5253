import JailCore
import JailLaunch
import JailPlan

/// A jail whose profile has it started again: supervisors one after another, below the process that was started.
struct GuardedRun: GuardedStarter {
    let invocation: Invocation
    /// Of the first start.
    let plan: LaunchPlan
    /// What the jail prints goes to its log.
    let isBackground: Bool

    func run(_ reporter: inout Reporter) throws(JailError) -> Int32 {
        try Guardian.run(plan, self, reporter: &reporter)
    }

    func supervise(_ first: LaunchPlan?, _ link: GuardianLink, _ reporter: inout Reporter) -> Never {
        do throws(JailError) {
            let plan: LaunchPlan
            if let first { plan = first } else { plan = try invocation.makePlan(again: self.plan) }
            let output = isBackground ? try Background.openLog(plan) : nil
            reporter.log = output
            Output.leave(try Run.launch(plan, output: output, guardian: link, &reporter))
        } catch {
            reporter.failed(error)
            Output.leave(error.status)
        }
    }

    func letGo(_ reporter: inout Reporter) {
        guard isBackground else { return }
        // The foreground process waits for the end of this pipe, and others perhaps for that of standard output.
        reporter.waiting = nil
        reporter.logPlace = Background.logPlace(plan)
        guard let null = try? System.open("/dev/null", .readWrite) else { return }
        for number: Int32 in 1...2 { try? System.duplicate(null.borrowed, to: number, closeOnExec: false) }
    }
}
