import AuditLog
import AuditViews
import JailCgroups
import JailCore
import JailLaunch
import JailPlan
import JailPolicy
import JailVerify

extension OutsideFacts {
    /// While the probe waits in the jail.
    static func gather(of plan: LaunchPlan, _ listeners: VerifyListeners) -> OutsideFacts {
        var facts = OutsideFacts()
        facts.namespaces = HostNamespaces.links(of: "self")
        facts.bootID = text("/proc/sys/kernel/random/boot_id")
        if case .running(let state) = RunDirectory.presence(of: plan.name, in: plan.runtimeDirectory),
            let running = RunningJail(name: plan.name, state: state)
        {
            if let pid = JailProcesses.commands(of: running).first {
                let status = ProcessStatus(pid: pid)
                facts.users = status.words("Uid")
                facts.groups = status.words("Gid")
            }
            facts.group = running.usage.map {
                GroupFigures(memory: $0.memoryLimit, processes: $0.processLimit, milliCPUs: $0.milliCPUs)
            }
        }
        facts.published = plan.network.publish.prefix(1).map { PublishedFinding(trying: $0) }
        facts.arrivals = listeners.arrivals()
        return facts
    }

    private static func text(_ path: String) -> String {
        let bytes = (try? System.readFile(path)) ?? []
        return String(decoding: bytes.prefix { $0 != 0x0A }, as: UTF8.self)
    }
}

extension PublishedFinding {
    /// A listener on one address of the host's does not hear what comes for another: all of 127.0.0.0/8 are its own.
    fileprivate init(trying port: PublishedPort) {
        let isReached = VerifyListeners.greets(address: port.hostAddress, port: port.hostPort)
        let other: UInt32? = port.hostAddress == 0 ? nil : 0x7F00_0002
        self.init(
            port: port.jailPort, isReached: isReached,
            isReachedElsewhere: other.map { VerifyListeners.greets(address: $0, port: port.hostPort) })
    }
}

extension LogFinding {
    /// Nanoseconds that the way out has to tell the supervisor of its last denials.
    private static let patience: Int64 = 3_000_000_000

    /// What the log of a jail says, once it says all that is expected of it.
    static func read(of plan: LaunchPlan, awaiting expected: Set<String>) -> LogFinding? {
        let until = System.monotonicNanoseconds() + patience
        var found = read(of: plan)
        while let now = found, !now.denied.isSuperset(of: expected), System.monotonicNanoseconds() < until {
            try? System.pause(milliseconds: 10)
            found = read(of: plan)
        }
        return found
    }

    private static func read(of plan: LaunchPlan) -> LogFinding? {
        let log = AuditLogs.log(of: plan.name, below: plan.audit.directory.parentPath)
        guard let report = try? AuditReading.verify(log, heads: []) else { return nil }
        var finding = LogFinding(isIntact: report.isIntact && report.signed > 0, events: [], denied: [])
        do throws(JailError) {
            try AuditReading.entries(of: log) { (entry) throws(JailError) in
                finding.events.insert(entry.event)
                guard entry.event == "network", entry.verdict == "denied", let host = entry.host else { return }
                finding.denied.insert("\(entry.text("method") ?? entry.text("subject") ?? "?") \(host)")
            }
        } catch { return nil }
        return finding
    }
}
