internal import Glibc
import JailCore
import JailLaunch
import JailView

/// Between the terminal, the jails, and ``TopState``: one thread, one poll loop.
struct TopLoop {
    private static let signals = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGCONT, SIGWINCH]
    /// Milliseconds that supervisors have to answer: keys wait as long.
    private static let patience: Int64 = 300
    /// Requests without an answer; more are not made.
    private static let mostPending = 32

    private let screen = Screen()
    private let colours = Surroundings.wantsColours
    private let glyphs = Surroundings.glyphs
    private var state = TopState()
    /// Nanoseconds between two looks.
    private let interval: Int64
    private var nextLook: Int64 = 0
    private let signals: SharedDescriptor
    private var pending: [(request: TopState.Request, name: String, connection: SharedDescriptor)] = []

    init(interval: Int64, sort: TopState.Sort) throws(JailError) {
        self.interval = interval
        state.sort = sort
        state.hostName = Surroundings.hostName
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
        try draw()
        var entries = [
            System.PollEntry(.standardInput, System.PollEvents.readable),
            System.PollEntry(signals.borrowed, System.PollEvents.readable),
        ]
        entries += pending.map { System.PollEntry($0.connection.borrowed, System.PollEvents.readable) }
        let left = max(0, nextLook - System.monotonicNanoseconds()) / 1_000_000 + 1
        try System.poll(&entries, milliseconds: Int32(clamping: left))
        let ready = System.PollResult(entries)
        hear(ready)
        if ready[signals.borrowed] != nil, try !handleSignals() { return false }
        if ready[.standardInput] != nil, try !readKeys() { return false }
        return true
    }

    private mutating func look() {
        nextLook = System.monotonicNanoseconds() + interval
        state.now = System.realtimeSeconds()
        state.clockOffset = Surroundings.clockOffset(state.now)
        let jails = (try? RunningJail.all()) ?? []
        state.take(JailLook.samples(of: jails, patience: Self.patience))
        lookAtEvents()
    }

    private mutating func lookAtEvents() {
        guard state.showsDetails, let name = state.selected else { return }
        state.events = JailLook.events(of: name, patience: Self.patience) ?? state.events
    }

    private mutating func draw() throws(SystemError) {
        let size = screen.size
        let frame = TopFrame(state, rows: size.rows, columns: size.columns, glyphs)
        state.page = frame.page
        try screen.draw(frame.lines, colours: colours)
    }

    // MARK: Keys and signals

    private mutating func readKeys() throws(SystemError) -> Bool {
        let bytes = try System.read(.standardInput, most: 1024)
        if bytes.isEmpty { return false }
        let before = state.selected
        for key in Key.read(bytes) {
            switch state.press(key) {
            case .leave: return false
            case .suspend: try suspend()
            case .redraw: try screen.enter()
            case .ask(let request, let name): ask(request, name)
            case nil: break
            }
        }
        if state.selected != before || state.events == nil { lookAtEvents() }
        return true
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

    // MARK: Requests

    private mutating func ask(_ request: TopState.Request, _ name: String) {
        guard pending.count < Self.mostPending else { return state.message = "too many jails have not answered yet" }
        let asked: ControlRequest =
            switch request {
            case .pause: .pause
            case .resume: .resume
            case .stop: .stop
            case .kill: .kill
            }
        do throws(SystemError) {
            let address = try address(name)
            let connection = try RunDirectory.connect(to: "\(address.base)/\(address.name)")
            try System.send(connection.borrowed, asked.bytes)
            pending.append((request, name, connection))
            state.message = "\(request.rawValue) '\(name)': asked for"
        } catch {
            state.message = "\(request.rawValue) '\(name)': \(error.errno)"
        }
    }

    private func address(_ name: String) throws(SystemError) -> JailAddress {
        do { return try JailAddress(name) } catch { throw SystemError(.check, .invalid) }
    }

    /// Answers that have come. The end of a connection is one: that of a jail that was to end.
    private mutating func hear(_ ready: System.PollResult) {
        for (request, name, connection) in pending where ready[connection.borrowed] != nil {
            let bytes = (try? System.receive(connection.borrowed, most: ControlReply.sizeLimit).bytes) ?? []
            switch ControlReply(bytes) {
            case .refused(_, let text)?: state.message = text
            case .done?: state.message = "\(request.rawValue) '\(name)': done"
            default: state.message = "'\(name)' has ended"
            }
            nextLook = 0
        }
        pending.removeAll { ready[$0.connection.borrowed] != nil }
    }
}
