internal import JailCore

/// What a command writes to one of its streams, on its way to whoever called it: counted, and never waited for.
///
/// The target is the caller's, and so of the jail: it cannot be made non-blocking, and what poll(2) says of it another process may
/// have made untrue. Into a pipe bytes are spliced, which waits for nobody.
struct CommandOutput {
    private enum Kind { case pipe, file, nowhere }

    /// The reading end of a pipe of our own, non-blocking; nil once nothing comes any more, or nobody takes it: the command
    /// learns of that.
    private var source: SharedDescriptor?
    private let target: SharedDescriptor
    private let kind: Kind
    /// It has bytes, and the target has no room.
    private var isStalled = false

    var isDone: Bool { source == nil }

    /// Bytes of one step, and how many steps follow one another at most.
    private static let piece = 64 << 10
    private static let mostSteps = 16

    /// - Parameter target: as ``ExecStream`` lets it be.
    init(from source: SharedDescriptor, to target: SharedDescriptor) throws(SystemError) {
        try System.setNonBlocking(source.borrowed)
        self.source = source
        self.target = target
        kind =
            switch try System.status(of: target.borrowed).kind {
            case .fifo: .pipe
            case .regular: .file
            default: .nowhere
            }
    }

    var pollEntries: [System.PollEntry] {
        guard let source else { return [] }
        return isStalled
            ? [System.PollEntry(target.borrowed, System.PollEvents.writable)]
            : [System.PollEntry(source.borrowed, System.PollEvents.readable)]
    }

    /// Passes on what there is.
    ///
    /// - Parameters:
    ///   - left: bytes that the call may still write; made less.
    ///   - isLast: nobody is left who would write more.
    /// - Returns: false: it has written more than it may.
    mutating func step(_ ready: System.PollResult, left: inout UInt64, isLast: Bool) -> Bool {
        guard let source else { return true }
        let awaited = isStalled ? target.borrowed : source.borrowed
        guard isLast || ready[awaited] != nil else { return true }
        isStalled = false
        do throws(SystemError) {
            for _ in 0..<Self.mostSteps {
                guard left > 0 else {
                    // One byte more is too many; the end is not.
                    let isOver = try !System.read(source.borrowed, most: 1).isEmpty
                    self.source = nil
                    return !isOver
                }
                let count = try pass(source.borrowed, most: Int(min(left, UInt64(Self.piece))))
                left -= UInt64(count)
                if count == 0 {
                    self.source = nil
                    return true
                }
            }
        } catch {
            guard error.errno == .wouldBlock else {
                self.source = nil
                return true
            }
            isStalled = hasBytes(source.borrowed)
            if isLast, !isStalled { self.source = nil }
        }
        return true
    }

    /// What is still on its way is nobody's any more.
    mutating func drop() { source = nil }

    private func pass(_ source: Descriptor, most: Int) throws(SystemError) -> Int {
        switch kind {
        case .pipe: return try System.splice(from: source, to: target.borrowed, most: most)
        case .file:
            let bytes = try System.read(source, most: most)
            try System.writeAll(target.borrowed, bytes)
            return bytes.count
        case .nowhere: return try System.read(source, most: most).count
        }
    }

    private func hasBytes(_ source: Descriptor) -> Bool {
        ((try? System.pollNow(source, System.PollEvents.readable)) ?? 0) & System.PollEvents.readable != 0
    }
}
