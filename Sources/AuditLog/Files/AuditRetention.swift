package import JailCore

extension AuditDirectory {
    /// Removes files that were written to last more than `keep` milliseconds ago, from the oldest on: what is left has no
    /// gap. Never the one before `current`, which the log goes on from.
    ///
    /// - Parameter removingLast: of a jail that does not run: the last file as well.
    /// - Returns: how many.
    @discardableResult
    package func removeOld(
        keep: UInt64, before current: UInt64 = .max, removingLast: Bool = false,
        now: Int64 = System.realtimeMilliseconds()
    ) throws(SystemError) -> Int {
        var removed = 0
        let numbers = try segments()
        for number in removingLast ? numbers : numbers.dropLast() where number < current - 1 {
            // The time of the last change, which nobody can set back.
            let written = try System.status(file(number)).changed * 1000
            guard now - written > Int64(clamping: keep) else { break }
            try System.unlink(file(number))
            removed += 1
        }
        return removed
    }
}
