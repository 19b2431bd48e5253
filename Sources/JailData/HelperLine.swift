internal import Glibc
internal import JailCore

/// Two helpers, the first one's output being the second one's input. The bytes pass through here, where they are counted, and
/// cut off where they become more than they may be.
struct HelperLine {
    struct Outcome {
        var first: Termination
        var second: Termination
        /// Bytes that passed.
        var count: UInt64 = 0
        /// What they said, on one line, shortened: names in it are a payload's.
        var said = ""
    }

    let first: Helper
    let second: Helper

    /// Of what helpers say, so many bytes are kept.
    static let mostSaid = 2000

    /// - Parameters:
    ///   - most: bytes that may pass; nil: any number. One more ends both.
    /// - Throws: if one of them cannot be started, or the number is exceeded.
    func run(
        input: Descriptor, output: Descriptor, most: UInt64? = nil
    ) throws(JailError) -> Outcome {
        let programs = (try first.tool.found(), try second.tool.found())
        return try attempt(.data) { () throws(SystemError) in
            // Whoever stops reading is no reason to end.
            try System.ignore(SIGPIPE)
            let source = Ends(try System.pipe())
            let target = Ends(try System.pipe())
            let errors = Ends(try System.pipe())
            let one = try first.start(
                programs.0, input: input, output: source.write.borrowed, errors: errors.write.borrowed)
            let two: Int32
            do throws(SystemError) {
                two = try second.start(
                    programs.1, input: target.read.borrowed, output: output, errors: errors.write.borrowed)
            } catch {
                try? System.kill(one, SIGKILL)
                _ = try? System.wait(forChild: one)
                throw error
            }
            for end in [source.write, target.read, errors.write] { end.close() }
            defer { withExtendedLifetime((source, target, errors)) {} }
            var outcome = Outcome(first: .exited(0), second: .exited(0))
            let failure = Self.pass(source.read, target.write, errors.read, most, &outcome)
            if failure != nil { for pid in [one, two] { try? System.kill(pid, SIGKILL) } }
            outcome.first = try System.wait(forChild: one)
            outcome.second = try System.wait(forChild: two)
            if let failure { throw failure }
            return outcome
        }
    }

    private struct Ends {
        let read: SharedDescriptor
        let write: SharedDescriptor

        init(_ pipe: consuming Pipe) {
            let (read, write) = pipe.release()
            self.read = SharedDescriptor(OwnedDescriptor(read))
            self.write = SharedDescriptor(OwnedDescriptor(write))
        }
    }

    /// Until the source has ended, and nobody can say anything any more.
    private static func pass(
        _ source: SharedDescriptor, _ target: SharedDescriptor, _ errors: SharedDescriptor, _ most: UInt64?,
        _ outcome: inout Outcome
    ) -> SystemError? {
        var said: [UInt8] = []
        defer { outcome.said = shortened(said) }
        do throws(SystemError) {
            try System.setNonBlocking(target.borrowed)
            var relay = Relay(from: source.borrowed, to: target.borrowed)
            var isOpen = true
            while true {
                var entries = [System.PollEntry(errors.borrowed, System.PollEvents.readable)]
                if isOpen, relay.wantsToRead { entries.append(.init(source.borrowed, System.PollEvents.readable)) }
                if isOpen, relay.wantsToWrite { entries.append(.init(target.borrowed, System.PollEvents.writable)) }
                try System.poll(&entries, milliseconds: -1)
                let ready = System.PollResult(entries)
                if isOpen {
                    outcome.count += UInt64(
                        relay.step(readable: ready[source.borrowed] != nil, writable: ready[target.borrowed] != nil))
                    if let most, outcome.count > most { throw SystemError(.check, .tooLarge) }
                    if relay.state == .done || relay.state == .failed {
                        isOpen = false
                        // The one sees the end of its input, the other that nobody wants its output.
                        for end in [source, target] { end.close() }
                    }
                }
                if ready[errors.borrowed] != nil {
                    let part = try System.read(errors.borrowed, most: 4096)
                    if part.isEmpty { return nil }
                    said += part.prefix(max(0, mostSaid - said.count))
                }
            }
        } catch { return error }
    }

    static func shortened(_ said: [UInt8]) -> String {
        let lines = String(decoding: said, as: UTF8.self).split(separator: "\n").map { String($0).printable }
        return lines.prefix(3).joined(separator: "; ") + (lines.count > 3 ? "; …" : "")
    }
}

extension SharedDescriptor {
    func close() { _ = take() }
}
