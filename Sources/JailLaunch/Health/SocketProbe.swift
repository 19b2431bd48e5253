internal import JailCore
internal import JailPolicy

/// One connection to a port of the jail's, and with HTTP one question: what answers is the payload's, and no more of it is
/// believed than three digits.
final class SocketProbe {
    enum Outcome: Equatable {
        case pending
        case healthy
        /// Words of this file's, and at most a number of the jail's.
        case failed(String)
    }

    private let socket: SharedDescriptor
    private let port: UInt16
    /// nil: a connection is enough.
    private let request: [UInt8]?
    private var isConnected = false
    private var isSent = false
    private var heard: [UInt8] = []
    private(set) var outcome = Outcome.pending

    /// Of an answer: its first line is shorter.
    private static let mostHeard = 1024

    /// Starts to connect.
    ///
    /// - Parameter socket: one of the jail's network namespace. Whatever it is: nothing here waits for it.
    init(_ socket: consuming OwnedDescriptor, port: UInt16, path: String?) {
        self.socket = SharedDescriptor(socket)
        self.port = port
        request = path.map {
            Array(
                ("GET \($0) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nUser-Agent: clawjail\r\nAccept: */*\r\n"
                    + "Connection: close\r\n\r\n").utf8)
        }
        do throws(SystemError) {
            try System.setNonBlocking(self.socket.borrowed)
            isConnected = try System.connect(self.socket.borrowed, address: 0x7F00_0001, port: port)
            if isConnected { try begin() }
        } catch { outcome = Self.failure(error) }
    }

    var pollEntries: [System.PollEntry] {
        guard outcome == .pending else { return [] }
        return [
            System.PollEntry(socket.borrowed, isSent ? System.PollEvents.readable : System.PollEvents.writable)
        ]
    }

    func handle(_ ready: System.PollResult) {
        guard outcome == .pending, ready[socket.borrowed] != nil else { return }
        do throws(SystemError) {
            if !isConnected {
                try System.confirmConnected(socket.borrowed)
                isConnected = true
                try begin()
            } else {
                try hear()
            }
        } catch { outcome = Self.failure(error) }
    }

    /// What a connection of its own has room for goes out at once; a peer that takes less is none that works.
    private func begin() throws(SystemError) {
        // Where nothing listens on a port that the kernel gives away, a connection can come about with itself.
        guard try System.localPort(socket.borrowed) != port else { throw SystemError(.connect, .connectionRefused) }
        guard let request else {
            outcome = .healthy
            return
        }
        try System.send(socket.borrowed, request)
        isSent = true
    }

    /// One read for each time that something is there: a talker that never ends is cut off, and a slow one runs out of time.
    private func hear() throws(SystemError) {
        let part: [UInt8]
        do throws(SystemError) { part = try System.read(socket.borrowed, most: Self.mostHeard * 4) } catch {
            if error.errno == .wouldBlock { return }
            throw error
        }
        heard += part
        if let line = Self.firstLine(heard) {
            outcome = Self.judge(line)
        } else if part.isEmpty {
            outcome = .failed(heard.isEmpty ? "closed without an answer" : "the answer ends in its first line")
        } else if heard.count >= Self.mostHeard {
            outcome = .failed("the answer is not HTTP")
        }
    }

    private static func firstLine(_ bytes: [UInt8]) -> ArraySlice<UInt8>? {
        bytes.prefix(mostHeard).firstIndex(of: 0x0A).map { bytes[..<$0] }
    }

    /// `HTTP/1.1 200 …`, see RFC 9112, section 4.
    static func judge(_ line: ArraySlice<UInt8>) -> Outcome {
        let line = Array(line.last == 0x0D ? line.dropLast() : line)
        let digits = line.count >= 12 ? line[9..<12].map { Int($0) - 0x30 } : []
        guard line.starts(with: "HTTP/1.".utf8), line.count >= 12, [0x30, 0x31].contains(line[7]), line[8] == 0x20,
            digits.allSatisfy({ (0...9).contains($0) }), line.count == 12 || line[12] == 0x20
        else { return .failed("the answer is not HTTP") }
        let status = digits.reduce(0) { $0 * 10 + $1 }
        return (200...399).contains(status) ? .healthy : .failed("status \(status)")
    }

    private static func failure(_ error: SystemError) -> Outcome {
        .failed(error.errno == .connectionRefused ? "nothing listens" : "\(error.call.name): \(error.errno)")
    }
}
