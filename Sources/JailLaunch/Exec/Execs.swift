internal import Glibc
internal import JailCgroups
internal import JailCore
internal import JailPlan

/// The supervisor's side of commands executed in a running jail: checks what callers ask, has init do it, and answers.
///
/// What comes from a caller is checked as if it came from inside a jail: with a gateway that makes sessions, it does.
final class Execs {
    private struct Exec {
        let index: UInt16
        let id: String?
        let program: String
        var client: SharedDescriptor?
        var leaf: CgroupLeaf?
        /// Without a control group: init's, above the command, tells when nothing is left.
        var isBelowReaper: Bool
        let hasTerminal: Bool
        let purpose: Purpose
        /// No news, and nothing of it stays.
        var isProbe: Bool { purpose == .probe }
        /// As init counts; 0 as long as it has not been told.
        var pid: Int32 = 0
        /// Signals that came before that, in order.
        var early: [UInt8] = []
        var hasEnded = false
        var kill: Kill?

        /// Over, and nothing that it started is left.
        var isGone: Bool { client == nil && hasEnded && leaf == nil && !isBelowReaper }
    }

    /// On whose behalf something is executed.
    enum Purpose {
        /// Somebody outside of the jail.
        case caller
        /// The supervisor's own question, see ``HealthWatch``.
        case probe
        /// A program of the jail, whose call was allowed, see ``InnerCommandRuns``: the news are its desk's. When it has ended
        /// everything that it has started is killed, and `done` or a refusal is said to the client; a byte of 0 does that
        /// before.
        case command
    }

    private struct Kill {
        var callers: [SharedDescriptor] = []
        /// Monotonic nanoseconds of the next round; nil while init is at it.
        var next: Int64? = 0
        var until: Int64
        var pause = Kill.shortest

        static let shortest: Int64 = 500_000
        static let longest: Int64 = 50_000_000
        static let patience: Int64 = 10_000_000_000
    }

    enum Notice {
        case started(program: String, id: String?, arguments: [String])
        case ended(program: String, id: String?, status: Int32)
        case refused(Int32, String)
        /// Processes that it had started are nobody's any more.
        case lost(program: String, id: String?)
        /// It was killed by SIGSYS, see seccomp(2).
        case forbidden(program: String, id: String?)
    }

    private let plan: LaunchPlan
    private let environment: [(name: [UInt8], text: [UInt8])]
    private var execs: [Exec] = []
    private var nextIndex: UInt16 = 0
    /// Leaves are numbered for good: the name of one that is still busy is not used again.
    private var nextLeaf = 0
    /// An empty one, for the next exec: making one takes a tenth of the time of an exec.
    private var spareLeaf: CgroupLeaf?
    private var notices: [Notice] = []
    /// Processes refused below groups of execs, see ``CgroupLeaf/takeRefused()``.
    private var refused: UInt64 = 0
    /// Seconds since the epoch at which something was executed, or ended.
    private(set) var lastUsed = System.realtimeSeconds()

    /// The jail stands still: init answers nothing, and kills wait.
    var isHeld = false {
        didSet {
            guard oldValue, !isHeld else { return }
            let until = System.monotonicNanoseconds() + Kill.patience
            for index in execs.indices { execs[index].kill?.until = until }
        }
    }

    /// At the same time, those with something left behind included.
    private static let most = 1024

    /// - Parameter variables: `NAME=value`, of the jail's environment and not of the plan's.
    init(_ plan: LaunchPlan, adding variables: [String] = []) {
        self.plan = plan
        environment = (plan.command.environment + variables).map { Self.named(Array($0.utf8)) }
    }

    /// How many run, or have left something behind; without the supervisor's own.
    var count: Int { execs.count { !$0.isProbe } }

    // MARK: Waiting

    var pollEntries: [System.PollEntry] {
        execs.compactMap { exec in
            exec.client.map { System.PollEntry($0.borrowed, System.PollEvents.readable) }
        }
    }

    /// Whether any of ``pollEntries`` is among these.
    func isReady(_ ready: System.PollResult) -> Bool {
        execs.contains { $0.client.map { ready[$0.borrowed] != nil } ?? false }
    }

    /// Monotonic nanoseconds at which ``handle(_:_:)`` wants to be called though nothing is ready.
    var due: Int64? { isHeld ? nil : execs.compactMap { $0.kill?.next }.min() }

