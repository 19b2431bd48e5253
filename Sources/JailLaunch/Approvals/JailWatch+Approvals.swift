internal import JailApprovals
internal import JailCore
internal import JailPlan

/// Between the way out, which asks, and those who answer.
extension JailWatch {
    /// Hears those who come through the deciders' door.
    func watchDeciders(_ ready: System.PollResult) throws(SystemError) {
        for (order, caller) in deciders?.handle(ready) ?? [] { try carry(out: order, for: caller, .deciders) }
    }

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
        for (command, input) in approvals.takeOutside() { startOutside(command, input) }
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
            case .sessions: sessions?.answer(number, answer)
            }
        }
    }

    /// - Parameter door: the socket that they have come through.
    func carry(
        out order: ApprovalOrder, for caller: SharedDescriptor, _ door: AccessDesk.Door
    ) throws(SystemError) {
        let decider: ApprovalDecider
        do throws(AccessDesk.Refusal) {
            decider = try admit(order, caller, door)
        } catch { return turnDown(error, caller) }
        switch order.action {
        case .pause, .resume, .stop: try handle(order, by: decider, caller)
        case .list, .approve, .deny, .revoke: decide(order, by: decider, caller)
        }
    }

    private func admit(
        _ order: ApprovalOrder, _ caller: SharedDescriptor, _ door: AccessDesk.Door
    ) throws(AccessDesk.Refusal) -> ApprovalDecider {
        let uid: UInt32
        do throws(SystemError) {
            uid = try withExtendedLifetime(caller) { () throws(SystemError) in try System.peer(of: caller.borrowed).uid
            }
        } catch { throw .init(status: ExitStatus.launchFailed, reason: "\(error.call.name): \(error.errno)") }
        return try access.admit(order.token, by: uid, through: door, to: order.action.ability)
    }

    private func decide(_ order: ApprovalOrder, by decider: ApprovalDecider, _ caller: SharedDescriptor) {
        guard let approvals else {
            return refuse(
                caller, ExitStatus.refused,
                "approvals: profile '\(plan.profile)' lets this jail ask for nothing; see 'approvals' in docs/approvals.md"
            )
        }
        withExtendedLifetime(caller) {
            do throws(SystemError) {
                switch approvals.carry(out: order, by: decider) {
                case .refused(let refusal): turnDown(refusal, caller)
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

    /// As whoever may do everything would, and written down with who and why.
    private func handle(
        _ order: ApprovalOrder, by decider: ApprovalDecider, _ caller: SharedDescriptor
    ) throws(SystemError) {
        let (what, request): (String, ControlRequest) =
            switch order.action {
            case .resume: ("resume", .resume)
            case .stop: ("stop", .stop)
            default: ("pause", .pause)
            }
        callersNotices.append(
            .event([
                "event": "approval", "what": .string(what), "by": .string(decider.text),
                "reason": .optional(order.reason),
            ]))
        // Nobody waits for the end here: it may take as long as the profile says.
        if case .stop = request {
            withExtendedLifetime(caller) { try? System.send(caller.borrowed, ControlReply.done.bytes) }
        }
        try answer(request, caller)
    }

    private func turnDown(_ refusal: AccessDesk.Refusal, _ caller: SharedDescriptor) {
        if let told = refusal.told {
            callersNotices.append(
                .event([
                    "event": "approval", "what": "refused", "by": .string(told.by), "reason": .string(told.reason),
                ]))
        }
        refuse(caller, refusal.status, "approvals: \(refusal.reason)")
    }
}
