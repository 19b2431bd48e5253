/// Bytes on their way from one descriptor to another, at most ``capacity`` of them. The source is non-blocking, or polled
/// before each step.
package struct Relay: Sendable {
    /// Bytes held at most: a stalled reader stops the writer.
    package static let capacity = 64 * 1024

    package enum State: Sendable {
        case open
        /// The source has ended; what is held still goes out.
        case draining
        /// Everything was passed on.
        case done
        /// The target takes no more.
        case failed
    }

    package let source: Descriptor
    package let target: Descriptor
    package private(set) var state = State.open
    private var held: [UInt8] = []
    private var sent = 0
    private let mayBlock: Bool

    /// PIPE_BUF: a pipe that is ready for writing takes this much without blocking, see pipe(7).
    private static let piece = 4096

    /// - Parameters:
    ///   - mayBlock: the target is somebody else's open file, which must not be made non-blocking: it is written
    ///     to in small pieces, and only where poll(2) said that there is room.
    ///   - first: what goes out before anything that is read.
    package init(from source: Descriptor, to target: Descriptor, mayBlock: Bool = false, first: [UInt8] = []) {
        self.source = source
        self.target = target
        self.mayBlock = mayBlock
        held = first
    }

    package var wantsToRead: Bool { state == .open && held.isEmpty }
    package var wantsToWrite: Bool { !held.isEmpty }

    /// Looks at what has come in before it goes on. False: it does not, and that is the end.
    package typealias Look = (ArraySlice<UInt8>) -> Bool
    /// Says what goes on of what has come in. nil: nothing does, and that is the end.
    package typealias Gate = ([UInt8]) -> [UInt8]?

    private static func gate(_ look: Look?) -> Gate? { look.map { look in { look($0[...]) ? $0 : nil } } }

    /// Reads and writes what poll(2) found possible. Returns how many bytes came in.
    @discardableResult
    package mutating func step(_ ready: System.PollResult, look: Look? = nil) -> Int {
        step(readable: ready[source] != nil, writable: ready[target] != nil, through: Self.gate(look))
    }

    /// One read, and as many writes as go. Returns how many bytes came in.
    @discardableResult
    package mutating func step(readable: Bool, writable: Bool = true, through gate: Gate? = nil) -> Int {
        var received = 0
        if readable, wantsToRead {
            do {
                held = try System.read(source, most: Self.capacity)
                sent = 0
                received = held.count
                if held.isEmpty {
                    state = .draining
                } else if let gate {
                    guard let passed = gate(held) else {
                        (held, state) = ([], .failed)
                        return received
                    }
                    held = passed
                }
            } catch  where error.errno == .wouldBlock {
            } catch {
                // A terminal whose other side is gone says EIO, a connection that was reset ECONNRESET: the end.
                state = .draining
            }
        }
        // What has just been read waits for poll's word on the target, if writing could block.
        if !mayBlock || (writable && received == 0) { flush() }
        if state == .draining, held.isEmpty { state = .done }
        return received
    }

    /// Everything that the source still has, to its end, as long as the target takes something at least once a second.
    /// Only for a source that will end: its writer is gone.
    package mutating func drainCompletely(look: Look? = nil) {
        drain(readPatience: 1000, writePatience: 1000, look)
    }

    /// Everything that the source holds at this moment, however long the target takes for it.
    package mutating func passOn(look: Look? = nil) { drain(readPatience: 0, writePatience: -1, look) }

    /// - Parameters: milliseconds for each step; -1: for ever.
    private mutating func drain(readPatience: Int32, writePatience: Int32, _ look: Look?) {
        while state == .open || (state == .draining && wantsToWrite) {
            let isWriting = wantsToWrite
            var entries = [
                System.PollEntry(
                    isWriting ? target : source, isWriting ? System.PollEvents.writable : System.PollEvents.readable)
            ]
            let patience = isWriting ? writePatience : readPatience
            guard (try? System.poll(&entries, milliseconds: patience)) != nil else { return }
            // Without an end to the patience it was only interrupted.
            if entries[0].returned == 0, patience >= 0 { return }
            step(readable: !isWriting, writable: isWriting, through: Self.gate(look))
        }
    }

    private mutating func flush() {
        while sent < held.count {
            let end = mayBlock ? min(held.count, sent + Self.piece) : held.count
            do { sent += try System.write(target, held[sent..<end]) } catch  where error.errno == .wouldBlock {
                return
            } catch {
                state = .failed
                break
            }
            if mayBlock { break }
        }
        guard sent >= held.count || state == .failed else { return }
        held.removeAll(keepingCapacity: false)
        sent = 0
    }
}
