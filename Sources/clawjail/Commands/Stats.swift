import ArgumentParser
import JailCgroups
import JailCore
import JailPlan
import JailPolicy

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what running jails use, as the kernel counts it.",
        discussion: """
            Pressure is the share of the last ten seconds in which processes had to wait for a processor, for memory, or \
            for input and output: some of them, and all of them.
            """)

    @Argument(help: "A jail's name; the default is all.")
    var name: String?

    @Flag(help: "As JSON lines.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            var jails = try RunningJail.all()
            if let name {
                jails = jails.filter { $0.name == name }
                guard !jails.isEmpty else { throw JailConnection.notThere(name) }
            }
            let found = jails.map { ($0.name, $0.usage, $0.isPaused) }
            if json { return try Output.print(found.map { Self.json($0, $1, isPaused: $2).text() + "\n" }.joined()) }
            let rows = found.map { [$0] + Self.columns($1, isPaused: $2) }
            try Output.print(Table.text([["NAME"] + Self.headings] + rows))
        } catch { Output.fail(error) }
    }

    private static let headings = [
        "STATE", "CPU", "MEMORY", "PEAK", "LIMIT", "PROCESSES", "THROTTLED", "CPU%", "MEM%", "IO%",
    ]

    /// A dash for what the host does not count.
    static func columns(_ usage: GroupUsage?, isPaused: Bool) -> [String] {
        guard let usage else { return headings.map { _ in "-" } }
        return [
            isPaused ? "paused" : "runs", usage.processorTime.map(seconds) ?? "-",
            usage.memory.map(bytes) ?? "-", usage.memoryPeak.map(bytes) ?? "-", usage.memoryLimit.map(bytes) ?? "-",
            (usage.processes.map { String($0) } ?? "-") + (usage.processLimit.map { "/\($0)" } ?? ""),
            usage.throttledTime.map(seconds) ?? "-", pressure(usage.processorPressure),
            pressure(usage.memoryPressure), pressure(usage.inputOutputPressure),
        ]
    }

    /// Microseconds, as `12.3s`.
    private static func seconds(_ microseconds: UInt64) -> String {
        "\(microseconds / 1_000_000).\(microseconds / 100_000 % 10)s"
    }

    /// To one decimal of the largest unit that leaves something before it.
    static func bytes(_ count: UInt64) -> String {
        var unit: UInt64 = 1
        for name in ["B", "K", "M", "G", "T"] {
            if count / unit < 1024 || name == "T" {
                return count % unit == 0
                    ? "\(count / unit)\(name)" : "\(count / unit).\(count % unit * 10 / unit)\(name)"
            }
            unit *= 1024
        }
        return "\(count)B"
    }

    private static func pressure(_ pressure: GroupUsage.Pressure?) -> String {
        guard let pressure else { return "-" }
        return (pressure.some ?? "-") + "/" + (pressure.full ?? "-")
    }

    static func json(_ name: String, _ usage: GroupUsage?, isPaused: Bool) -> JSON {
        guard let usage else { return ["name": .string(name), "cgroup": .null] }
        func number(_ value: UInt64?) -> JSON { value.map { .number($0) } ?? .null }
        func pressure(_ value: GroupUsage.Pressure?) -> JSON {
            value.map { ["some": .optional($0.some), "full": .optional($0.full)] } ?? .null
        }
        return [
            "name": .string(name), "paused": .boolean(isPaused),
            "cpu": [
                "usageMicroseconds": number(usage.processorTime), "limitMilliCPUs": number(usage.milliCPUs),
                "throttledPeriods": number(usage.throttledPeriods),
                "throttledMicroseconds": number(usage.throttledTime),
            ],
            "memory": [
                "current": number(usage.memory), "peak": number(usage.memoryPeak), "limit": number(usage.memoryLimit),
                "swap": number(usage.swap), "kills": number(usage.memoryKills),
            ],
            "processes": ["current": number(usage.processes), "limit": number(usage.processLimit)],
            // Percent of the last ten seconds, as the kernel writes it; null where it does not measure that.
            "pressure": [
                "cpu": pressure(usage.processorPressure), "memory": pressure(usage.memoryPressure),
                "io": pressure(usage.inputOutputPressure),
            ],
        ]
    }
}
