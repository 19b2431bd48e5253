import JailCore
import JailLaunch
import JailPlan
import JailPolicy

/// Makes a session, once: whoever asks again for the same gets the one that is there.
enum SessionCreation {
    /// Seconds that somebody else's creation of the same session may take.
    private static let seconds: Int64 = 20
    /// Nanoseconds.
    static let patience = seconds * 1_000_000_000

    /// Returns when the session runs. In the background process it never returns.
    static func create(_ settings: SessionSettings) throws(JailError) {
        if SessionsInside.isInside { return try SessionsInside.create(settings) }
        let invocation = try settings.invocation()
        let address = try JailAddress(settings.id)
        let labels = try settings.parsedLabels()
        // Once: what is compared is what is launched.
        let profile = try settings.narrow(try invocation.loadProfile())
        let configuration = settings.configuration(profile).text()
        let session = SessionPlan(configuration: configuration, labels: labels)
        let deadline = System.monotonicNanoseconds() + patience
        while true {
            if try isThere(session, address, until: deadline) { return }
            let (status, message) = try Background.start { (reporter) throws(JailError) -> Int32 in
                let plan = try invocation.makePlan(session: session, isBackground: true, with: profile)
                let output = try Background.openLog(plan)
                reporter.log = output
                return try Supervisor.run(plan, output: output, reporter: &reporter)
            }
            if status == 0 { return }
            // Somebody else was faster: then that is the one, if it is the same.
            guard status == ExitStatus.exists, System.monotonicNanoseconds() < deadline else {
                throw JailError(.supervise, said: message, status: status)
            }
        }
    }

    /// Whether the session runs already. Waits for one that is just being made.
    ///
    /// - Throws: ``ExitStatus/exists``: there is another one of that name.
    static func isThere(
        _ session: SessionPlan, _ address: JailAddress, until deadline: Int64
    ) throws(JailError) -> Bool {
        let id = address.shown
        while true {
            guard case .running(let state) = address.presence else { return false }
            if !state.isEmpty {
                guard let found = Session(name: id, state: state, isRunning: true) else {
                    throw JailError(
                        .supervise, reason: "a jail named '\(id)' runs that is no session", hint: "choose another id",
                        status: ExitStatus.exists)
                }
                guard found.configuration == session.configuration else {
                    throw JailError(
                        .supervise, reason: "session '\(id)' is there already, with another configuration",
                        hint: "remove it first, with 'clawjail session remove \(id)'", status: ExitStatus.exists)
                }
                if try found.use()?.isReady == true { return true }
            }
            guard System.monotonicNanoseconds() < deadline else {
                throw JailError(
                    .supervise, reason: "session '\(id)' is being made, and does not get ready",
                    status: ExitStatus.notRunning)
            }
            try attempt(.supervise) { () throws(SystemError) in try System.pause(milliseconds: 2) }
        }
    }
}
