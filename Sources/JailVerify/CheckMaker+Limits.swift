internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Limits, reached.
extension CheckMaker {
    func limits() -> [Check] {
        [core, openFiles] + fileSize + group
    }

    private var core: Check {
        Check(
            "limits.core", "no core file is written", tried: "RLIMIT_CORE",
            [.fact("process", "limits", "core", is: "0 0")])
    }

    private func value(_ resource: Resource) -> UInt64? {
        plan.limits.resources.first { $0.resource == resource }?.value
    }

    private var openFiles: Check {
        let limit = value(.openFiles) ?? 0
        // Where whoever started it may not open so many, it is fewer.
        let figure: @Sendable (Evidence) -> Judgement = { evidence in
            let found = evidence.inside.fact(["process", "limits", "openFiles"]) ?? "?"
            let numbers = found.split(separator: " ").compactMap { UInt64($0) }
            return Judgement(numbers.count == 2 && numbers.allSatisfy { $0 <= limit }, found)
        }
        // Beyond that the trial would take longer than it is worth, and the kernel's figure says the same.
        guard limit <= 1 << 16 else {
            return Check(
                "limits.openFiles", "at most \(limit) open files", keys: ["limits.openFiles"], tried: "RLIMIT_NOFILE",
                judge: figure)
        }
        return Check(
            "limits.openFiles", "at most \(limit) open files", keys: ["limits.openFiles"],
            tried: "RLIMIT_NOFILE, and more opened", arguments: ["--open-files", "\(limit + 1)"],
            [
                .attempt("open files \(limit + 1)", is: "errno EMFILE")
            ], judge: figure)
    }

    private var fileSize: [Check] {
        guard let limit = value(.fileSize) else { return [] }
        let figure = Expectation.fact("process", "limits", "fileSize", is: "\(limit) \(limit)")
        let promise = "no file larger than \(ByteCount.text(limit))"
        guard let place = scratch.first?.target ?? writable.first?.target else {
            return [Check("limits.fileSize", promise, keys: ["limits.fileSize"], tried: "RLIMIT_FSIZE", [figure])]
        }
        let trial = "\(limit):\(place)"
        return [
            Check(
                "limits.fileSize", promise, keys: ["limits.fileSize"], tried: "a byte more, in \(place)",
                arguments: ["--write-behind", trial], [figure, .attempt("write behind \(trial)", is: "errno EFBIG")])
        ]
    }

    private var group: [Check] {
        if isLeftOut(.cgroup) {
            return [
                Check("limits.group", "memory, processes and processors", keys: ["optional"], tried: "not tried") { _ in
                    Judgement(.notTried, "left out, as the profile allows: cgroup")
                }
            ]
        }
        guard let cgroup = plan.limits.cgroup else { return [] }
        return [
            cgroup.memory.map { memory($0) }, cgroup.processes.map { processes($0) }, cgroup.milliCPUs.map(processors),
        ].compactMap { $0 }
    }

    private func memory(_ limit: UInt64) -> Check {
        let figure: @Sendable (Evidence, String) -> Judgement = { evidence, more in
            let found = evidence.outside.group?.memory
            return Judgement(
                found == limit / 4096 * 4096 || found == limit,
                "the kernel's limit is \(found.map(ByteCount.text) ?? "none")\(more)")
        }
        let promise = "at most \(ByteCount.text(limit)) of memory; who wants more is ended, and the rest lives"
        guard limit <= trial.mostMemory else {
            return Check(
                "limits.memory", promise, keys: ["limits.memory", "limits.swap"], tried: "the group's figure",
                judge: { figure($0, "; not filled: this host has not enough to spare") })
        }
        return Check(
            "limits.memory", promise, keys: ["limits.memory", "limits.swap"], tried: "the group's figure, and filled",
            arguments: ["--eat", "\(limit)"], [.attempt("eat \(limit)", is: "signal KILL")],
            judge: { figure($0, ", signal KILL") })
    }

    private func processes(_ limit: UInt64) -> Check {
        let figure: @Sendable (Evidence, String) -> Judgement = { evidence, more in
            let found = evidence.outside.group?.processes
            return Judgement(found == limit, "the kernel's limit is \(found.map { "\($0)" } ?? "none")\(more)")
        }
        // Jail init is one of them, and none of the payload's.
        let promise = "at most \(limit - 1) processes and threads"
        guard limit <= 4096 else {
            return Check(
                "limits.processes", promise, keys: ["limits.processes"], tried: "the group's figure",
                judge: { figure($0, "") })
        }
        return Check(
            "limits.processes", promise, keys: ["limits.processes"], tried: "the group's figure, and more started",
            arguments: ["--spawn", "\(limit)"], [.attempt("spawn \(limit)", is: "errno EAGAIN")],
            judge: { figure($0, " with init's, EAGAIN") })
    }

    private func processors(_ limit: UInt64) -> Check {
        Check(
            "limits.cpus", "at most \(Self.share(limit)) processors", keys: ["limits.cpus"],
            tried: "the group's figure",
            judge: { evidence in
                guard let found = evidence.outside.group?.milliCPUs else { return Judgement(.notHeld, "no limit") }
                return Judgement(found == limit, "\(Self.share(found))")
            })
    }

    private static func share(_ thousandths: UInt64) -> String {
        let rest = thousandths % 1000
        guard rest > 0 else { return "\(thousandths / 1000)" }
        var digits = String(1000 + rest).dropFirst()
        while digits.last == "0" { digits.removeLast() }
        return "\(thousandths / 1000).\(digits)"
    }
}
