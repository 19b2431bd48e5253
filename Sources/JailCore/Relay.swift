/// Bytes on their way from one descriptor to another, at most ``capacity`` of them. Both are non-blocking, or polled
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

    package init(from source: Descriptor, to target: Descriptor) {
        self.source = source
        self.target = target
    }

    package var wantsToRead: Bool { state == .open && held.isEmpty }
    package var wantsToWrite: Bool { !held.isEmpty }

    /// One read, and as many writes as go. Returns how many bytes came in.
    @discardableResult
    package mutating func step(readable: Bool) -> Int {
        var received = 0
        if readable, wantsToRead {
            do {
                held = try System.read(source, most: Self.capacity)
                sent = 0
                received = held.count
                if held.isEmpty { state = .draining }
            } catch  where error.errno == .wouldBlock {
            } catch {
                // A terminal whose other side is gone says EIO, a connection that was reset ECONNRESET: the end.
                state = .draining
            }
        }
        flush()
        if state == .draining, held.isEmpty { state = .done }
        return received
    }

    /// Everything that the source still has, to the end. Only for a source that will end: its writer is gone.
    package mutating func drainCompletely() {
        while state == .open || wantsToWrite {
            let before = held.count - sent
            if step(readable: true) == 0, before == held.count - sent { return }
        }
    }

    private mutating func flush() {
        while sent < held.count {
            do { sent += try System.write(target, held[sent...]) } catch  where error.errno == .wouldBlock {
                return
            } catch {
                state = .failed
                break
            }
        }
        held.removeAll(keepingCapacity: false)
        sent = 0
    }
}
