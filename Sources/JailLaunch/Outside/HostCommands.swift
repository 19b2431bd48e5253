package import JailCore
package import JailPlan

/// Starts programs of the host's, outside the jail, for the supervisor: what an alert sets off, or an anchor of its log.
///
/// Nothing here makes the poll loop wait: what a program is told lies in a file in memory, few run at once, the others
/// queue, and what the queue does not take is counted. A program that fails never ends the jail; that it does is told once,
/// and again when it works.
package final class HostCommands {
    /// What is known of the programs of one purpose.
    private struct Standing {
        /// Runs that have failed since the last one that did not.
        var failures = 0
        /// Runs that the queue did not take, since it was last empty.
        var dropped = 0
    }

    private let most: Int
    private let longestQueue: Int
    private let environment: [(name: String, value: String)]
    private var runs: [HostCommandRun] = []
    private var queue: [(command: HostCommandPlan, input: [UInt8])] = []
    /// By purpose: there are as many as keys of a profile that name programs.
    private var standings: [String: Standing] = [:]
    private var notices: [JailNotice] = []

    /// Variables that any program gets, and those by which a desktop is found.
    private static let usual = ["PATH", "HOME", "LANG"]
    private static let desktop = ["DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"]
    private static let usualPath = "/usr/local/bin:/usr/bin:/bin"

    /// - Parameters:
    ///   - most: programs at the same time.
    ///   - longestQueue: runs that wait.
    ///   - environment: the caller's.
    package init(
        most: Int = 4, longestQueue: Int = 64,
        environment: [(name: String, value: String)] = System.environment()
    ) {
        self.most = most
        self.longestQueue = longestQueue
        self.environment = environment
    }

    /// Nothing runs, and nothing waits.
    package var isIdle: Bool { runs.isEmpty && queue.isEmpty }

    /// Has a program started, now or as soon as there is room.
    ///
    /// - Parameter input: what it reads from its standard input.
    package func start(
        _ command: HostCommandPlan, input: [UInt8], now: Int64 = System.monotonicNanoseconds()
    ) {
        guard queue.count < longestQueue else { return drop(command.purpose) }
        queue.append((command, input))
        startWaiting(now)
    }

    /// The same for one object of JSON on a line.
    package func start(_ command: HostCommandPlan, input: JSON) {
        start(command, input: Array((input.text() + "\n").utf8))
    }

    // MARK: Waiting

    package var pollEntries: [System.PollEntry] { runs.flatMap(\.pollEntries) }

    /// Monotonic nanoseconds at which ``handle(_:now:)`` wants to be called though nothing is ready.
    package var due: Int64? { runs.compactMap(\.due).min() }

    package func handle(_ ready: System.PollResult, now: Int64 = System.monotonicNanoseconds()) {
        runs.removeAll { run in
            switch run.handle(ready, now: now) {
            case .running: return false
            case .succeeded: succeeded(run.command.purpose)
            case .failed(let reason): failed(run.command.purpose, reason)
            }
            return true
        }
        startWaiting(now)
    }

    /// What is to be told since the last time.
    func takeNotices() -> [JailNotice] {
        defer { notices = [] }
        return notices
    }

    /// Waits for what runs and what waits, but no longer than this; then it is killed.
    ///
    /// - Parameter patience: nanoseconds.
    package func finish(patience: Int64) {
        let end = System.monotonicNanoseconds() + patience
        while !isIdle {
            let now = System.monotonicNanoseconds()
            guard now < end else { return kill() }
            var entries = pollEntries
            let next = min(end, due ?? end)
            do throws(SystemError) {
                try System.poll(&entries, milliseconds: Int32(clamping: (next - now) / 1_000_000 + 1))
            } catch { return kill() }
            handle(System.PollResult(entries))
        }
    }

    /// Ends everything at once.
    package func kill() {
        for run in runs {
            run.end()
            failed(run.command.purpose, "it was still running when the jail had ended")
        }
        runs = []
        for (command, _) in queue { drop(command.purpose) }
        queue = []
    }

    deinit { for run in runs { run.end() } }

    // MARK: Starting

    private func startWaiting(_ now: Int64) {
        while runs.count < most, !queue.isEmpty {
            let (command, input) = queue.removeFirst()
            do throws(SystemError) {
                runs.append(
                    try HostCommandRun(command, input: input, environment: variables(command), now: now))
            } catch { failed(command.purpose, "\(error.call.name) '\(command.path.printable)': \(error.errno)") }
        }
        if queue.isEmpty { tellDropped() }
    }

    private func variables(_ command: HostCommandPlan) -> [String] {
        let names = Self.usual + (command.reachesDesktop ? Self.desktop : [])
        let known = environment.filter { command.keepsEnvironment || names.contains($0.name) }.map {
            "\($0.name)=\($0.value)"
        }
        return environment.contains { $0.name == "PATH" } ? known : ["PATH=\(Self.usualPath)"] + known
    }

    // MARK: Telling

    private func succeeded(_ purpose: String) {
        guard let failures = standings[purpose]?.failures, failures > 0 else { return }
        standings[purpose]?.failures = 0
        tell(purpose, "works", "works again; \(failures) \(failures == 1 ? "run" : "runs") had failed", count: failures)
    }

    private func failed(_ purpose: String, _ reason: String) {
        let failures = (standings[purpose]?.failures ?? 0) + 1
        standings[purpose, default: Standing()].failures = failures
        guard failures == 1 else { return }
        tell(purpose, "failed", "failed: \(reason); it is tried again the next time, and told when it works", count: 1)
    }

    private func drop(_ purpose: String) {
        let dropped = (standings[purpose]?.dropped ?? 0) + 1
        standings[purpose, default: Standing()].dropped = dropped
        guard dropped == 1 else { return }
        tell(purpose, "dropped", "too many runs wait: those that find no place are not made, and counted", count: 1)
    }

    private func tellDropped() {
        for (purpose, standing) in standings where standing.dropped > 0 {
            standings[purpose]?.dropped = 0
            tell(purpose, "dropped", "\(standing.dropped) runs were not made", count: standing.dropped)
        }
    }

    private func tell(_ purpose: String, _ outcome: String, _ message: String, count: Int) {
        notices.append(.note("\(purpose): \(message)"))
        notices.append(
            .event([
                "event": "host-command", "purpose": .string(purpose), "outcome": .string(outcome),
                "count": .number(count), "message": .string(message),
            ]))
    }
}
