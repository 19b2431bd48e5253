internal import Glibc
import JailCore
import JailLaunch
import JailPlan
import JailPolicy
import JailReview
import JailVerify

/// A jail that is started to be looked at, in a process of its own.
struct VerifyTwin {
    /// Of its supervisor.
    private let process: SharedDescriptor
    /// The probe stays until this ends.
    private let input: SharedDescriptor
    private let output: SharedDescriptor
    private let failures: SharedDescriptor
    private let plan: LaunchPlan

    /// Nanoseconds that the probe has for everything.
    private static let patience: Int64 = 120_000_000_000
    private static let mostBytes = 64 << 20

    init(_ plan: LaunchPlan) throws(JailError) {
        self.plan = plan
        let ends = try attempt(.supervise) { () throws(SystemError) in
            (try System.pipe().release(), try System.pipe().release(), try System.pipe().release())
        }
        let (inside, outside, failed) = ends
        let supervisor = try attempt(.supervise) { () throws(SystemError) in try System.fork() }
        if supervisor == 0 {
            for number in [inside.writeEnd, outside.readEnd, failed.readEnd] { System.close(number) }
            Self.supervise(plan, input: inside.readEnd, output: outside.writeEnd, failures: failed.writeEnd)
        }
        for number in [inside.readEnd, outside.writeEnd, failed.writeEnd] { System.close(number) }
        process = SharedDescriptor(
            try attempt(.supervise) { () throws(SystemError) in try System.openProcess(supervisor) })
        input = SharedDescriptor(OwnedDescriptor(inside.writeEnd))
        output = SharedDescriptor(OwnedDescriptor(outside.readEnd))
        failures = SharedDescriptor(OwnedDescriptor(failed.readEnd))
    }

    /// In the new process.
    private static func supervise(_ plan: LaunchPlan, input: Int32, output: Int32, failures: Int32) -> Never {
        do throws(JailError) {
            try attempt(.supervise) { () throws(SystemError) in
                try System.duplicate(Descriptor(input), to: 0, closeOnExec: false)
                try System.duplicate(Descriptor(output), to: 1, closeOnExec: false)
                let null = try System.open("/dev/null", .readWrite)
                try System.duplicate(null.borrowed, to: 2, closeOnExec: false)
            }
            System.close(input)
            System.close(output)
            var reporter = SilentReporter()
            Output.leave(try Supervisor.run(plan, reporter: &reporter))
        } catch {
            try? System.writeAll(Descriptor(failures), "\(error.status) \(error.description)")
            Output.leave(error.status)
        }
    }

    /// What the probe has found.
    ///
    /// - Throws: why the jail did not start.
    func report() throws(JailError) -> ProbeReport {
        let until = System.monotonicNanoseconds() + Self.patience
        var bytes: [UInt8] = []
        while bytes.last != 0x0A {
            let left = Int32(clamping: (until - System.monotonicNanoseconds()) / 1_000_000)
            var entries = [System.PollEntry(output.borrowed, System.PollEvents.readable)]
            try attempt(.supervise) { () throws(SystemError) in try System.poll(&entries, milliseconds: max(0, left)) }
            guard entries[0].returned != 0, bytes.count < Self.mostBytes else {
                throw JailError(.supervise, reason: "the probe in the jail does not come to an end")
            }
            let more = try attempt(.supervise) { () throws(SystemError) in
                try System.read(output.borrowed, most: 1 << 16)
            }
            guard !more.isEmpty else { throw failure() }
            bytes += more
        }
        guard let report = ProbeReport(bytes) else {
            throw JailError(.supervise, reason: "the probe in the jail did not report what it should")
        }
        return report
    }

    private func failure() -> JailError {
        let bytes = (try? System.readAll(failures.borrowed)) ?? []
        let words = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
        guard words.count == 2, let status = Int32(words[0]) else {
            return JailError(.supervise, reason: "the jail ended before the probe had reported")
        }
        return JailError(.supervise, said: String(words[1]), status: status)
    }

    /// Ends it, and removes what it had of its own.
    func end() {
        _ = input.take()
        var entries = [System.PollEntry(process.borrowed, System.PollEvents.readable)]
        try? System.poll(&entries, milliseconds: 5000)
        // The kernel takes the jail with it.
        if entries[0].returned == 0 { try? System.send(signal: SIGKILL, to: process.borrowed) }
        _ = try? System.wait(for: process.borrowed)
        if let data = plan.data, data.isOwn {
            try? System.unlink(data.source, isDirectory: data.enforcement == .watched)
        }
        if let review = plan.review { try? ReviewStore(review.directory).remove() }
        if let ledger = plan.network.egress?.spend?.ledger { try? System.unlink(ledger) }
    }
}

/// What a trial sets off is no news: limits are reached and requests denied on purpose. The log has it all.
struct SilentReporter: LaunchReporter {
    mutating func note(_ text: String) {}
    mutating func event(_ event: JSON) {}
}
