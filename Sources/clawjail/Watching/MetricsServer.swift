import ArgumentParser
internal import Glibc
import JailCore
import JailLaunch
import JailView

/// Serves metrics over HTTP: one thread, so many connections, so much time for each.
struct MetricsServer {
    private static let signals = [SIGHUP, SIGINT, SIGTERM]
    private static let mostConnections = 16
    /// Nanoseconds from the connection to the end of its answer.
    private static let patience: Int64 = 5_000_000_000
    /// Nanoseconds that one look serves: however often it is asked, supervisors are not asked more often.
    private static let freshness: Int64 = 500_000_000

    private struct Connection {
        let socket: SharedDescriptor
        let until: Int64
        var request: [UInt8] = []
        /// What is left of the answer; nil: the request is not complete.
        var answer: ArraySlice<UInt8>?
        var isOver = false
    }

    private let listener: SharedDescriptor
    private let signals: SharedDescriptor
    private let isNetwork: Bool
    private var connections: [Connection] = []
    private var text = ""
    private var textUntil: Int64 = 0

    init(_ place: MetricsPlace) throws(JailError) {
        isNetwork = place.isNetwork
        signals = try attempt(.supervise) { () throws(SystemError) in
            try System.ignore(SIGPIPE)
            try System.block(Self.signals)
            return SharedDescriptor(try System.signalDescriptor(Self.signals))
        }
        listener = try place.listen()
    }

    /// Until a signal ends it.
    mutating func run() throws(JailError) {
        do throws(SystemError) { while try step() {} } catch { throw JailError(.supervise, error) }
    }

    private mutating func step() throws(SystemError) -> Bool {
        var entries = [System.PollEntry(signals.borrowed, System.PollEvents.readable)]
        if connections.count < Self.mostConnections {
            entries.append(.init(listener.borrowed, System.PollEvents.readable))
        }
        for connection in connections {
            let events = connection.answer == nil ? System.PollEvents.readable : System.PollEvents.writable
            entries.append(.init(connection.socket.borrowed, events))
        }
        let now = System.monotonicNanoseconds()
        let due = connections.map(\.until).min()
        let wait = due.map { max(0, $0 - now) / 1_000_000 + 1 } ?? -1
        try System.poll(&entries, milliseconds: Int32(clamping: wait))
        let ready = System.PollResult(entries)
        if ready[signals.borrowed] != nil, try System.nextSignal(signals.borrowed) != nil { return false }
        for index in connections.indices where ready[connections[index].socket.borrowed] != nil { advance(index) }
        let later = System.monotonicNanoseconds()
        connections.removeAll { $0.isOver || $0.until <= later }
        if ready[listener.borrowed] != nil { accept(until: later + Self.patience) }
        return true
    }

    /// Where there are no descriptors left, those who wait are taken later.
    private mutating func accept(until: Int64) {
        while connections.count < Self.mostConnections, let socket = try? System.accept(listener.borrowed) {
            connections.append(Connection(socket: SharedDescriptor(socket), until: until))
        }
    }

    private mutating func advance(_ index: Int) {
        do throws(SystemError) {
            if connections[index].answer == nil { try read(index) }
            try write(index)
        } catch {
            if error.errno != .wouldBlock { connections[index].isOver = true }
        }
    }

    private mutating func read(_ index: Int) throws(SystemError) {
        let room = MetricsRequest.sizeLimit - connections[index].request.count
        let bytes = try System.read(connections[index].socket.borrowed, most: max(1, room))
        guard !bytes.isEmpty else { return connections[index].isOver = true }
        connections[index].request += bytes
        let request = connections[index].request
        connections[index].answer = MetricsRequest.answer(request, overNetwork: isNetwork) { metrics() }.map { $0[...] }
    }

    private mutating func write(_ index: Int) throws(SystemError) {
        guard let answer = connections[index].answer else { return }
        let count = try System.write(connections[index].socket.borrowed, answer)
        connections[index].answer = answer.dropFirst(count)
        if count == answer.count {
            connections[index].isOver = true
            // What it may have said besides would make a reset of the end, and a reset can overtake the answer.
            try System.shutdownWriting(connections[index].socket.borrowed)
            _ = try System.read(connections[index].socket.borrowed, most: MetricsRequest.sizeLimit)
        }
    }

    private mutating func metrics() -> String {
        let now = System.monotonicNanoseconds()
        if now >= textUntil {
            text = Metrics.text(
                JailLook.samples(of: (try? RunningJail.all()) ?? []), version: Clawjail.configuration.version)
            textUntil = System.monotonicNanoseconds() + Self.freshness
        }
        return text
    }
}
