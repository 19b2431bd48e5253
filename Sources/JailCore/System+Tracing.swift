internal import CLinux

/// Watching other processes, see ptrace(2). Nothing here changes one.
extension System {
    /// Options of PTRACE_SEIZE: stops at calls can be told from signals; what is started is traced as well; a program that is
    /// executed is seen; and everything is killed when the tracer ends, however it ends.
    private static let traceOptions: UInt = 0x1 | 0x2 | 0x4 | 0x8 | 0x10 | 0x10_0000

    /// Traces a process from now on, and everything that it starts.
    package static func seize(_ pid: Int32) throws(SystemError) {
        try check(.ptrace, cl_trace_seize(pid, traceOptions))
    }

    package enum TraceStep: Int32, Sendable {
        /// Up to the next stop that is no system call.
        case go = 0
        /// Up to the next system call, or the end of this one.
        case call = 1
        /// It stays stopped until somebody sends SIGCONT.
        case listen = 2
    }

    /// A thread that has ended meanwhile, or was killed, is no error: its end is still to be waited for.
    package static func resume(_ thread: Int32, _ step: TraceStep, signal: Int32 = 0) throws(SystemError) {
        let result = cl_trace_continue(thread, step.rawValue, signal)
        if result != -Errno.noProcess.rawValue { try check(.ptrace, result) }
    }

    /// Why a traced thread stands still, or that it is gone.
    package enum TraceStop: Equatable, Sendable {
        /// At the beginning or the end of a system call.
        case call
        /// It has started another process, or another thread of its own, whose id ``traceMessage(_:)`` says.
        case started(isThread: Bool)
        /// It executes a program now. If it was not the first thread, ``traceMessage(_:)`` says which it was.
        case executed
        /// It was stopped by SIGSTOP or the like, and is to stay so.
        case stopped
        /// New, or after SIGCONT.
        case begun
        /// This signal is on its way to it.
        case signal(Int32)
        case ended(Termination)

        /// From a status of wait(2).
        package init(status: Int32) {
            let signal = status >> 8 & 0xFF
            guard status & 0xFF == 0x7F else {
                self = .ended(status & 0x7F == 0 ? .exited(signal) : .signalled(status & 0x7F))
                return
            }
            // 5: SIGTRAP. Bit 7: PTRACE_O_TRACESYSGOOD.
            switch (status >> 16, signal) {
            case (_, 0x85): self = .call
            case (1, 5), (2, 5): self = .started(isThread: false)
            // PTRACE_EVENT_CLONE: what does not send SIGCHLD at its end.
            case (3, 5): self = .started(isThread: true)
            case (4, 5): self = .executed
            // PTRACE_EVENT_STOP
            case (128, 5): self = .begun
            case (128, _): self = .stopped
            case (0, _): self = .signal(signal)
            default: self = .begun
            }
        }
    }

    /// The next thing that happens to a traced thread; nil: nothing is traced any more.
    package static func nextTraceStop() throws(SystemError) -> (thread: Int32, stop: TraceStop)? {
        var status: Int32 = 0
        let result = unsafe cl_trace_wait(&status)
        // ECHILD
        if result == -10 { return nil }
        return (try check(.waitid, result), TraceStop(status: status))
    }

    /// nil: the thread is gone.
    package static func traceMessage(_ thread: Int32) -> UInt64? {
        var message: UInt64 = 0
        return unsafe cl_trace_message(thread, &message) < 0 ? nil : message
    }

    /// What a system call was made with.
    package struct TracedCall: Sendable {
        private let raw: CLinux.cl_trace_call

        fileprivate init(_ raw: CLinux.cl_trace_call) { self.raw = raw }

        package var number: UInt64 { raw.number }
        /// Six.
        package var arguments: [UInt64] {
            let all = raw.arguments
            return [all.0, all.1, all.2, all.3, all.4, all.5]
        }
        /// A call of another architecture (32 bits) has numbers of its own.
        package var isNative: Bool {
            #if arch(x86_64)
                raw.architecture == 0xC000_003E
            #elseif arch(arm64)
                raw.architecture == 0xC000_00B7
            #endif
        }
    }

    package enum CallStop: Sendable {
        case enters(TracedCall)
        /// The kernel's answer, as it is: -errno where it failed.
        case leaves(result: Int64, failed: Bool)
    }

    /// Of a thread at ``TraceStop/call``; nil: it is gone, or at none.
    package static func callStop(_ thread: Int32) -> CallStop? {
        var call = CLinux.cl_trace_call()
        guard unsafe cl_trace_call(thread, &call) >= 0 else { return nil }
        switch call.kind {
        case 1: return .enters(TracedCall(call))
        case 2: return .leaves(result: call.result, failed: call.failed != 0)
        default: return nil
        }
    }

    /// Up to `count` bytes of a traced thread's memory; fewer where a page is not there. Only of what this process traces.
    package static func tracedBytes(_ thread: Int32, at address: UInt64, most count: Int) -> [UInt8] {
        tracedBytes(thread, at: address, most: count) { _ in false }
    }

    /// Up to and without the first zero byte; nil: there is none within `limit`, or a page is not there.
    package static func tracedText(_ thread: Int32, at address: UInt64, limit: Int) -> [UInt8]? {
        let bytes = tracedBytes(thread, at: address, most: limit) { $0 == 0 }
        guard let end = bytes.firstIndex(of: 0) else { return nil }
        return Array(bytes[..<end])
    }

    private static func tracedBytes(
        _ thread: Int32, at address: UInt64, most count: Int, until isLast: (UInt8) -> Bool
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        // Whole words of the kernel's own alignment: none of them reaches over the end of a page.
        var next = address & ~7
        var skipped = Int(address & 7)
        while bytes.count < count {
            var word: UInt64 = 0
            guard unsafe cl_trace_word(thread, next, &word) >= 0 else { return bytes }
            for place in skipped..<8 {
                let byte = UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * place))
                bytes.append(byte)
                if bytes.count == count || isLast(byte) { return bytes }
            }
            skipped = 0
            let (following, isOver) = next.addingReportingOverflow(8)
            if isOver { return bytes }
            next = following
        }
        return bytes
    }
}
