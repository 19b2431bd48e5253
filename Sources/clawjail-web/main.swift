// The page to decide on. Started by 'clawjail approvals serve', see docs/approvals.md; of no use by itself.

internal import Glibc
internal import JailCore
internal import JailLandlock
internal import JailPage
internal import JailPageServer
internal import JailPlan
internal import JailPolicy
internal import JailSeccomp
internal import PageControl

func fail(_ text: String) -> Never {
    try? System.writeAll(.standardError, "clawjail-web: \(text)\n")
    System.exitNow(ExitStatus.launchFailed)
}

/// The port, the user to become (0: it stays who it is), the listeners, and names that are allowed besides.
let words = CommandLine.arguments.dropFirst()
guard words.count >= 3, let port = words.dropFirst(0).first.flatMap({ UInt16($0) }),
    let user = words.dropFirst(1).first.flatMap({ UInt32($0) }),
    let listeners = words.dropFirst(2).first.flatMap({ Int($0) }), (1...PageChannel.listeners.count).contains(listeners)
else { fail("it is started by 'clawjail approvals serve'") }

let hosts: PageHosts
do throws(ValueError) { hosts = try PageHosts(port: port, others: Array(words.dropFirst(3))) } catch {
    fail(error.reason)
}

// One thread up to here: Landlock and seccomp bind the thread that enters them and those that it makes.
do throws(SystemError) {
    // First of all: until here another process of this user could have looked into this one.
    try System.setDumpable(false)
    try System.setProcessName("clawjail-web")
    try System.dieWithParent()
    try System.ignore(SIGPIPE)
    if user != 0 {
        try System.setSupplementaryGroups([])
        try System.setGroup(user)
        try System.setUser(user)
        // Both end with another user.
        try System.setDumpable(false)
        try System.dieWithParent()
    }
    // Landlock asks for it, and so does seccomp.
    try System.setNoNewPrivileges()
    let abi = min(System.landlockABI(), LandlockPlan.mostABI)
    // As little as the way out: no file, no port to listen at, nobody of another domain.
    if abi > 0 { try EgressPlan.landlock(abi: abi).apply() }
    try PageFilter.apply()
} catch {
    fail(JailError(.supervise, error).description)
}

let site = PageSite(hosts: hosts, desk: DeskConnection(PageChannel(Descriptor(PageChannel.number))))
PageServer(site).start(listeners: Array(PageChannel.listeners.prefix(listeners))) { fail("\($0)") }
// Until whoever does what is asked here is gone. As root that one is of another user, and may not send a signal to this one, not
// even by its death.
var desk = [System.PollEntry(Descriptor(PageChannel.number), 0)]
do throws(SystemError) { while desk[0].returned == 0 { try System.poll(&desk, milliseconds: -1) } } catch {
    fail(JailError(.supervise, error).description)
}
System.exitNow(0)
