internal import Glibc
internal import JailCommands
internal import JailCore
internal import JailPolicy

/// One call of a command in the jail itself, from its start to the moment at which nothing of it is left.
final class InnerCommand {
    let number: UInt32
    /// What is asked of init, and the streams that the command gets; nothing once it was asked.
    private(set) var given: [SharedDescriptor] = []
    /// Where ``Execs`` answers.
    private let connection: SharedDescriptor
    private let input: SharedDescriptor
    private let rule: CommandRule
    private var outputs: [CommandOutput] = []
    /// The other end of the first output, until there is a terminal that writes to it.
    private var showing: SharedDescriptor?
    private var terminal: CommandTerminal?
    private var size: CommandCall.Size?
    /// Bytes that it may still write.
    private var left: UInt64
    /// Monotonic nanoseconds at which it is killed, or, once it was, given up.
    private var deadline: Int64
    private var isKilled = false
    private var status: Int32?
    private var isGone = false
    private var note: String?
    private(set) var report: CommandReport?

    /// Nanoseconds: longer than ``Execs`` tries to kill.
    private static let patience: Int64 = 15_000_000_000

    /// - Parameters:
    ///   - connection: one end of a pair; the other is the client that ``Execs`` knows.
    ///   - now: monotonic nanoseconds.
    init(
        _ call: CommandCall, streams: [SharedDescriptor], number: UInt32, connection: SharedDescriptor, now: Int64
    ) throws(SystemError) {
        self.number = number
        self.connection = connection
        rule = call.grant.rule
        input = streams[0]
        left = rule.outputSize
        size = call.terminal
        deadline = now + Int64(clamping: min(rule.timeout, 1 << 40) * 1_000_000)
        try System.setNonBlocking(connection.borrowed)
        if call.terminal != nil {
            showing = try addOutput(to: streams[1])
        } else {
            given = [input, try addOutput(to: streams[1]), try addOutput(to: streams[2])]
        }
    }

    /// - Returns: where it is written to.
    private func addOutput(to target: SharedDescriptor) throws(SystemError) -> SharedDescriptor {
        let ends = try System.pipe().release()
        let writing = SharedDescriptor(OwnedDescriptor(ends.writeEnd))
        outputs.append(try CommandOutput(from: SharedDescriptor(OwnedDescriptor(ends.readEnd)), to: target))
        return writing
    }

    /// The command has its streams now: that nobody writes to them any more can only be seen where they are not held.
    func forgetGiven() { given = [] }

    /// What init is asked for.
    static func request(_ call: CommandCall) -> ExecRequest {
        let rule = call.grant.rule
        var request = ExecRequest(arguments: call.grant.vector.map { Array($0.utf8) })
        request.program = Array(rule.program.utf8)
        request.environment = rule.environment.map { Array("\($0.name)=\($0.value)".utf8) }
        request.directory = rule.workingDirectory.map { Array($0.utf8) }
        request.terminal = call.terminal.map { TerminalSize(rows: $0.rows, columns: $0.columns) }
        return request
    }

    // MARK: Waiting

    var due: Int64? { report == nil ? deadline : nil }

    var pollEntries: [System.PollEntry] {
        guard report == nil else { return [] }
        let answers = isGone ? [] : [System.PollEntry(connection.borrowed, System.PollEvents.readable)]
        return answers
            + outputs.flatMap(\.pollEntries) + (terminal?.pollEntries ?? [])
    }

    func step(_ ready: System.PollResult, now: Int64) {
        guard report == nil else { return }
        if ready[connection.borrowed] != nil { hear() }
        terminal?.step(ready, isLast: isGone)
        passOutput(ready)
        if now >= deadline { runOut(now) }
        guard report == nil, isGone, let status, outputs.allSatisfy(\.isDone) else { return }
        report = .ended(number, status: status, note: note)
    }

    private func passOutput(_ ready: System.PollResult) {
        let isLast = isGone && showing == nil && terminal?.isShown != false
        for index in outputs.indices {
            guard !outputs[index].step(ready, left: &left, isLast: isLast) else { continue }
            for other in outputs.indices { outputs[other].drop() }
            kill(
                because:
                    "its output went beyond \(ByteSize.format(rule.outputSize)), which is all that its rule gives it")
        }
    }

    private func runOut(_ now: Int64) {
        if isKilled || isGone {
            let reason = isGone ? "nobody has read what it wrote" : "what it has started does not end"
            report = .ended(number, status: status ?? 128 + SIGKILL, note: note ?? reason)
        } else {
            kill(
                because: "it was not done within \(TimeSpan.format(rule.timeout)), which is all that its rule gives it")
        }
    }

    // MARK: Answers

    private func hear() {
        // What ends once all is gone is only the connection.
        while report == nil, !isGone {
            let received: (bytes: [UInt8], descriptors: [Int32])
            do throws(SystemError) {
                received = try System.receive(connection.borrowed, most: ControlReply.sizeLimit, descriptors: 1)
            } catch {
                if error.errno == .wouldBlock { return }
                received = ([], [])
            }
            let descriptors = received.descriptors.map { SharedDescriptor(OwnedDescriptor($0)) }
            take(received.bytes.isEmpty ? nil : ControlReply(received.bytes), descriptors)
            if received.bytes.isEmpty { return }
        }
    }

    /// - Parameter reply: nil: nobody answers any more, which only the end of the jail brings about.
    private func take(_ reply: ControlReply?, _ descriptors: [SharedDescriptor]) {
        switch reply {
        case .started:
            guard let master = descriptors.first, let showing else { return }
            do throws(SystemError) {
                terminal = try CommandTerminal(master: master, input: input, showing: showing)
                if let size { try terminal?.resize(size) }
            } catch { kill(because: "its terminal could not be opened: \(error.errno)") }
            self.showing = nil
        // Init says it as well as the supervisor.
        // Whoever was killed because of what it wrote may have had a broken pipe before: that is no end of its own.
        case .ended(let status): self.status = self.status ?? (isKilled ? 128 + SIGKILL : status)
        case .done: finish()
        case .refused(let status, let text):
            if self.status == nil {
                report = .failed(number, status: status, reason: text)
            } else {
                note = note ?? text
                finish()
            }
        default:
            status = status ?? 128 + SIGKILL
            note = note ?? "the jail has ended"
            finish()
        }
    }

    private func finish() {
        isGone = true
        // Of one that had a terminal and was ended before anybody heard of that.
        showing = nil
    }

    // MARK: Asking

    private func kill(because reason: String) {
        note = note ?? reason
        guard !isKilled, !isGone else { return }
        isKilled = true
        deadline = System.monotonicNanoseconds() + Self.patience
        say(0)
    }

    func signal(_ signal: UInt8) { if (1...64).contains(signal) { say(signal) } }

    /// One that cannot be said now is lost, as where a process gets the same signal twice; a kill is followed by the end of
    /// patience.
    private func say(_ byte: UInt8) { try? System.send(connection.borrowed, [byte]) }

    func resize(_ size: CommandCall.Size) throws(SystemError) {
        self.size = size
        try terminal?.resize(size)
    }

    /// Nobody waits for it any more.
    func abandon() {
        for index in outputs.indices { outputs[index].drop() }
        kill(because: "whoever called it is gone")
    }
}
