package import JailCore

/// Tells the service manager how the service is, as sd_notify(3) describes it: datagrams to `NOTIFY_SOCKET`, of the
/// supervisor that systemd started and nobody else. Never waits; a full queue is tried again.
package final class ServiceNotifier {
    private let socket: SharedDescriptor
    /// As sendto(2) takes it.
    private let name: [UInt8]
    /// Nanoseconds between two signs of life: half of what the manager waits. nil: it wants none.
    private let pingInterval: Int64?
    private var nextPing: Int64?
    /// What did not fit into the queue yet, in order. Few: only what changes the service's state waits here.
    private var unsent: [String] = []
    private var nextTry: Int64 = 0
    private var notes: [String] = []
    private var hasFailed = false
    private var isReady = false
    private var isStopping = false

    /// Nanoseconds after which a full queue is tried again.
    private static let retryInterval: Int64 = 100_000_000
    /// Microseconds between two signs of life at most: what a manager asks for may be more than can be counted in nanoseconds.
    private static let longestInterval: Int64 = 1 << 40
    /// `sun_path` of unix(7).
    private static let longestName = 108
    /// Microseconds on top of a jail's own grace, for what is cleared away after its end.
    private static let margin: UInt64 = 30_000_000

    /// Whether a service manager has started this process.
    package static var isWanted: Bool { System.environmentValue("NOTIFY_SOCKET").map { !$0.isEmpty } ?? false }

    /// From the caller's environment; nil: no service manager wants to be told.
    ///
    /// - Parameter pid: of the process that will tell; others of the service do not count for the watchdog.
    package convenience init?(
        environment: (String) -> String? = System.environmentValue, pid: Int32 = System.processID
    ) throws(JailError) {
        guard let text = environment("NOTIFY_SOCKET"), !text.isEmpty else { return nil }
        var interval: Int64?
        if let limit = environment("WATCHDOG_USEC").flatMap({ Int64($0) }), limit > 0,
            environment("WATCHDOG_PID").map({ $0 == "\(pid)" }) ?? true
        {
            interval = min(max(1, limit / 2), Self.longestInterval) * 1000
        }
        try self.init(socket: text, pingInterval: interval)
    }

    /// - Parameters:
    ///   - text: an absolute path, or `@` and an abstract name.
    ///   - pingInterval: in nanoseconds.
    init(socket text: String, pingInterval: Int64?) throws(JailError) {
        var name = Array(text.utf8)
        guard (2...Self.longestName).contains(name.count), name[0] == UInt8(ascii: "/") || name[0] == UInt8(ascii: "@")
        else {
            throw JailError(
                .supervise, reason: "NOTIFY_SOCKET '\(text.printable)' is no path and no abstract name",
                hint: "systemd is not told how the jail is")
        }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        self.name = name
        self.pingInterval = pingInterval
        do throws(SystemError) { socket = SharedDescriptor(try System.makeUnixSocket(.datagram)) } catch {
            throw JailError(.supervise, error, path: text)
        }
    }

    // MARK: What is told

    /// The command has been started. What has a start period gets it from the manager as well.
    ///
    /// - Parameter period: milliseconds; nil: there is nothing to wait for.
    func starting(_ text: String, period: UInt64?) {
        guard let period else { return ready(text) }
        send("EXTEND_TIMEOUT_USEC=\(Self.microseconds(period) + Self.margin)\nSTATUS=\(text.printable)")
    }

    /// The first time it is up; later the text alone.
    func ready(_ text: String) {
        guard !isStopping else { return }
        send((isReady ? "" : "READY=1\n") + "STATUS=\(text.printable)")
        isReady = true
        resume()
    }

    /// It is not well: no more signs of life until ``ready(_:)``.
    func ailing(_ text: String) {
        guard !isStopping else { return }
        nextPing = nil
        send("STATUS=\(text.printable)")
    }

    /// - Parameter grace: milliseconds that the command has until it is killed.
    func stopping(_ text: String, grace: UInt64) {
        guard !isStopping else { return }
        isStopping = true
        nextPing = nil
        // The manager takes the longer one of this and its own time.
        send(
            "STOPPING=1\nEXTEND_TIMEOUT_USEC=\(Self.microseconds(grace) + Self.margin)\nSTATUS=\(text.printable)")
    }

    func takeNotes() -> [String] {
        defer { notes = [] }
        return notes
    }

    private func resume() {
        guard pingInterval != nil, nextPing == nil, !isStopping else { return }
        nextPing = System.monotonicNanoseconds()
    }

    private static func microseconds(_ milliseconds: UInt64) -> UInt64 {
        min(milliseconds, 1 << 40) * 1000
    }

    // MARK: Sending

    /// Monotonic nanoseconds at which ``work(now:)`` wants to be called.
    var due: Int64? { [unsent.isEmpty ? nil : nextTry, nextPing].compactMap(\.self).min() }

    /// Signs of life, and what is waiting.
    func work(now: Int64 = System.monotonicNanoseconds()) {
        if !unsent.isEmpty, now >= nextTry { flush(now) }
        guard let pingInterval, let next = nextPing, now >= next else { return }
        nextPing = now + pingInterval
        // One that does not fit is as good as sent: the queue is full of others.
        _ = transmit("WATCHDOG=1")
    }

    private func send(_ message: String) {
        unsent.append(message)
        flush(System.monotonicNanoseconds())
    }

    private func flush(_ now: Int64) {
        while let first = unsent.first, transmit(first) { unsent.removeFirst() }
        nextTry = now + Self.retryInterval
    }

    /// False if it must be tried again.
    private func transmit(_ message: String) -> Bool {
        do throws(SystemError) {
            try System.sendDatagram(socket.borrowed, to: name, Array(message.utf8))
        } catch {
            if error.errno.isShortage { return false }
            guard !hasFailed else { return true }
            hasFailed = true
            notes.append("the service manager cannot be told how the jail is: \(error.call.name): \(error.errno)")
        }
        return true
    }
}
