internal import JailCore
internal import JailPlan
internal import JailPolicy

/// One call, as its keeper gets it from the runner: everything but the words stands in the plan.
struct CommandStart {
    let number: UInt32
    let rule: CommandRule
    let place: CommandsPlan.Place
    /// What follows the command's name.
    let words: [String]
    let terminal: CommandCall.Size?
    /// Of no other call that runs, from 1.
    let slot: Int

    /// Whoever it is run as, where that is somebody else than this process.
    var otherUser: HostIdentity? {
        guard case .host(let place) = place, place.isOther else { return nil }
        return place.user.identity
    }

    var isJail: Bool { if case .ownJail = place { true } else { false } }
}

/// Why a command does not begin.
struct CommandFailure: Error, Equatable {
    var status: Int32
    var reason: String

    init(_ reason: String, status: Int32 = ExitStatus.notExecutable) {
        self.status = status
        self.reason = reason
    }

    init(_ error: SystemError, _ what: String? = nil) {
        let subject = what.map { "'\($0)': " } ?? "\(error.call.name): "
        self.init(
            subject + "\(error.errno)",
            status: error.errno.isShortage ? ExitStatus.launchFailed : ExitStatus.notExecutable)
    }
}

extension CommandStart {
    /// The same, for calls whose failure needs no words of its own.
    static func step<Result: ~Copyable>(
        _ what: String? = nil, _ body: () throws(SystemError) -> Result
    ) throws(CommandFailure) -> Result {
        do throws(SystemError) { return try body() } catch { throw CommandFailure(error, what) }
    }
}