    /// Sends an order to init; false if it takes no more at the moment.
    typealias Order = (ControlMessage, [SharedDescriptor]) throws(SystemError) -> Bool

    /// What clients say, and kills that are due.
    func handle(_ ready: System.PollResult, _ order: Order) throws(SystemError) {
        for index in execs.indices {
            if let client = execs[index].client, ready[client.borrowed] != nil { try hear(index, client, order) }
        }
        let now = System.monotonicNanoseconds()
        for index in execs.indices where !isHeld {
            if let next = execs[index].kill?.next, next <= now { try killRound(index, now, order) }
        }
        execs.removeAll { $0.kill == nil && $0.isGone }
    }

    /// Looks after what ended commands have left behind. Now and then.
    func tidy() {
        for index in execs.indices {
            refused += execs[index].leaf?.takeRefused() ?? 0
            if execs[index].hasEnded, execs[index].kill == nil { removeLeaf(index) }
        }
        refused += spareLeaf?.takeRefused() ?? 0
        execs.removeAll { $0.kill == nil && $0.isGone }
    }

    func takeNotices() -> [Notice] {
        defer { notices = [] }
        return notices
    }

    func takeRefused() -> UInt64 {
        defer { refused = 0 }
        return refused
    }

    // MARK: Requests

    func execute(
        _ file: SharedDescriptor, streams: [SharedDescriptor], for caller: SharedDescriptor, in group: Cgroup?,
        purpose: Purpose = .caller, _ order: Order
    ) throws(SystemError) {
        do throws(JailError) {
            let request = try read(file, streams, purpose)
            guard execs.count < Self.most, let index = freeIndex() else {
                throw JailError(
                    .exec, reason: "\(Self.most) commands run in this jail, or have left processes behind",
                    hint: "end some, with 'clawjail session kill'")
            }
            var exec = Exec(
                index: index, id: request.id, program: Self.text(request.arguments[0]), client: caller,
                isBelowReaper: group == nil, hasTerminal: request.terminal != nil, purpose: purpose)
            exec.leaf = try attempt(.cgroup) { () throws(SystemError) in try makeLeaf(group) }
            do throws(JailError) { try begin(request, exec, streams, order) } catch {
                _ = exec.leaf?.remove()
                throw error
            }
            execs.append(exec)
            guard purpose == .caller else { return }
            lastUsed = System.realtimeSeconds()
            notices.append(
                .started(program: exec.program, id: exec.id, arguments: Self.texts(request.arguments)))
        } catch {
            refuse(caller, error, purpose)
        }
    }

    /// Executes the supervisor's own question; false: that of the last time has not ended, or has left something behind
    /// that does not end.
    func probe(
        _ request: ExecRequest, for caller: SharedDescriptor, in group: Cgroup?, _ order: Order
    ) throws(SystemError) -> Bool {
        tidy()
        guard !execs.contains(where: \.isProbe) else { return false }
        do throws(SystemError) {
            let file = SharedDescriptor(try System.makeMemoryFile("exec", request.bytes))
            let null = SharedDescriptor(try System.open("/dev/null", .readWrite))
            try execute(file, streams: [null, null, null], for: caller, in: group, purpose: .probe, order)
        } catch {
            guard error.errno.isShortage else { throw error }
            reply(.refused(ExitStatus.launchFailed, "\(error.call.name): \(error.errno)"), to: caller)
        }
        return true
    }

    private func begin(
        _ request: ExecRequest, _ exec: Exec, _ streams: [SharedDescriptor], _ order: Order
    ) throws(JailError) {
        let sent = try attempt(.exec) { () throws(SystemError) in
            try send(request, exec, streams: streams, order)
        }
        guard sent else { throw JailError(.exec, reason: "the jail's init does not keep up", hint: "try again") }
    }

    private func refuse(_ caller: SharedDescriptor, _ error: JailError, _ purpose: Purpose = .caller) {
        if purpose == .caller { notices.append(.refused(error.status, error.description)) }
        reply(.refused(error.status, error.description), to: caller)
    }

