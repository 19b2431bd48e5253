internal import EgressControl
internal import JailCore
internal import JailMounts
internal import JailNamespaces
internal import JailPlan
internal import JailPrivileges

/// PID 1 above the way out: gives up everything first, then starts `clawjail-egress`, tells how it ended, and starts it
/// again when asked.
///
/// It is there because the supervisor has no rights left to write id maps with when it starts one again; and because a
/// program that crashes as PID 1 may not end: signals that it raises for itself are not delivered.
enum EgressInit {
    /// What the supervisor gives to the clone.
    struct Inheritance {
        /// The socket to the supervisor, for ``ControlMessage``.
        var control: Descriptor
        /// `clawjail-egress`, open.
        var program: Descriptor
        /// Standard error of the program.
        var output: Descriptor
    }

    private static let control = Descriptor(4)
    private static let program = Descriptor(5)

    /// The cloned child's whole life.
    static func run(_ plan: LaunchPlan, _ egress: EgressPlan, _ inheritance: Inheritance) -> Never {
        var supervisor = inheritance.control
        do throws(SystemError) {
            try confine(plan, egress, inheritance, &supervisor)
            try serve(egress)
        } catch {
            // Nobody to tell if this fails; the supervisor then sees the exit.
            try? System.send(
                supervisor, ControlMessage(failure: Failure(stage: .egress, step: 0, error: error)).bytes)
            System.exitNow(ExitStatus.launchFailed)
        }
    }

    /// The order of confinement. What `clawjail-egress` adds by itself after the exec: Landlock and its filter.
    private static func confine(
        _ plan: LaunchPlan, _ egress: EgressPlan, _ inheritance: Inheritance, _ supervisor: inout Descriptor
    ) throws(SystemError) {
        // While the supervisor goes on with the launch. Nothing else before it has written the id maps.
        try System.unshare(EgressPlan.unshared)
        try awaitOrder(.proceed, supervisor)

        // While /proc/self is still ours, and there are files.
        try plan.namespaces.resetOutOfMemoryScore()
        try arrange(inheritance, &supervisor)
        try System.unshare(.cgroup)

        // From here on with the rights of that user alone, as the host sees them.
        try egress.identity.take()
        // After the ids, which clear it; and the supervisor may have died before it was set.
        try System.dieWithParent()
        if try System.pollNow(supervisor) != 0 { System.exitNow(ExitStatus.launchFailed) }
        try System.newSession()
        try System.joinAnonymousSessionKeyring()
        try System.resetScheduling()
        System.setFileModeMask(0o077)
        try System.setHostName("egress")
        try System.setProcessName("egress-init")

        try EmptyRoot.enter()
        try Privileges.apply(egress.resources)
        // After everything that needs them.
        try Privileges.dropCapabilities()
        try Privileges.forbidNewPrivileges()
        try System.setDumpable(false)
    }

    /// 0 and 1 lead nowhere, 2 to the supervisor, 4 is the control socket, 5 the program; nothing else is open.
    private static func arrange(
        _ inheritance: Inheritance, _ supervisor: inout Descriptor
    ) throws(SystemError) {
        let null = try System.open("/dev/null", .readWrite)
        // Above all the numbers that they will have, so that none is written over before it has moved.
        let moved = try [inheritance.control, inheritance.program, inheritance.output, null.borrowed].map {
            (descriptor) throws(SystemError) in
            try System.duplicate(descriptor, atLeast: 16).release()
        }
        try System.duplicate(Descriptor(moved[0]), to: control.number, closeOnExec: true)
        supervisor = control
        try System.duplicate(Descriptor(moved[1]), to: program.number, closeOnExec: true)
        try System.duplicate(Descriptor(moved[3]), to: 0, closeOnExec: false)
        try System.duplicate(Descriptor(moved[3]), to: 1, closeOnExec: false)
        try System.duplicate(Descriptor(moved[2]), to: 2, closeOnExec: false)
        _ = null.release()
        try System.closeRange(UInt32(EgressChannel.number), UInt32(EgressChannel.number))
        try System.closeRange(UInt32(program.number) + 1, .max)
    }

    @discardableResult
    private static func awaitOrder(
        _ kind: ControlMessage.Kind, _ supervisor: Descriptor
    ) throws(SystemError) -> [Int32] {
        let received = try System.receive(supervisor, most: ControlMessage.size, descriptors: 1)
        // The supervisor gave up: nothing to report, and nobody to report to.
        guard !received.bytes.isEmpty else { System.exitNow(ExitStatus.launchFailed) }
        guard let message = ControlMessage(received.bytes), message.kind == kind else {
            throw SystemError(.check, .invalid)
        }
        return received.descriptors
    }

    // MARK: Serving

    private static func serve(_ egress: EgressPlan) throws(SystemError) -> Never {
        while true {
            let pid = try spawn(egress)
            try System.send(control, ControlMessage(.started).bytes)
            switch try System.wait(forChild: pid) {
            case .exited(let status): try System.send(control, ControlMessage(.exited, value: status).bytes)
            case .signalled(let signal): try System.send(control, ControlMessage(.signalled, value: signal).bytes)
            }
        }
    }

    /// When the supervisor says so, with the channel that it gives.
    private static func spawn(_ egress: EgressPlan) throws(SystemError) -> Int32 {
        guard let number = try awaitOrder(.startGateway, control).first else { throw SystemError(.check, .invalid) }
        let received = OwnedDescriptor(number)
        // Away from the number that it gets in the program.
        let channel = try System.duplicate(received.borrowed, atLeast: program.number + 1)
        return try System.spawn(
            program, arguments: ["clawjail-egress"], environment: environment(egress), channel: channel.borrowed)
    }

    /// Swift's runtime looks for a program that prints backtraces when it starts, and gives up where there is no /proc to
    /// find itself through: unless it is told that there is none.
    private static func environment(_ egress: EgressPlan) -> [String] {
        ["CLAWJAIL_LANDLOCK=\(egress.landlockABI ?? 0)", "SWIFT_BACKTRACE=enable=no,swift-backtrace=/"]
    }
}
