import ArgumentParser
import JailCgroups
import JailCore
import JailView

struct Stats: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what running jails use, as the kernel counts it, and what they ask of the way out.",
        discussion: """
            Pressure is the share of the last ten seconds in which processes had to wait for a processor, for memory, or \
            for input and output: some of them, and all of them. CONN, REQ and DENIED are connections, requests and denials \
            of the last minute; SENT and RECEIVED are all bytes that they have carried, counted when they end.
            """)

    @Argument(help: "A jail's name; the default is all.", completion: .jails)
    var name: String?

    @Flag(help: "As JSON lines.")
    var json = false

    mutating func run() {
        do throws(JailError) {
            let samples = JailLook.samples(of: try JailLook.jails(named: name))
            if json { return try Output.print(samples.map { Self.json($0).text() + "\n" }.joined()) }
            try Output.print(Table.text([["NAME"] + Self.headings] + samples.map { [$0.name] + Self.columns($0) }))
        } catch { Output.fail(error) }
    }

    private static let headings = [
        "STATE", "CPU", "MEMORY", "PEAK", "LIMIT", "PROCESSES", "THROTTLED", "CPU%", "MEM%", "IO%", "CONN", "REQ",
        "DENIED", "SENT", "RECEIVED",
    ]

    /// A dash for what the host, or the jail, does not count.
    static func columns(_ sample: JailSample) -> [String] {
        let usage = sample.usage
        let processes = usage?.processes.map { "\($0)" + (usage?.processLimit.map { "/\($0)" } ?? "") }
        let state = sample.condition == .paused ? "paused" : usage == nil ? "-" : "runs"
        return [
            state, usage?.processorTime.map(Quantity.seconds) ?? "-", usage?.memory.map(Quantity.bytes) ?? "-",
            usage?.memoryPeak.map(Quantity.bytes) ?? "-", usage?.memoryLimit.map(Quantity.bytes) ?? "-",
            processes ?? "-", usage?.throttledTime.map(Quantity.seconds) ?? "-", pressure(usage?.processorPressure),
            pressure(usage?.memoryPressure), pressure(usage?.inputOutputPressure),
        ] + network(sample.figures)
    }

    private static func network(_ figures: JailFigures?) -> [String] {
        guard let figures, figures.tells != .nothing else { return ["-", "-", "-", "-", "-"] }
        let denials = "\(figures.denialsLately)"
        guard figures.tells == .everything else { return ["-", "-", denials, "-", "-"] }
        return [
            "\(figures.connectionsLately)", "\(figures.requestsLately)", denials, Quantity.bytes(figures.sent),
            Quantity.bytes(figures.received),
        ]
    }

    private static func pressure(_ pressure: GroupUsage.Pressure?) -> String {
        guard let pressure else { return "-" }
        return (pressure.some ?? "-") + "/" + (pressure.full ?? "-")
    }

    static func json(_ sample: JailSample) -> JSON {
        let common: [(String, JSON)] = [
            ("name", .string(sample.name)), ("paused", .boolean(sample.condition == .paused)),
        ]
        let usage = sample.usage.map { kernel($0) } ?? [("cgroup", .null)]
        // Null: its supervisor does not answer.
        guard case .object(let figures)? = sample.figures?.json else {
            return .object(common + usage + [("network", .null), ("execs", .null)])
        }
        return .object(common + usage + figures)
    }

    /// What the kernel counts.
    static func kernel(_ usage: GroupUsage) -> [(String, JSON)] {
        func number(_ value: UInt64?) -> JSON { value.map { .number($0) } ?? .null }
        func pressure(_ value: GroupUsage.Pressure?) -> JSON {
            value.map { ["some": .optional($0.some), "full": .optional($0.full)] } ?? .null
        }
        return [
            (
                "cpu",
                [
                    "usageMicroseconds": number(usage.processorTime), "limitMilliCPUs": number(usage.milliCPUs),
                    "throttledPeriods": number(usage.throttledPeriods),
                    "throttledMicroseconds": number(usage.throttledTime),
                ]
            ),
            (
                "memory",
                [
                    "current": number(usage.memory), "peak": number(usage.memoryPeak),
                    "limit": number(usage.memoryLimit), "swap": number(usage.swap), "kills": number(usage.memoryKills),
                ]
            ),
            ("processes", ["current": number(usage.processes), "limit": number(usage.processLimit)]),
            // Percent of the last ten seconds, as the kernel writes it; null where it does not measure that.
            (
                "pressure",
                [
                    "cpu": pressure(usage.processorPressure), "memory": pressure(usage.memoryPressure),
                    "io": pressure(usage.inputOutputPressure),
                ]
            ),
        ]
    }
}
