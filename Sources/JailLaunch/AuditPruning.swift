internal import AuditLog
internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Removes logs that are older than they are kept, also of jails whose name nobody uses again.
package enum AuditPruning {
    private static let stampFile = ".pruned"
    /// Milliseconds.
    private static let day: Int64 = 86_400_000

    /// Once a day, by whichever launch comes first: a glance at one file for all others.
    static func pruneDaily(_ plan: LaunchPlan) {
        let base = "\(plan.stateDirectory)/audit"
        let stamp = "\(base)/\(stampFile)"
        let now = System.realtimeMilliseconds()
        if let status = try? System.status(stamp), now - status.changed * 1000 < day { return }
        // Whoever makes the new one does it.
        try? System.unlink(stamp)
        guard (try? System.open(stamp, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o600)) != nil else {
            return
        }
        prune(base, keep: plan.audit.rules.keep, runningIn: plan.groupDirectory)
    }

    /// - Parameters:
    ///   - base: `audit` of a state directory.
    ///   - keep: milliseconds, of files of jails that do not run. Those that run look after their own.
    ///   - runtimeDirectory: where the run directories of those that do are.
    /// - Returns: files that were removed.
    @discardableResult
    package static func prune(_ base: String, keep: UInt64, runningIn runtimeDirectory: String) -> Int {
        AuditLogs.all(below: base).reduce(0) { count, log in
            guard !isRunning(log.jail, in: runtimeDirectory),
                let removed = try? log.directory.removeOld(keep: keep, removingLast: true), removed > 0
            else { return count }
            // Unless something is left in it.
            try? System.unlink(log.directory.path, isDirectory: true)
            return count + removed
        }
    }

    private static func isRunning(_ jail: String, in base: String) -> Bool {
        let parts = jail.split(separator: "/", maxSplits: 1).map(String.init)
        let base = parts.count == 2 ? RunDirectory.sessions(of: parts[0], in: base) : base
        if case .running = RunDirectory.presence(of: parts[parts.count - 1], in: base) { return true }
        return false
    }
}
