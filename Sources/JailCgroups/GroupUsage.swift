package import JailCore

/// What a jail uses, as the kernel's files of its group say; nil where the kernel has no such figure, or no such limit.
package struct GroupUsage: Equatable, Sendable {
    /// Of the last ten seconds, how much of the time processes waited for something: `some` of them, or all (`full`). In
    /// percent, as the kernel writes it: see the kernel's accounting/psi.rst.
    package struct Pressure: Equatable, Sendable {
        package var some: String?
        package var full: String?
    }

    /// Microseconds.
    package var processorTime: UInt64?
    package var memory: UInt64?
    package var memoryPeak: UInt64?
    package var memoryLimit: UInt64?
    package var swap: UInt64?
    /// Processes and threads, jail init among them.
    package var processes: UInt64?
    package var processLimit: UInt64?
    /// Thousandths of a processor.
    package var milliCPUs: UInt64?
    /// Periods in which the limit on processors was reached, and how long was waited in all, in microseconds.
    package var throttledPeriods: UInt64?
    package var throttledTime: UInt64?
    /// Processes that were killed for want of memory.
    package var memoryKills: UInt64?
    package var processorPressure: Pressure?
    package var memoryPressure: Pressure?
    package var inputOutputPressure: Pressure?
    package var isFrozen = false

    package init() {}

    // MARK: Version 2

    /// - Throws: the group is gone.
    package init(unified directory: String) throws(SystemError) {
        let read = Reader(directory)
        let events = try System.readFile("\(directory)/cgroup.events")
        isFrozen = Cgroup.counter(in: events, "frozen") == 1
        processorTime = read.value("usage_usec", in: "cpu.stat")
        throttledPeriods = read.value("nr_throttled", in: "cpu.stat")
        throttledTime = read.value("throttled_usec", in: "cpu.stat")
        memory = read.number("memory.current")
        memoryPeak = read.number("memory.peak")
        memoryLimit = read.number("memory.max")
        swap = read.number("memory.swap.current")
        memoryKills = read.value("oom_kill", in: "memory.events")
        processes = read.number("pids.current")
        processLimit = read.number("pids.max")
        let share = read.words("cpu.max").compactMap { UInt64($0) }
        milliCPUs = Self.share(quota: share.first, period: share.count == 2 ? share[1] : nil)
        processorPressure = read.pressure("cpu.pressure")
        memoryPressure = read.pressure("memory.pressure")
        inputOutputPressure = read.pressure("io.pressure")
    }

    // MARK: Version 1

    /// - Parameter directories: of each controller, by its name.
    /// - Throws: the group is gone.
    package init(separate directories: [String: String]) throws(SystemError) {
        for directory in directories.values { _ = try System.status(directory) }
        if let directory = directories["cpu"] {
            let read = Reader(directory)
            processorTime = read.number("cpuacct.usage").map { $0 / 1000 } ?? ProcessTimes.sum(of: directory)
            throttledPeriods = read.value("nr_throttled", in: "cpu.stat")
            throttledTime = read.value("throttled_time", in: "cpu.stat").map { $0 / 1000 }
            milliCPUs = Self.share(quota: read.number("cpu.cfs_quota_us"), period: read.number("cpu.cfs_period_us"))
        }
        if let directory = directories["memory"] {
            let read = Reader(directory)
            memory = read.number("memory.usage_in_bytes")
            memoryPeak = read.number("memory.max_usage_in_bytes")
            // Without a limit it says the greatest number of whole pages.
            memoryLimit = read.number("memory.limit_in_bytes").flatMap { $0 < UInt64(Int64.max) - 0xFFFF ? $0 : nil }
            memoryKills = read.value("oom_kill", in: "memory.oom_control")
        }
        if let directory = directories["pids"] {
            let read = Reader(directory)
            processes = read.number("pids.current")
            processLimit = read.number("pids.max")
        }
    }

    private static func share(quota: UInt64?, period: UInt64?) -> UInt64? {
        guard let quota, let period, period > 0 else { return nil }
        return quota.multipliedReportingOverflow(by: 1000).partialValue / period
    }
}

/// Files of one group. What is not there, or says `max`, is nil.
private struct Reader {
    private let directory: String

    init(_ directory: String) { self.directory = directory }

    private func content(_ file: String) -> [UInt8]? { try? System.readFile("\(directory)/\(file)") }

    func words(_ file: String) -> [Substring] {
        String(decoding: content(file) ?? [], as: UTF8.self).split(whereSeparator: { $0 == " " || $0 == "\n" })
    }

    func number(_ file: String) -> UInt64? { words(file).first.flatMap { UInt64($0) } }

    func value(_ key: String, in file: String) -> UInt64? { content(file).map { Cgroup.counter(in: $0, key) } }

    /// Lines as `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`. On a kernel booted with psi=0 reading is an error.
    func pressure(_ file: String) -> GroupUsage.Pressure? {
        guard let content = content(file) else { return nil }
        var result = GroupUsage.Pressure()
        for line in String(decoding: content, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count > 1, words[1].hasPrefix("avg10=") else { continue }
            let value = String(words[1].dropFirst("avg10=".count))
            guard !value.isEmpty, value.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2E }) else { continue }
            if words[0] == "some" { result.some = value }
            if words[0] == "full" { result.full = value }
        }
        return result.some == nil && result.full == nil ? nil : result
    }
}
