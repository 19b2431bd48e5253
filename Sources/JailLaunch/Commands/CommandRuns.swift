internal import JailCommands
internal import JailCore

/// A call of a command that may be run now: a rule allows it, and whoever is to be asked has said yes.
struct CommandCall: Equatable, Sendable {
    /// By which rule, and with which words.
    let grant: CommandGrant
    /// nil: the command has three streams. Else it has a terminal of its own, of this size, and what goes over that is read from
    /// the first stream and written to the second.
    var terminal: Size?

    struct Size: Equatable, Sendable {
        var rows: UInt16
        var columns: UInt16
    }
}

/// What became of a call.
enum CommandReport: Equatable, Sendable {
    /// The exit status, 128 and the signal's number for one that was killed. `note`: what its caller should read besides, such
    /// as a limit that has ended it.
    case ended(UInt32, status: Int32, note: String?)
    /// It did not begin.
    case failed(UInt32, status: Int32, reason: String)
}

/// Where commands are run: the jail that asks, or a process apart. ``CommandDesk`` decides what is run, and knows no more of it.
///
/// Calls are numbered by the desk. The time and the output that a rule gives a call are kept here, and nothing that a call has
/// started is left when its report is there. Nothing waits: what cannot be done at once is refused.
protocol CommandRuns: AnyObject {
    var pollEntries: [System.PollEntry] { get }
    /// Monotonic nanoseconds at which ``handle(_:)`` wants to be called though nothing is ready.
    var due: Int64? { get }
    func handle(_ ready: System.PollResult) throws(SystemError)

    /// - Parameter streams: standard input, output and error, which ``ExecStream`` has been asked about.
    /// - Returns: false: no more can be taken at the moment.
    func start(_ call: CommandCall, streams: [SharedDescriptor], number: UInt32) throws(SystemError) -> Bool
    /// For the command and what it has started. One that is not there any more takes no notice.
    func signal(_ number: UInt32, _ signal: UInt8) throws(SystemError)
    func resize(_ number: UInt32, _ size: CommandCall.Size) throws(SystemError)
    /// Whoever has called is gone: the command ends with everything that it has started.
    func end(_ number: UInt32) throws(SystemError)
    /// Each call's once, in the order in which they came.
    func takeReports() -> [CommandReport]
    /// What is to be told besides, since the last time.
    func takeNotices() -> [JailNotice]
    /// The jail ends: so does everything that runs, before this returns or with this process.
    func endAll()
}

extension CommandRuns {
    func takeNotices() -> [JailNotice] { [] }
}
