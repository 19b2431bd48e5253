internal import JailCgroups

/// Figures of running jails for Prometheus: base units, `_total` for what only grows, labels `jail` and `profile`.
package enum Metrics {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    package static func text(_ samples: [JailSample], version: String) -> String {
        var build = MetricFamily("clawjail_build_info", .gauge, "The version that tells; always 1.")
        build.add([("version", version)], 1)
        var jails = MetricFamily("clawjail_jails", .gauge, "Jails that run, sessions among them.")
        jails.add([], UInt64(samples.count))
        return
            ([build, jails] + state(samples) + usage(samples) + pressure(samples) + network(samples) + other(samples))
            .map(\.text).joined()
    }

    private static func labels(_ sample: JailSample, _ more: (String, String)...) -> [(String, String)] {
        [("jail", sample.name), ("profile", sample.profile)] + more
    }

    private static func family(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, _ samples: [JailSample],
        _ value: (JailSample) -> UInt64?
    ) -> MetricFamily {
        var family = MetricFamily(name, kind, help)
        for sample in samples { family.add(labels(sample), value(sample)) }
        return family
    }

    private static func parts(
        _ name: String, _ kind: MetricFamily.Kind, _ help: String, of parts: UInt64, _ samples: [JailSample],
        _ value: (JailSample) -> UInt64?
    ) -> MetricFamily {
        var family = MetricFamily(name, kind, help)
        for sample in samples {
            if let value = value(sample) { family.add(labels(sample), MetricFamily.decimal(value, parts: parts)) }
        }
        return family
    }

    private static func state(_ samples: [JailSample]) -> [MetricFamily] {
        var health = MetricFamily(
            "clawjail_health_status", .gauge, "1 for what the jail's health is; only of those that are asked.")
        for sample in samples {
            guard let known = sample.figures?.health else { continue }
            for state in ["starting", "healthy", "unhealthy"] {
                health.add(labels(sample, ("state", state)), state == known ? 1 : 0)
            }
        }
        return [
            family("clawjail_up", .gauge, "Whether the jail's supervisor answers.", samples) {
                $0.figures == nil ? 0 : 1
            },
            family("clawjail_start_time_seconds", .gauge, "Unix time at which the jail was started.", samples) {
                UInt64(clamping: $0.started)
            },
            family("clawjail_paused", .gauge, "Whether its processes stand still.", samples) {
                $0.condition == .paused ? 1 : 0
            },
            health,
        ]
    }

    private static func usage(_ samples: [JailSample]) -> [MetricFamily] {
        [
            parts("clawjail_cpu_seconds_total", .counter, "Processor time used.", of: 1_000_000, samples) {
                $0.usage?.processorTime
            },
            parts("clawjail_cpu_limit_cores", .gauge, "Processors that may be used at a time.", of: 1000, samples) {
                $0.usage?.milliCPUs
            },
            family(
                "clawjail_cpu_throttled_periods_total", .counter, "Periods in which the limit was reached.", samples
            ) { $0.usage?.throttledPeriods },
            parts(
                "clawjail_cpu_throttled_seconds_total", .counter, "Time that was waited because of the limit.",
                of: 1_000_000, samples
            ) { $0.usage?.throttledTime },
            family("clawjail_memory_bytes", .gauge, "Memory used now.", samples) { $0.usage?.memory },
            family("clawjail_memory_peak_bytes", .gauge, "The most memory that was used.", samples) {
                $0.usage?.memoryPeak
            },
            family("clawjail_memory_limit_bytes", .gauge, "Memory that may be used.", samples) {
                $0.usage?.memoryLimit
            },
            family("clawjail_swap_bytes", .gauge, "Swap used now.", samples) { $0.usage?.swap },
            family(
                "clawjail_memory_kills_total", .counter, "Processes that were killed for want of memory.", samples
            ) { $0.usage?.memoryKills },
            family("clawjail_processes", .gauge, "Processes and threads, jail init among them.", samples) {
                $0.usage?.processes
            },
            family("clawjail_processes_limit", .gauge, "The most processes and threads.", samples) {
                $0.usage?.processLimit
            },
        ]
    }

    private static func pressure(_ samples: [JailSample]) -> [MetricFamily] {
        var family = MetricFamily(
            "clawjail_pressure_ratio", .gauge,
            "The share of the last ten seconds in which some processes, or all, waited for a resource.")
        for sample in samples {
            for (resource, pressure) in [
                ("cpu", sample.usage?.processorPressure), ("memory", sample.usage?.memoryPressure),
                ("io", sample.usage?.inputOutputPressure),
            ] {
                for (waiting, percent) in [("some", pressure?.some), ("full", pressure?.full)] {
                    guard let percent, let hundredths = hundredths(percent) else { continue }
                    family.add(
                        labels(sample, ("resource", resource), ("waiting", waiting)),
                        MetricFamily.decimal(hundredths, parts: 10_000))
                }
            }
        }
        return [family]
    }

    /// Of a percentage as the kernel writes it, with two decimals.
    private static func hundredths(_ percent: String) -> UInt64? {
        let words = percent.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count == 2, words[1].count == 2, let whole = UInt64(words[0]), whole <= 100,
            let part = UInt64(words[1])
        else { return nil }
        return whole * 100 + part
    }

    private static func network(_ samples: [JailSample]) -> [MetricFamily] {
        func tallies(_ name: String, _ help: String, _ tally: (JailFigures) -> JailFigures.Tally) -> MetricFamily {
            var family = MetricFamily(name, .counter, help)
            for sample in samples {
                guard let figures = sample.figures, figures.tells != .nothing else { continue }
                let tally = tally(figures)
                if figures.tells == .everything { family.add(labels(sample, ("verdict", "allowed")), tally.allowed) }
                family.add(labels(sample, ("verdict", "denied")), tally.denied)
                family.add(labels(sample, ("verdict", "failed")), tally.failed)
            }
            return family
        }
        func counted(_ sample: JailSample, _ value: (JailFigures) -> UInt64) -> UInt64? {
            sample.figures.flatMap { $0.tells == .everything ? value($0) : nil }
        }
        func withWayOut(_ sample: JailSample, _ value: (JailFigures) -> UInt64) -> UInt64? {
            sample.figures.flatMap { $0.tells == .nothing ? nil : value($0) }
        }
        return [
            tallies("clawjail_network_requests_total", "HTTP requests and WebSockets, by what became of them.") {
                $0.requests
            },
            tallies(
                "clawjail_network_connections_total",
                "Connections without a request that could be judged, by what became of them."
            ) { $0.connections },
            family("clawjail_network_names_denied_total", .counter, "Names that were asked for in vain.", samples) {
                withWayOut($0) { $0.names.denied }
            },
            family("clawjail_network_sent_bytes_total", .counter, "Bytes sent to the outside.", samples) {
                counted($0) { $0.sent }
            },
            family("clawjail_network_received_bytes_total", .counter, "Bytes received from the outside.", samples) {
                counted($0) { $0.received }
            },
            family("clawjail_egress_ends_total", .counter, "How often the way out has ended.", samples) {
                withWayOut($0) { $0.egressEnds }
            },
            family("clawjail_egress_restarts_total", .counter, "How often it was started again.", samples) {
                withWayOut($0) { $0.egressRestarts }
            },
        ]
    }

    private static func other(_ samples: [JailSample]) -> [MetricFamily] {
        var limits = MetricFamily(
            "clawjail_limits_reached_total", .counter, "Limits that were reached, by the profile's key.")
        for sample in samples {
            for (key, count) in (sample.figures?.limits ?? [:]).sorted(by: { $0.key < $1.key }) {
                limits.add(labels(sample, ("limit", key)), count)
            }
        }
        return [
            family("clawjail_execs", .gauge, "Commands that are executed in the jail now.", samples) {
                $0.figures?.execs
            },
            family("clawjail_execs_started_total", .counter, "Commands that were executed in the jail.", samples) {
                $0.figures?.executed
            },
            family("clawjail_execs_refused_total", .counter, "Commands that were refused.", samples) {
                $0.figures?.refusedExecs
            },
            limits,
        ]
    }
}
