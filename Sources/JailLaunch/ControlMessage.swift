internal import JailCore

/// What supervisor and init say to each other, over a socket pair that nothing else ever holds. Eight bytes, fixed.
///
/// Init is the supervisor's own code, but it lives beside the payload: what it sends is checked like anything that
/// comes out of the jail, and no message of its can make the supervisor do more than it was started for.
struct ControlMessage: Equatable {
    enum Kind: UInt8, CaseIterable {
        // Supervisor to init.
        /// The id maps are written: go on. Carries `detail` files named `tasks`, of the cgroups to enter
        /// on v1, then the mount of `/data`, if the supervisor made one (bit 0 of `index`), then the files of
        /// `TrustFile`, in the order of its cases (bit 1).
        case proceed = 1
        /// Send signal `value` to the command.
        case signal
        /// Make a TCP socket in the jail's namespace.
        case makeSocket
        /// Execute a further command, number `index`. Carries its ``ExecRequest``, the file to enter its control group by
        /// (bit 0 of `detail`), and three standard streams and the connection to the client, unless it gets a terminal
        /// (bit 1).
        case execute
        /// Send signal `detail` to the command that is number `index`; `value`: its process, if `executed` has told it.
        case signalExec
        /// Send signal `value` to everything that command number `index` has started. Carries the `cgroup.procs` of its
        /// group, if it has one.
        case signalGroup
        /// To the init of the way out: start a gateway. Carries the end of its channel.
        case startGateway
        /// Send signal `value` to every process of the jail but init.
        case signalAll

        // Init to supervisor.
        /// Stage `detail`, step `index`, call and errno in `value`: the launch failed.
        case failed
        /// The sockets of the way out, see `EgressSockets`; only if there is one, and before `ready`.
        case egressSockets
        /// The socket of `SessionsPlan`; only if there is one, and before `ready`.
        case sessionSocket
        /// The socket of `CommandsPlan`; only if there is one, and before `ready`.
        case commandSocket
        /// The walls stand. Carries the terminal's master, if there is one, and the tmpfs descriptors.
        case ready
        /// The command has been executed.
        case started
        /// Carries a socket.
        case socket
        /// The command exited with `value`.
        case exited
        /// The command was ended by signal `value`.
        case signalled
        /// Command number `index` runs, as process `value`. Carries its terminal's master, if it has one. Only for one with a
        /// terminal, and one in no control group: that no other could be started is told, and that it was, is not.
        case executed
        /// Command number `index` could not be executed: call and errno in `value`, as for `failed`.
        case notExecuted
        /// Command number `index` exited with `value`.
        case execExited
        /// Command number `index` was ended by signal `value`.
        case execSignalled
        /// `value` processes were found that command number `index` has started.
        case groupSignalled
        /// Nothing is left of command number `index`, where there is no control group. `value` 1: who watched over it was
        /// killed from inside, and what was left is nobody's.
        case execGone
        /// `signalAll` has been done.
        case allSignalled
    }

    var kind: Kind
    var detail: UInt8 = 0
    var index: UInt16 = 0
    var value: Int32 = 0

    static let size = 8

    var bytes: [UInt8] {
        let number = UInt32(bitPattern: value)
        return [
            kind.rawValue, detail, UInt8(index & 0xFF), UInt8(index >> 8), UInt8(number & 0xFF),
            UInt8(number >> 8 & 0xFF), UInt8(number >> 16 & 0xFF), UInt8(number >> 24),
        ]
    }

    init(_ kind: Kind, detail: UInt8 = 0, index: UInt16 = 0, value: Int32 = 0) {
        self.kind = kind
        self.detail = detail
        self.index = index
        self.value = value
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.size, let kind = Kind(rawValue: bytes[0]) else { return nil }
        self.kind = kind
        detail = bytes[1]
        index = UInt16(bytes[2]) | UInt16(bytes[3]) << 8
        value = Int32(
            bitPattern: UInt32(bytes[4]) | UInt32(bytes[5]) << 8 | UInt32(bytes[6]) << 16 | UInt32(bytes[7]) << 24)
    }

    init(failure: Failure) {
        self.init(
            .failed, detail: failure.stage.rawValue, index: failure.step, value: Self.value(failure.error))
    }

    init(notExecuted index: UInt16, _ error: SystemError) {
        self.init(.notExecuted, index: index, value: Self.value(error))
    }

    private static func value(_ error: SystemError) -> Int32 {
        Int32(error.call.rawValue) << 16 | (error.errno.rawValue & 0xFFFF)
    }

    /// Call and errno, if the message carries them and they make sense.
    var error: SystemError? {
        guard kind == .failed || kind == .notExecuted, let call = KernelCall(rawValue: UInt16(value >> 16 & 0x7FFF))
        else { return nil }
        return SystemError(call, Errno(value & 0xFFFF))
    }

    /// What failed, if that is what the message says and makes sense.
    var failure: Failure? {
        guard kind == .failed, let stage = Stage(rawValue: detail), let error else { return nil }
        return Failure(stage: stage, step: index, error: error)
    }
}

/// A failed step of the launch, small enough to cross a pipe. The supervisor makes the text from the plan it holds.
struct Failure: Error, Equatable {
    var stage: Stage
    var step: UInt16
    var error: SystemError
}
