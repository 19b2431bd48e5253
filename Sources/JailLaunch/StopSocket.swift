internal import JailCore

/// Where `clawjail stop` asks: one byte, S for stop or K for kill. The connection stays open until the jail is gone, so
/// that whoever asked can wait for that.
struct StopSocket {
    enum Request: UInt8 {
        case stop = 0x53
        case kill = 0x4B
    }

    /// More callers at the same time wait in the listener's backlog.
    private static let mostCallers = 16

    private let listener: SharedDescriptor
    /// Accepted, and nothing heard yet.
    private var silent: [SharedDescriptor] = []
    private var waiting: [SharedDescriptor] = []

    init(_ listener: consuming OwnedDescriptor) { self.listener = SharedDescriptor(listener) }

    var pollEntries: [System.PollEntry] {
        var entries = silent.map { System.PollEntry($0.borrowed, System.PollEvents.readable) }
        if silent.count + waiting.count < Self.mostCallers {
            entries.append(.init(listener.borrowed, System.PollEvents.readable))
        }
        return entries
    }

    /// Takes new callers and hears those that speak. Others than this user and root are sent away.
    mutating func handle(_ ready: [Descriptor: Int16]) -> [Request] {
        if ready[listener.borrowed] != nil { accept() }
        var requests: [Request] = []
        for caller in silent where ready[caller.borrowed] != nil {
            silent.removeAll { $0 === caller }
            // A caller that says nothing, or something else, is let go.
            guard let byte = try? System.receive(caller.borrowed, most: 1).bytes.first,
                let request = Request(rawValue: byte)
            else { continue }
            waiting.append(caller)
            requests.append(request)
        }
        return requests
    }

    private mutating func accept() {
        while silent.count + waiting.count < Self.mostCallers {
            guard let caller = try? SharedDescriptor(accepting: listener.borrowed) else { return }
            guard let peer = try? System.peer(of: caller.borrowed), peer.uid == 0 || peer.uid == System.effectiveUserID
            else { continue }
            silent.append(caller)
        }
    }
}

extension SharedDescriptor {
    /// The next connection that waits at a listener; throws EAGAIN if there is none.
    fileprivate convenience init(accepting listener: Descriptor) throws(SystemError) {
        guard let accepted = try System.accept(listener) else { throw SystemError(.accept, .wouldBlock) }
        self.init(accepted)
    }
}