    /// What cannot be told the caller sees as the end of the connection.
    private func reply(_ reply: ControlReply, to caller: SharedDescriptor, descriptors: [Descriptor] = []) {
        withExtendedLifetime(caller) {
            try? System.send(caller.borrowed, reply.bytes, descriptors: descriptors)
        }
    }

    private func read(
        _ file: SharedDescriptor, _ streams: [SharedDescriptor], _ purpose: Purpose
    ) throws(JailError) -> ExecRequest {
        let content = try attempt(.exec) { () throws(SystemError) in
            guard System.isSealed(file.borrowed) else { throw SystemError(.check, .invalid) }
            return try System.readContent(file.borrowed, limit: ExecRequest.sizeLimit)
        }
        guard let request = ExecRequest(bytes: content), purpose == .command || request.program == nil else {
            throw JailError(.usage, reason: "this is no request to execute a command")
        }
        if let id = request.id, execs.contains(where: { $0.id == id }) {
            throw JailError(
                .exec, reason: "an exec named '\(id)' runs here already", hint: "choose another --exec-id",
                status: ExitStatus.exists)
        }
        guard (request.terminal == nil) == (streams.count == 3) else {
            throw JailError(.usage, reason: "a command has either a terminal or three standard streams")
        }
        for stream in streams { try check(stream) }
        return request
    }

    private func check(_ stream: SharedDescriptor) throws(JailError) {
        let isGood = try attempt(.exec) { () throws(SystemError) in
            try withExtendedLifetime(stream) { () throws(SystemError) in try ExecStream.mayBeGiven(stream.borrowed) }
        }
        guard isGood else {
            throw JailError(
                .usage, reason: "a standard stream must be a pipe, a regular file or /dev/null",
                status: ExitStatus.refused)
        }
    }

    private func freeIndex() -> UInt16? {
        for _ in 0...Self.most {
            let index = nextIndex
            nextIndex &+= 1
            if !execs.contains(where: { $0.index == index }) { return index }
        }
        return nil
    }

    private func makeLeaf(_ group: Cgroup?) throws(SystemError) -> CgroupLeaf? {
        guard let group else { return nil }
        if let spare = spareLeaf {
            spareLeaf = nil
            return spare
        }
        defer { nextLeaf += 1 }
        return try CgroupLeaf(of: group, index: nextLeaf)
    }

    private func send(
        _ request: ExecRequest, _ exec: Exec, streams: [SharedDescriptor], _ order: Order
    ) throws(SystemError) -> Bool {
        var request = request
        request.environment = merged(request.environment)
        var descriptors = [SharedDescriptor(try System.makeMemoryFile("exec", request.bytes))]
        if let leaf = exec.leaf { descriptors.append(leaf.entryFile) }
        return try order(
            ControlMessage(
                .execute, detail: (exec.leaf == nil ? 0 : 1) | (request.terminal == nil ? 0 : 2), index: exec.index),
            // The client as well: init tells it the end itself.
            descriptors + streams + (request.terminal == nil ? exec.client.map { [$0] } ?? [] : []))
    }

    /// The jail's own environment, with the given one over it.
    private func merged(_ given: [[UInt8]]) -> [[UInt8]] {
        guard !given.isEmpty else { return environment.map(\.text) }
        var result = environment
        var places: [[UInt8]: Int] = [:]
        for (index, variable) in result.enumerated() { places[variable.name] = index }
        for text in given {
            let variable = Self.named(text)
            if let index = places[variable.name] {
                result[index] = variable
            } else {
                places[variable.name] = result.count
                result.append(variable)
            }
        }
        return result.map(\.text)
    }

    private static func named(_ text: [UInt8]) -> (name: [UInt8], text: [UInt8]) {
        (Array(text.prefix { $0 != UInt8(ascii: "=") }), text)
    }

