internal import Glibc
import JailApprovals
import JailCore
import JailLaunch
import JailView

/// Between the terminal, the jails' queues, and ``ApprovalsState``: one thread, one poll loop.
struct ApprovalsLoop {
    private static let signals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH]
    /// Nanoseconds between two looks.
    private static let interval: Int64 = 1_000_000_000

    private let screen = Screen()
    private let colours = Surroundings.wantsColours
    private let token: String?
    private var state = ApprovalsState()
    private var nextLook: Int64 = 0
    private let signals: SharedDescriptor

    init(token: String?) throws(JailError) {
        self.token = token
        signals = try attempt(.supervise) { () throws(SystemError) in
            try System.block(Self.signals)
            return SharedDescriptor(try System.signalDescriptor(Self.signals))
        }
    }

    /// Until it is left, by whoever watches or by a signal.
    mutating func run() throws(JailError) {
        defer { screen.leave() }
        do throws(SystemError) {
            try screen.enter()
            while try step() {}
        } catch {
            // The terminal is gone: nobody watches.
            if [.inputOutput, .brokenPipe].contains(error.errno) { return }
            throw JailError(.supervise, error, path: "the terminal")
        }
    }

    /// False: it is to be left.
    private mutating func step() throws(SystemError) -> Bool {
        if System.monotonicNanoseconds() >= nextLook { look() }
        let size = screen.size
        try screen.draw(ApprovalsFrame(state, rows: size.rows, columns: size.columns).lines, colours: colours)
        var entries = [
            System.PollEntry(.standardInput, System.PollEvents.readable),
            System.PollEntry(signals.borrowed, System.PollEvents.readable),
        ]
        let left = max(0, nextLook - System.monotonicNanoseconds()) / 1_000_000 + 1
        try System.poll(&entries, milliseconds: Int32(clamping: left))
        let ready = System.PollResult(entries)
        if ready[signals.borrowed] != nil, try !handleSignals() { return false }
        if ready[.standardInput] != nil, try !readKeys() { return false }
        return true
    }

    private mutating func look() {
        nextLook = System.monotonicNanoseconds() + Self.interval
        do throws(JailError) { state.take(try ApprovalCall.queues(token: token)) } catch {
            state.message = error.description
        }
    }

    private mutating func readKeys() throws(SystemError) -> Bool {
        let bytes = try System.read(.standardInput, most: 1024)
        if bytes.isEmpty { return false }
        for key in Key.read(bytes) {
            switch state.press(key) {
            case .leave: return false
            case .suspend: try suspend()
            case .redraw: try screen.enter()
            case .decide(let entry, let decision): decide(entry, decision)
            case nil: break
            }
        }
        return true
    }

    private mutating func decide(_ entry: ApprovalsState.Entry, _ decision: ApprovalsState.Decision) {
        let action: ApprovalOrder.Action =
            switch decision {
            // Of the second of two: what the first one has said.
            case .once: .approve(entry.id, nil)
            case .minutes: .approve(entry.id, ApprovalTerms(time: 300_000))
            case .untilEnd: .approve(entry.id, ApprovalTerms())
            case .deny: .deny(entry.id)
            }
        do throws(JailError) {
            let text = try ApprovalCall.decide(entry.jail, action, reason: nil, token: token)
            look()
            state.message = "\(entry.jail) \(entry.id): \(text)"
        } catch {
            state.message = error.description
        }
    }

    private mutating func handleSignals() throws(SystemError) -> Bool {
        while let signal = try System.nextSignal(signals.borrowed) {
            switch signal {
            // A narrower window has wrapped what stood there.
            case SIGWINCH, SIGCONT: try screen.enter()
            case SIGTSTP: try suspend()
            default: return false
            }
        }
        return true
    }

    /// The shell has the terminal until it lets this process go on.
    private mutating func suspend() throws(SystemError) {
        screen.leave()
        try System.kill(Int32(System.processID), SIGSTOP)
        try screen.enter()
        nextLook = 0
    }
}
