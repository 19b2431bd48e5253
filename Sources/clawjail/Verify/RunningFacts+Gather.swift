import AuditLog
import AuditViews
import JailCgroups
import JailCore
import JailLaunch
import JailPolicy
import JailVerify

extension RunningJailFacts {
    /// Looks at every process of a jail, from outside.
    static func gather(of jail: RunningJail, log: AuditLogs.Log) -> RunningJailFacts {
        var facts = RunningJailFacts()
        facts.namespaces = HostNamespaces.links(of: "self")
        // Anybody may read these, and no process of the jail's can change its supervisor's.
        let maps = ["self", "\(jail.supervisor)"].map { try? System.readFile("/proc/\($0)/uid_map") }
        facts.isBehindUserNamespace = maps[0] != nil && maps[1] != nil && maps[0] != maps[1]
        facts.group = jail.usage.map {
            GroupFigures(memory: $0.memoryLimit, processes: $0.processLimit, milliCPUs: $0.milliCPUs)
        }
        if jail.initProcess > 0 {
            var start = ProcessFacts.gather(of: jail.initProcess)
            start?.isInit = true
            // What has ended meanwhile is no process of it any more.
            facts.processes =
                [start].compactMap { $0 } + JailProcesses.commands(of: jail).compactMap(ProcessFacts.gather)
        }
        facts.log = (try? AuditReading.verify(log, heads: [])).map {
            LogFinding(isIntact: $0.isIntact && $0.signed > 0, events: [], denied: [])
        }
        do throws(JailError) {
            try AuditReading.entries(of: log) { (entry) throws(JailError) in
                if entry.event == "launch" { facts.recordedPlan = entry.text("plan") }
            }
        } catch { facts.recordedPlan = nil }
        return facts
    }
}

extension ProcessFacts {
    /// nil: it has ended.
    static func gather(of pid: Int32) -> ProcessFacts? {
        let status = ProcessStatus(pid: pid)
        guard !status.hasEnded else { return nil }
        var facts = ProcessFacts(pid: pid)
        facts.users = status.words("Uid")
        facts.groups = status.words("Gid")
        facts.supplementary = status.words("Groups")
        facts.capabilities = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].compactMap(status.text)
        facts.noNewPrivileges = status.text("NoNewPrivs")
        facts.seccomp = status.text("Seccomp")
        facts.filters = status.text("Seccomp_filters").flatMap { Int($0) }
        facts.namespaces = HostNamespaces.links(of: "\(pid)")
        facts.mounts = lines("/proc/\(pid)/mountinfo").compactMap(MountFinding.init(line:))
        facts.controlGroups = lines("/proc/\(pid)/cgroup")
        facts.interfaces = lines("/proc/\(pid)/net/dev").dropFirst(2).compactMap { line in
            line.split(separator: ":").first.map { String($0.drop { $0 == " " }) }
        }
        for line in lines("/proc/\(pid)/limits") {
            let words = line.split(separator: " ").map(String.init)
            if line.hasPrefix("Max open files"), words.count > 4 { facts.openFiles = [words[3], words[4]] }
            if line.hasPrefix("Max core file size"), words.count > 5 { facts.coreSize = [words[4], words[5]] }
        }
        // It ended while it was being looked at: what was read is of nothing.
        return ProcessStatus(pid: pid).hasEnded ? nil : facts
    }

    private static func lines(_ path: String) -> [String] {
        let bytes = (try? System.readFile(path, limit: 16 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").map(String.init)
    }
}