    private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self).printable }

    /// As much of a command line as is told.
    private static func texts(_ arguments: [[UInt8]]) -> [String] {
        var texts: [String] = []
        var left = mostTold
        for argument in arguments {
            guard left > 0 else { return texts + ["…"] }
            let text = Self.text(Array(argument.prefix(left)))
            texts.append(argument.count > left ? text + "…" : text)
            left -= argument.count + 1
        }
        return texts
    }

    /// Bytes.
    private static let mostTold = 1024

    // MARK: Clients

    /// One byte is a signal for the command. The end of the connection is the end of everything that the command started:
    /// nobody waits for it any more.
    private func hear(_ index: Int, _ client: SharedDescriptor, _ order: Order) throws(SystemError) {
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try System.receive(client.borrowed, most: 1).bytes } catch {
            if error.errno == .wouldBlock { return }
            bytes = []
        }
        if let signal = bytes.first, (1...64).contains(signal) {
            // A full socket loses a signal, as a process does that gets the same one twice.
            if execs[index].isBelowReaper, execs[index].pid == 0 {
                // Its number is not known yet.
                if execs[index].early.count < 64 { execs[index].early.append(signal) }
            } else if !execs[index].hasEnded {
                _ = try order(
                    ControlMessage(.signalExec, detail: signal, index: execs[index].index, value: execs[index].pid), [])
            }
            return
        }
        if bytes.first == 0, execs[index].purpose == .command { return startKill(index) }
        execs[index].client = nil
        if !execs[index].hasEnded { startKill(index) }
    }

    /// Sends a signal to everything that an exec has started.
    func signal(_ id: String, _ signal: Int32, for caller: SharedDescriptor, _ order: Order) throws(SystemError) {
        tidy()
        guard let index = execs.firstIndex(where: { $0.id == id }) else {
            return refuse(
                caller,
                JailError(
                    .exec, reason: "no exec named '\(id)' runs here, or has left anything behind",
                    status: ExitStatus.notThere))
        }
        guard signal != 9 else { return startKill(index, for: caller) }
        let sent = try send(signal, toGroupOf: execs[index], order)
        reply(sent ? .done : .refused(ExitStatus.launchFailed, "exec: the jail's init does not keep up"), to: caller)
    }

    private func send(_ signal: Int32, toGroupOf exec: Exec, _ order: Order) throws(SystemError) -> Bool {
        var files: [SharedDescriptor] = []
        if let leaf = exec.leaf {
            do throws(SystemError) { files = [try leaf.openProcesses()] } catch {
                guard error.errno.isShortage else { throw error }
                return false
            }
        }
        return try order(ControlMessage(.signalGroup, index: exec.index, value: signal), files)
    }

    // MARK: Killing

    private func startKill(_ index: Int, for caller: SharedDescriptor? = nil) {
        var kill = execs[index].kill ?? Kill(until: System.monotonicNanoseconds() + Kill.patience)
        if let caller { kill.callers.append(caller) }
        execs[index].kill = kill
    }

    /// Kills what is there; the answer of init says whether there may be more.
    private func killRound(_ index: Int, _ now: Int64, _ order: Order) throws(SystemError) {
        guard var kill = execs[index].kill else { return }
        let exec = execs[index]
        if now > kill.until { return finishKill(index, gone: false) }
        if kill.pause == Kill.shortest { try execs[index].leaf?.prepareKill() }
        let sent = try send(9, toGroupOf: exec, order)
        kill.next = sent ? nil : now + kill.pause
        kill.pause = min(kill.pause * 2, Kill.longest)
        execs[index].kill = kill
    }

    private func finishKill(_ index: Int, gone: Bool) {
        for caller in execs[index].kill?.callers ?? [] {
            reply(
                gone
                    ? .done
                    : .refused(
                        ExitStatus.launchFailed, "exec: its processes do not end; 'clawjail stop --kill' ends the jail"
                    ), to: caller)
        }
        execs[index].kill = nil
        if gone { removeLeaf(index) }
    }

    private func removeLeaf(_ index: Int) {
        guard var leaf = execs[index].leaf, leaf.isEmpty else { return }
        execs[index].leaf = nil
        if spareLeaf == nil, leaf.isAsNew {
            spareLeaf = leaf
        } else {
            refused += leaf.takeRefused()
            _ = leaf.remove()
        }
    }

    // MARK: Init's answers

    /// Throws what init would never say.
    func take(
        _ message: ControlMessage, _ descriptors: [SharedDescriptor], _ order: Order
    ) throws(SystemError) {
        guard let index = execs.firstIndex(where: { $0.index == message.index }) else {
            // An answer about one that is gone: only of a kill that crossed its end.
            guard message.kind == .groupSignalled || message.kind == .execGone else {
                throw SystemError(.check, .invalid)
            }
            return
        }
        let exec = execs[index]
        switch message.kind {
        case .executed where exec.pid == 0 && message.value > 1 && descriptors.count <= 1:
            execs[index].pid = message.value
            for signal in exec.early {
                _ = try order(ControlMessage(.signalExec, detail: signal, index: exec.index, value: message.value), [])
            }
            if let client = exec.client, !descriptors.isEmpty {
                withExtendedLifetime(descriptors) {
                    reply(.started, to: client, descriptors: descriptors.map(\.borrowed))
                }
            }
        case .notExecuted where exec.pid == 0 && !exec.hasEnded:
            guard let error = message.error else { throw SystemError(.check, .invalid) }
            end(index, .refused(Self.status(error), failure(error, exec).description))
        case .execExited where !exec.hasEnded && (0...255).contains(message.value):
            end(index, .ended(message.value), byInit: !exec.hasTerminal)
        case .execSignalled where !exec.hasEnded && (1...64).contains(message.value):
            if message.value == SIGSYS, !exec.isProbe {
                notices.append(.forbidden(program: exec.program, id: exec.id))
            }
            end(index, .ended(128 + message.value), byInit: !exec.hasTerminal)
        case .execGone where exec.isBelowReaper:
            execs[index].isBelowReaper = false
            if message.value != 0, !exec.isProbe { notices.append(.lost(program: exec.program, id: exec.id)) }
            if !exec.hasEnded { end(index, .ended(128 + 9)) }
            if execs.indices.contains(index), execs[index].index == exec.index, execs[index].kill != nil {
                finishKill(index, gone: true)
            }
        case .groupSignalled:
            guard let kill = exec.kill else { return }
            // Those that were signalled may not have ended yet, or have left a child in the last moment.
            if message.value == 0, exec.hasEnded { return finishKill(index, gone: true) }
            execs[index].kill?.next = System.monotonicNanoseconds() + kill.pause
        default: throw SystemError(.check, .invalid)
        }
    }

    /// - Parameter byInit: init has told the client.
    private func end(_ index: Int, _ answer: ControlReply, byInit: Bool = false) {
        execs[index].hasEnded = true
        let purpose = execs[index].purpose
        if purpose == .caller { tell(answer, of: execs[index]) }
        let client = execs[index].client
        if let client, !byInit || purpose == .command { reply(answer, to: client) }
        execs[index].client = nil
        removeLeaf(index)
        if purpose == .command {
            if !execs[index].isGone || execs[index].kill != nil {
                startKill(index, for: client)
            } else if let client {
                reply(.done, to: client)
            }
        }
        if execs[index].isProbe, !execs[index].isGone { startKill(index) }
        if execs[index].isGone, execs[index].kill == nil { execs.remove(at: index) }
    }

    private func tell(_ answer: ControlReply, of exec: Exec) {
        lastUsed = System.realtimeSeconds()
        switch answer {
        case .ended(let status): notices.append(.ended(program: exec.program, id: exec.id, status: status))
        case .refused(let status, let text): notices.append(.refused(status, text))
        default: break
        }
    }

    private static func status(_ error: SystemError) -> Int32 {
        guard error.call == .execve else { return ExitStatus.launchFailed }
        switch error.errno {
        case .notFound: return ExitStatus.notFound
        case .accessDenied, .notPermitted, .notExecutableFormat: return ExitStatus.notExecutable
        default: return ExitStatus.launchFailed
        }
    }

    private func failure(_ error: SystemError, _ exec: Exec) -> JailError {
        switch (error.call, error.errno) {
        case (.execve, .notFound):
            JailError(
                .exec, error, path: exec.program,
                hint: "the program or its interpreter is not visible inside: list it in process.programs of a profile "
                    + "that extends '\(plan.profile)'", status: ExitStatus.notFound)
        case (.execve, _):
            JailError(
                .exec, error, path: exec.program, hint: "it is there and cannot be executed", status: Self.status(error)
            )
        case (.openat2, .crossDevice):
            JailError(
                .exec, error, path: "the working directory",
                hint: "a symlink or '..' leads out of the mount that it lies in; name the place that it leads to")
        case (.openat2, _):
            JailError(
                .exec, error, path: "the working directory", hint: "it must be a directory that is visible inside")
        default: JailError(.exec, error, path: exec.program)
        }
    }
}
