internal import JailPolicy

/// The files of /proc that would show the host, as the jail's limits make them.
struct ProcFiles {
    let profile: Profile
    let facts: HostFacts
    let bootID: String

    /// Path and content. `keys` and `cmdline` are empty: the one lists keys of the same user, the other how the host
    /// was started.
    var all: [(String, String)] {
        [
            ("/proc/meminfo", memory),
            ("/proc/cpuinfo", facts.processorInfo.prefix(processors).map { $0 + "\n\n" }.joined()),
            ("/proc/loadavg", "0.00 0.00 0.00 1/1 1\n"),
            ("/proc/sys/kernel/random/boot_id", bootID + "\n"),
            ("/proc/keys", ""),
            ("/proc/cmdline", "\n"),
        ]
    }

    private var processors: Int {
        guard let limit = profile.limits.milliCPUs else { return facts.processors }
        return max(1, min(facts.processors, Int((limit + 999) / 1000)))
    }

    /// In the order and the widths of the kernel's own file (proc_meminfo(5)), for readers that count columns.
    private var memory: String {
        let total = min(profile.limits.memory ?? facts.memory, facts.memory) / 1024
        let swap = profile.limits.swap / 1024
        let lines: [(String, UInt64)] = [
            ("MemTotal", total), ("MemFree", total), ("MemAvailable", total), ("Buffers", 0), ("Cached", 0),
            ("SwapCached", 0), ("Active", 0), ("Inactive", 0), ("SwapTotal", swap), ("SwapFree", swap), ("Dirty", 0),
            ("Writeback", 0), ("AnonPages", 0), ("Mapped", 0), ("Shmem", 0), ("Slab", 0), ("SReclaimable", 0),
            ("SUnreclaim", 0),
        ]
        return lines.map { name, kilobytes in
            let label = name + ":"
            let number = String(kilobytes)
            let spaces = max(1, 24 - label.utf8.count - number.utf8.count)
            return label + String(repeating: " ", count: spaces) + number + " kB\n"
        }.joined()
    }
}
