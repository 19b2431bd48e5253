internal import JailApprovals
internal import JailCore
internal import JailPlan

/// Between the way out, which asks, and those who answer.
extension JailWatch {
    /// Takes what the way out has asked since the last time.
    func watchApprovals() {
        guard let approvals else { return }
        approvals.work()
        for asked in egress?.takeAsked() ?? [] {
            switch asked {
            case .request(let request, let waiter):
                if !approvals.ask(request, waiter: waiter) {
                    egress?.answer(waiter, .denied(.refused("it is nothing to be asked about")))
                }
            case .withdrawn(let waiter): approvals.withdraw(waiter, .wayOut)
            case .allWithdrawn: approvals.withdrawAll(.wayOut)
            }
        }
        for question in commands?.takeQuestions() ?? [] {
            switch question {
            case .asked(let words, let place, let why, let number):
                if !approvals.ask(command: words, place: place, why: why, waiter: UInt64(number)) {
                    unasked.append(number)
                }
            case .withdrawn(let number): approvals.withdraw(UInt64(number), .commands)
            }
        }
    }

    /// What was decided is in the log before anything comes of it.
    func tellApprovals(_ reporter: inout some LaunchReporter) {
        guard let approvals else { return }
        tell(approvals.takeNotices(), &reporter)
    }

    func answerApprovals() throws(SystemError) {
        for number in unasked {
            try commands?.answer(number, .denied(.refused("it is nothing to be asked about")))
        }
        unasked = []
        for (asker, number, answer) in approvals?.takeAnswers() ?? [] {
            switch asker {
            case .wayOut: egress?.answer(number, answer)
            case .commands: try commands?.answer(UInt32(truncatingIfNeeded: number), answer)
            case .sessions: break
            }
        }
    }

    func carry(out order: ApprovalOrder, for caller: SharedDescriptor) {
        guard let approvals else {
            return refuse(
                caller, ExitStatus.refused,
                "approvals: profile '\(plan.profile)' lets this jail ask for nothing; see 'approvals' in docs/approvals.md"
            )
        }
        withExtendedLifetime(caller) {
            do throws(SystemError) {
                switch approvals.carry(out: order, by: try System.peer(of: caller.borrowed).uid) {
                case .refused(let reason): refuse(caller, ExitStatus.refused, "approvals: \(reason)")
                case .done(let text): try System.send(caller.borrowed, ControlReply.state(text).bytes)
                case .queue(let queue):
                    let file = try System.makeMemoryFile("approvals", queue.bytes())
                    try System.send(caller.borrowed, ControlReply.file.bytes, descriptors: [file.borrowed])
                }
            } catch {
                // One that is gone hears nothing of it.
                refuse(caller, ExitStatus.launchFailed, JailError(.supervise, error).description)
            }
        }
    }
}
