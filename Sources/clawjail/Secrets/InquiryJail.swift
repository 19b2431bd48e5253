internal import Glibc
import JailCore
import JailLaunch
import JailPlan

/// A jail that is started to hear what its command says, in a process of its own.
enum InquiryJail {
    /// Of an answer; the rest is not waited for.
    private static let mostBytes = 256 << 10
    /// Milliseconds; the client in the jail gives up before that.
    private static let patience: Int32 = 60_000

    /// What the command wrote on its standard output.
    static func run(_ plan: LaunchPlan) throws(JailError) -> [UInt8] {
        let (said, failed) = try attempt(.supervise) { () throws(SystemError) in
            (try System.pipe().release(), try System.pipe().release())
        }
        let supervisor = try attempt(.supervise) { () throws(SystemError) in try System.fork() }
        if supervisor == 0 {
            for number in [said.readEnd, failed.readEnd] { System.close(number) }
            supervise(plan, output: said.writeEnd, failures: failed.writeEnd)
        }
        for number in [said.writeEnd, failed.writeEnd] { System.close(number) }
        let output = OwnedDescriptor(said.readEnd)
        let failures = OwnedDescriptor(failed.readEnd)
        let process = try attempt(.supervise) { () throws(SystemError) in try System.openProcess(supervisor) }
        var bytes: [UInt8] = []
        var isOver = false
        while !isOver, bytes.count < mostBytes {
            var entries = [System.PollEntry(output.borrowed, System.PollEvents.readable)]
            try attempt(.supervise) { () throws(SystemError) in try System.poll(&entries, milliseconds: patience) }
            guard entries[0].returned != 0 else { break }
            let part = try attempt(.supervise) { () throws(SystemError) in
                try System.read(output.borrowed, most: 1 << 16)
            }
            isOver = part.isEmpty
            bytes += part
        }
        // The kernel takes the jail with it.
        if !isOver { try? System.send(signal: SIGKILL, to: process.borrowed) }
        let how = try attempt(.supervise) { () throws(SystemError) in try System.wait(for: process.borrowed) }
        let failure = try attempt(.supervise) { () throws(SystemError) in try System.readAll(failures.borrowed) }
        let words = String(decoding: failure, as: UTF8.self).split(separator: " ", maxSplits: 1)
        if words.count == 2, let status = Int32(words[0]) {
            throw JailError(.supervise, said: String(words[1]), status: status)
        }
        guard !bytes.isEmpty else {
            throw JailError(
                .secrets, reason: "the client in the jail said nothing, and ended with status \(how.status)")
        }
        return bytes
    }

    /// In the new process.
    private static func supervise(_ plan: LaunchPlan, output: Int32, failures: Int32) -> Never {
        do throws(JailError) {
            try attempt(.supervise) { () throws(SystemError) in
                let null = try System.open("/dev/null", .readWrite)
                try System.duplicate(null.borrowed, to: 0, closeOnExec: false)
                try System.duplicate(Descriptor(output), to: 1, closeOnExec: false)
                try System.duplicate(null.borrowed, to: 2, closeOnExec: false)
            }
            System.close(output)
            var reporter = SilentReporter()
            Output.leave(try Supervisor.run(plan, reporter: &reporter))
        } catch {
            // Nobody is left to tell if this fails.
            try? System.writeAll(Descriptor(failures), "\(error.status) \(error.description)")
            Output.leave(error.status)
        }
    }
}
