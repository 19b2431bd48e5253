internal import JailCommands
internal import JailCore

/// Commands that run in the jail that asks, see ``Execs``: started by init, under every wall of the jail but the second domain of
/// Landlock, which keeps the jail's own command from them (``WithheldPlan``).
///
/// Nothing of the caller's reaches them but words that a rule allows, and three streams: program, environment and working
/// directory are the plan's and the rule's.
final class InnerCommandRuns: CommandRuns {
    /// Has init start something: a sealed ``ExecRequest``, three streams or none, and who is answered, see
    /// ``Execs/Purpose/command``.
    typealias Execute = (SharedDescriptor, [SharedDescriptor], SharedDescriptor) throws(SystemError) -> Void

    private let execute: Execute
    private var calls: [InnerCommand] = []
    private var reports: [CommandReport] = []

    /// At the same time.
    static let most = 64

    init(_ execute: @escaping Execute) { self.execute = execute }

    var pollEntries: [System.PollEntry] { calls.flatMap(\.pollEntries) }

    var due: Int64? { calls.compactMap(\.due).min() }

    func handle(_ ready: System.PollResult) throws(SystemError) {
        let now = System.monotonicNanoseconds()
        for call in calls { call.step(ready, now: now) }
        reports += calls.compactMap(\.report)
        calls.removeAll { $0.report != nil }
    }

    func start(
        _ call: CommandCall, streams: [SharedDescriptor], number: UInt32
    ) throws(SystemError) -> Bool {
        guard calls.count < Self.most, streams.count == 3 else { return false }
        do throws(SystemError) {
            let pair = try System.makeSocketPair(.sequencedPacket).release()
            let theirs = SharedDescriptor(OwnedDescriptor(pair.second))
            let command = try InnerCommand(
                call, streams: streams, number: number, connection: SharedDescriptor(OwnedDescriptor(pair.first)),
                now: System.monotonicNanoseconds())
            try System.setNonBlocking(theirs.borrowed)
            let file = SharedDescriptor(try System.makeMemoryFile("exec", InnerCommand.request(call).bytes))
            try execute(file, command.given, theirs)
            command.forgetGiven()
            calls.append(command)
            return true
        } catch {
            // A jail can bring about that there is no room; that must not end it.
            guard error.errno.isShortage else { throw error }
            return false
        }
    }

    private func call(_ number: UInt32) -> InnerCommand? { calls.first { $0.number == number } }

    func signal(_ number: UInt32, _ signal: UInt8) throws(SystemError) { call(number)?.signal(signal) }

    func resize(_ number: UInt32, _ size: CommandCall.Size) throws(SystemError) { try call(number)?.resize(size) }

    func end(_ number: UInt32) throws(SystemError) { call(number)?.abandon() }

    func takeReports() -> [CommandReport] {
        defer { reports = [] }
        return reports
    }

    /// Who is asked for the most, init, ends with the jail, and its children with it.
    func endAll() {
        for call in calls { call.abandon() }
        calls = []
    }
}

extension JailWatch {
    /// For the commands of this jail that run in it.
    func makeInnerRuns() -> InnerCommandRuns {
        InnerCommandRuns { [unowned self] (file, streams, caller) throws(SystemError) in
            try execs.execute(file, streams: streams, for: caller, in: group, purpose: .command, order)
        }
    }
}
