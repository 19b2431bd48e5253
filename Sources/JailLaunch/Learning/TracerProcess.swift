internal import Glibc
internal import JailCore
internal import JailLearning
internal import JailPlan

/// A tracer, as the supervisor holds it.
final class TracerProcess {
    private let pid: Int32
    private let pidfd: SharedDescriptor
    /// What it has seen, once it has ended.
    private let output: SharedDescriptor
    private var isReaped = false

    /// Milliseconds that it has to begin, and to write when the jail has ended.
    private static let patience: Int32 = 10_000

    /// Forks, and returns when init is traced. Throws where it cannot be: nothing runs unwatched under `learn`.
    init(_ jailInit: Int32, _ rules: TraceRules, _ identity: IdentityPlan) throws(JailError) {
        let (ours, theirs) = try attempt(.learn) { () throws(SystemError) in
            try System.makeSocketPair(.sequencedPacket).release()
        }
        let channel = SharedDescriptor(OwnedDescriptor(ours))
        let output = try attempt(.learn) { () throws(SystemError) in
            SharedDescriptor(try System.makeMemoryFile("learned", [], sealed: false))
        }
        let pid = try attempt(.learn) { () throws(SystemError) in try System.fork() }
        if pid == 0 {
            // Whoever holds both ends of a socket never sees it end.
            System.close(channel.take().release())
            Tracer.run(
                jailInit, rules, identity, channel: theirs, output: output.borrowed.number)
        }
        System.close(theirs)
        self.pid = pid
        self.output = output
        do throws(SystemError) { pidfd = SharedDescriptor(try System.openProcess(pid)) } catch {
            try? System.kill(pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            throw JailError(.learn, error)
        }
        let said: [UInt8]
        do throws(SystemError) { said = try Self.answer(channel) } catch {
            kill()
            throw JailError(.learn, error)
        }
        guard said != [1] else { return }
        let how = kill()
        let reason =
            said.isEmpty
            ? "the tracer ended with status \(how?.status ?? 0)"
            : String(decoding: said.dropFirst(), as: UTF8.self).printable
        throw JailError(
            .learn, reason: "the jail cannot be traced: \(reason)",
            hint: "a kernel with kernel.yama.ptrace_scope=3 lets nobody trace")
    }

    /// What it says of its beginning; empty: nothing.
    private static func answer(_ channel: SharedDescriptor) throws(SystemError) -> [UInt8] {
        var entries = [System.PollEntry(channel.borrowed, System.PollEvents.readable)]
        try System.poll(&entries, milliseconds: patience)
        return entries[0].returned == 0 ? [] : try System.receive(channel.borrowed, most: 512).bytes
    }

    /// Waits for its end, and reads what it has seen. Nothing of the jail's is left by then.
    func finish() throws(JailError) -> LearnedRun {
        let how = try attempt(.learn) { () throws(SystemError) in
            var entries = [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: Self.patience)
            if entries[0].returned == 0 { try? System.kill(pid, SIGKILL) }
            isReaped = true
            return try System.wait(for: pidfd.borrowed)
        }
        guard how == .exited(0) else {
            throw JailError(.learn, reason: "the tracer was ended with status \(how.status), and the jail with it")
        }
        // From a process that reads what a jail has in its memory.
        let bytes = try attempt(.learn) { () throws(SystemError) in
            try System.readContent(output.borrowed, limit: ObservationFile.sizeLimit)
        }
        return try ObservationFile.read(bytes, file: "what the tracer says")
    }

    /// And what it traces with it. A second time does nothing.
    @discardableResult
    func kill() -> Termination? {
        guard !isReaped else { return nil }
        isReaped = true
        try? System.kill(pid, SIGKILL)
        return try? System.wait(forChild: pid)
    }

    deinit { kill() }
}
