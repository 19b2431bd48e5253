// The one way out of a jail, or of several. Started by clawjail, see docs/architecture.md; of no use by itself.

internal import EgressControl
internal import EgressGateway
internal import JailCore
internal import JailLandlock
internal import JailPlan
internal import JailSeccomp

/// One thread up to the gateway: Landlock and seccomp bind the thread that enters them and those that it makes.
let channel = EgressChannel(OwnedDescriptor(EgressChannel.number))
do throws(SystemError) {
    // First of all: until here another process of this user could have looked into this one.
    try System.setDumpable(false)
    try System.setProcessName("clawjail-egress")
    // What the root, which is empty, would not say already. 0: the plan does without.
    guard let text = System.environmentValue("CLAWJAIL_LANDLOCK"), let abi = Int32(text), abi >= 0 else {
        throw SystemError(.check, .invalid)
    }
    if abi > 0 {
        try EgressPlan.landlock(abi: abi).apply()
    }
    try System.setNoNewPrivileges()
    try EgressFilter.apply()
    guard let first = try channel.nextOrder() else { System.exitNow(ExitStatus.launchFailed) }
    Gateway.run(channel, first)
} catch {
    // Nobody to tell if this fails; the supervisor then sees the exit.
    try? channel.fail(error)
    System.exitNow(ExitStatus.launchFailed)
}
