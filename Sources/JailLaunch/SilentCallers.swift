internal import JailCore

/// Connections at a listener whose callers have said nothing yet: so many, and for so long.
struct SilentCallers {
    /// Nanoseconds that one has to say what it wants.
    private let patience: Int64
    private var silent: [(caller: SharedDescriptor, until: Int64)] = []

    init(patience: Int64) { self.patience = patience }

    var count: Int { silent.count }
    var callers: [SharedDescriptor] { silent.map(\.caller) }

    var pollEntries: [System.PollEntry] {
        silent.map { System.PollEntry($0.caller.borrowed, System.PollEvents.readable) }
    }

    /// Monotonic nanoseconds at which somebody has been silent for too long.
    var due: Int64? { silent.map(\.until).min() }

    /// Lets go of those whose time is over, and gives away those that have spoken. Before others are accepted, which may get
    /// numbers that were just given back.
    mutating func takeSpeaking(_ ready: System.PollResult) -> [SharedDescriptor] {
        let speaking = silent.filter { ready[$0.caller.borrowed] != nil }.map(\.caller)
        silent.removeAll { (caller, _) in speaking.contains { $0 === caller } }
        if !silent.isEmpty {
            let now = System.monotonicNanoseconds()
            silent.removeAll { $0.until <= now }
        }
        return speaking
    }

    /// Takes new ones as long as there is room, and gives away those that have spoken already, as most have by then.
    mutating func accept(
        _ listener: SharedDescriptor, room: Int, admitting admits: (SharedDescriptor) -> Bool = { _ in true }
    ) -> [SharedDescriptor] {
        var speaking: [SharedDescriptor] = []
        var left = room
        while left > 0, let accepted = try? System.accept(listener.borrowed) {
            let caller = SharedDescriptor(accepted)
            // Those that are turned away count as well: they could be without end.
            left -= 1
            guard admits(caller) else { continue }
            if (try? System.pollNow(caller.borrowed, System.PollEvents.readable)) != 0 {
                speaking.append(caller)
            } else {
                silent.append((caller, System.monotonicNanoseconds() + patience))
            }
        }
        return speaking
    }

    /// One that has said something, and has not said all.
    mutating func keep(_ caller: SharedDescriptor) {
        silent.append((caller, System.monotonicNanoseconds() + patience))
    }

    func contains(_ caller: SharedDescriptor) -> Bool { silent.contains { $0.caller === caller } }

    mutating func removeAll() { silent = [] }
}
