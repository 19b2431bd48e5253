internal import Glibc
internal import JailCore
internal import JailPlan

/// One program of the host's while it runs.
final class HostCommandRun {
    let command: HostCommandPlan
    private let pid: Int32
    private let pidfd: SharedDescriptor
    /// The reading end of its standard error; nil once it has ended, or has said too much.
    private var errors: SharedDescriptor?
    /// The beginning of what it has said there.
    private var said: [UInt8] = []
    private var taken = 0
    private let deadline: Int64
    private var isLate = false

    /// Of standard error: what is kept for the message, what is read at most, and what is read in one turn.
    private static let mostSaid = 300
    private static let mostTaken = 64 << 10
    private static let piece = 4096
    /// RLIMIT_NOFILE as a login gives it: the supervisor's own is as high as it may be.
    private static let openFiles: UInt64 = 1024

    /// Starts it in a session of its own, in `/`, with no descriptor but its standard ones: what it is told on the first,
    /// nothing on the second, and the third is listened to for a reason. It is killed when this process ends.
    init(_ command: HostCommandPlan, input: [UInt8], environment: [String], now: Int64) throws(SystemError) {
        let text = try System.makeMemoryFile("input", input)
        // Read-only and from its beginning, whatever the offset of the one that was written to.
        let standardInput = try System.open("/proc/self/fd/\(text.borrowed.number)", .readOnly)
        let null = try System.open("/dev/null", .readWrite)
        let (reading, writing) = try System.pipe().release()
        let readEnd = OwnedDescriptor(reading)
        let writeEnd = OwnedDescriptor(writing)
        try System.setNonBlocking(readEnd.borrowed)
        var surroundings = System.Surroundings(directory: .path("/"))
        surroundings.streams = [standardInput.borrowed, null.borrowed, writeEnd.borrowed]
        surroundings.openFiles = Self.openFiles
        surroundings.isApart = true
        let program = System.Program(
            path: command.path, arguments: command.arguments, environment: environment)
        pid = try System.spawn(program, surroundings)
        do throws(SystemError) { pidfd = SharedDescriptor(try System.openProcess(pid)) } catch {
            // Without one its end would never be seen.
            try? System.kill(-pid, SIGKILL)
            _ = try? System.wait(forChild: pid)
            throw error
        }
        self.command = command
        errors = SharedDescriptor(readEnd)
        deadline = now + Int64(clamping: min(command.timeout, 1 << 40) * 1_000_000)
    }

    /// Monotonic nanoseconds at which its time is over; nil: it is, and the kernel is at it.
    var due: Int64? { isLate ? nil : deadline }

    var pollEntries: [System.PollEntry] {
        [System.PollEntry(pidfd.borrowed, System.PollEvents.readable)]
            + (errors.map { [System.PollEntry($0.borrowed, System.PollEvents.readable)] } ?? [])
    }

    enum Outcome: Equatable {
        case running
        case succeeded
        case failed(String)
    }

    func handle(_ ready: System.PollResult, now: Int64) -> Outcome {
        if let errors, ready[errors.borrowed] != nil { listen(errors) }
        if now >= deadline, !isLate {
            isLate = true
            killGroup()
        }
        guard ready[pidfd.borrowed] != nil || isLate else { return .running }
        return reap()
    }

    /// Ends it now, and waits for that.
    func end() {
        killGroup()
        _ = try? System.wait(for: pidfd.borrowed)
    }

    private func reap() -> Outcome {
        do throws(SystemError) {
            guard try hasEnded() else { return .running }
            // What it has left behind in its group ends with it. Until it is reaped the group's number is nobody else's.
            killGroup()
            guard let how = try System.reapIfEnded(pidfd.borrowed) else { return .running }
            if let errors { listen(errors) }
            return outcome(how)
        } catch { return .failed("\(error.call.name): \(error.errno)") }
    }

    /// It waits to be reaped.
    private func hasEnded() throws(SystemError) -> Bool {
        try System.pollNow(pidfd.borrowed, System.PollEvents.readable) & System.PollEvents.readable != 0
    }

    private func outcome(_ how: Termination) -> Outcome {
        if isLate { return .failed("not done within \(command.timeout) ms" + reason) }
        return switch how {
        case .exited(0): .succeeded
        case .exited(let status): .failed("exit status \(status)" + reason)
        case .signalled(let signal): .failed("ended by signal \(signal)" + reason)
        }
    }

    /// The first line of what it has said.
    private var reason: String {
        guard let line = said.split(separator: 0x0A).first else { return "" }
        return ": " + String(decoding: line, as: UTF8.self).printable
    }

    private func listen(_ pipe: SharedDescriptor) {
        do throws(SystemError) {
            let bytes = try System.read(pipe.borrowed, most: Self.piece)
            taken += bytes.count
            said += bytes.prefix(max(0, Self.mostSaid - said.count))
            if bytes.isEmpty || taken > Self.mostTaken { errors = nil }
        } catch {
            if error.errno != .wouldBlock { errors = nil }
        }
    }

    /// Whoever has left the group, as a daemon does, is not meant.
    private func killGroup() { try? System.kill(-pid, SIGKILL) }
}
