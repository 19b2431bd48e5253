internal import Glibc
internal import JailCore

/// One program while it runs. It is killed with everything in its session when this ends, however that comes about.
final class ExecRun {
    private let provider: ExecProvider
    private let pid: Int32
    private let pidfd: SharedDescriptor
    private let output: SharedDescriptor
    private var buffer: SecretBytes
    private var filled = 0
    private var isReaped = false

    /// RLIMIT_NOFILE as a login gives it.
    private static let openFiles: UInt64 = 1024

    init(_ provider: ExecProvider, input: [UInt8]) throws(JailError) {
        self.provider = provider
        do throws(SystemError) {
            buffer = try SecretBytes(count: provider.mostOutput + 1)
            let request = try System.makeMemoryFile("request", input)
            // Read-only and from its beginning, whatever the offset of the one that was written to.
            let standardInput = try System.open("/proc/self/fd/\(request.borrowed.number)", .readOnly)
            let null = try System.open("/dev/null", .writeOnly)
            let (reading, writing) = try System.pipe().release()
            output = SharedDescriptor(OwnedDescriptor(reading))
            let writeEnd = OwnedDescriptor(writing)
            try System.setNonBlocking(output.borrowed)
            var surroundings = System.Surroundings(directory: .path("/"))
            surroundings.streams = [standardInput.borrowed, writeEnd.borrowed, null.borrowed]
            surroundings.openFiles = Self.openFiles
            surroundings.isApart = true
            pid = try System.spawn(Self.program(provider), surroundings)
            do throws(SystemError) { pidfd = SharedDescriptor(try System.openProcess(pid)) } catch {
                // Without one its end would never be seen.
                try? System.kill(-pid, SIGKILL)
                _ = try? System.wait(forChild: pid)
                throw error
            }
        } catch { throw provider.refusal("'\(provider.command.printable)': \(error.call.name): \(error.errno)") }
    }

    deinit { end() }

    private static func program(_ provider: ExecProvider) -> System.Program {
        var environment = provider.environment.map { "\($0.key)=\($0.value)" }.sorted()
        for name in provider.passEnvironment where provider.environment[name] == nil {
            if let value = System.environmentValue(name) { environment.append("\(name)=\(value)") }
        }
        return System.Program(
            path: provider.command, arguments: [provider.command] + provider.arguments, environment: environment)
    }

    /// Everything that it has written, once it has ended with 0.
    func answer() throws(JailError) -> KeptSecret {
        let how: Termination?
        do throws(SystemError) {
            try listen()
            how = try reap()
        } catch { throw failure(error) }
        guard let how, how.status == 0 else {
            throw provider.refusal("it ended with status \(how?.status ?? -1)")
        }
        return KeptSecret(try attempt(.secrets) { () throws(SystemError) in try buffer.part(0..<filled) })
    }

    /// Until it has ended. What others have that it started, and that hold its standard output, is not waited for.
    private func listen() throws(SystemError) {
        let deadline = System.monotonicNanoseconds() + Int64(provider.timeout) * 1_000_000
        let patience = Int64(provider.noOutputTimeout ?? provider.timeout) * 1_000_000
        var silentUntil = System.monotonicNanoseconds() + patience
        var isOpen = true
        while true {
            let now = System.monotonicNanoseconds()
            guard now < deadline else { throw SystemError(.check, Self.late) }
            guard now < silentUntil || !isOpen else { throw SystemError(.check, Self.silent) }
            let end = isOpen ? min(deadline, silentUntil) : deadline
            var entries = [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
            if isOpen { entries.append(System.PollEntry(output.borrowed, System.PollEvents.readable)) }
            try System.poll(&entries, milliseconds: Int32(clamping: (end - now) / 1_000_000 + 1))
            let ready = System.PollResult(entries)
            let hasEnded = ready[pidfd.borrowed] != nil
            while isOpen, hasEnded || ready[output.borrowed] != nil, let count = try takeSome() {
                isOpen = count > 0
                silentUntil = System.monotonicNanoseconds() + patience
            }
            if hasEnded { return }
        }
    }

    /// - Returns: bytes; 0: it has closed its end; nil: there are none just now.
    private func takeSome() throws(SystemError) -> Int? {
        do throws(SystemError) {
            let count = try System.read(output.borrowed, into: &buffer, at: filled)
            filled += count
            guard filled <= provider.mostOutput else { throw SystemError(.read, .tooLarge) }
            return count
        } catch {
            if error.errno == .wouldBlock { return nil }
            throw error
        }
    }

    /// What it has left behind in its session ends with it. Until it is reaped the number is nobody else's.
    private func reap() throws(SystemError) -> Termination? {
        try? System.kill(-pid, SIGKILL)
        let how = try System.reapIfEnded(pidfd.borrowed)
        isReaped = how != nil
        return how
    }

    private func end() {
        guard !isReaped else { return }
        isReaped = true
        try? System.kill(-pid, SIGKILL)
        _ = try? System.wait(for: pidfd.borrowed)
    }

    // ETIMEDOUT and ENODATA.
    private static let late = Errno(110)
    private static let silent = Errno(61)

    private func failure(_ error: SystemError) -> JailError {
        switch (error.call, error.errno) {
        case (.check, Self.late): provider.refusal("it has not answered within \(provider.timeout) ms")
        case (.check, Self.silent):
            provider.refusal("it has said nothing for \(provider.noOutputTimeout ?? provider.timeout) ms")
        case (.read, .tooLarge): provider.refusal("its answer is longer than \(provider.mostOutput) bytes")
        default: provider.refusal("\(error.call.name): \(error.errno)")
        }
    }
}
