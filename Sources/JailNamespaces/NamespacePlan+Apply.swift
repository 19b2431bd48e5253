package import JailCore
package import JailPlan

extension NamespacePlan {
    /// Init, first of all: the rest of the namespaces. The user namespace that the clone made owns them.
    package func makeOwn() throws(SystemError) { try System.unshare(unshared) }

    /// Init, once it is in its cgroup: that one is the root of what the jail sees of the hierarchy.
    package func enterCgroupNamespace() throws(SystemError) { try System.unshare(.cgroup) }

    /// Init: makes the time namespace that the command will enter. Its clocks start at zero: how long the host has been
    /// up says when it was last patched, and tells machines apart.
    ///
    /// Before the ids change, because that makes /proc/self/timens_offsets root's; before anything forks, because the
    /// first process to enter freezes the offsets, see time_namespaces(7).
    package func startClocks() throws(SystemError) {
        guard time else { return }
        try System.unshare(.time)
        let monotonic = System.monotonicNanoseconds() / 1_000_000_000
        let boottime = System.boottimeNanoseconds() / 1_000_000_000
        let file = try System.open("/proc/self/timens_offsets", .writeOnly)
        try System.writeAll(file.borrowed, "monotonic -\(monotonic) 0\nboottime -\(boottime) 0\n")
        // Init enters as well: before Linux 6.3 a process with another time namespace for its children cannot vfork.
        let mine = try System.open("/proc/self/ns/time_for_children", .readOnly)
        try System.enter(mine.borrowed, .time)
    }

    /// A caller that the kernel is never to kill for memory has not asked that for the jail. While /proc/self is ours.
    package func resetOutOfMemoryScore() throws(SystemError) {
        let file = try System.open("/proc/self/oom_score_adj", .readWrite)
        let text = String(decoding: try System.read(file.borrowed, most: 16), as: UTF8.self)
        if text.hasPrefix("-") { try System.writeAll(file.borrowed, "0") }
    }

    package func nameHost() throws(SystemError) { try System.setHostName(hostName) }
}
