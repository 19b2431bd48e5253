/// The promises of a running jail that can be seen from outside. Every process in it is looked at.
package struct RunningCheckList: Sendable {
    package struct Item: Sendable {
        let check: Check
        let judge: @Sendable (RunningJailFacts) -> Judgement
    }
    let items: [Item]

    package init(_ promises: RunningPromises) {
        items =
            Self.identity(promises) + Self.walls(promises) + Self.limits(promises) + Self.record
    }

    package func verification(_ facts: RunningJailFacts, subject: String) -> Verification {
        Verification(
            rows: items.map { item in
                let judgement =
                    facts.processes.isEmpty
                    ? Judgement(.notHeld, "no process of it could be looked at") : item.judge(facts)
                return Verification.Row(check: item.check, judgement: judgement)
            }, subject: subject)
    }

    /// What must be so of every process.
    private static func each(
        _ id: String, _ promise: String, keys: [String] = [], tried: String,
        among: @escaping @Sendable (ProcessFacts) -> Bool = { _ in true },
        _ holds: @escaping @Sendable (ProcessFacts) -> Bool
    ) -> Item {
        Item(check: Check(id, promise, keys: keys, tried: tried)) { facts in
            let looked = facts.processes.filter(among)
            guard !looked.isEmpty else { return Judgement(.notTried, "no command runs in it at the moment") }
            let wrong = looked.filter { !holds($0) }
            return wrong.isEmpty
                ? Judgement(.held, looked.count == 1 ? "1 process" : "\(looked.count) processes")
                : Judgement(.notHeld, "not so: process \(wrong.prefix(5).map { "\($0.pid)" }.joined(separator: ", "))")
        }
    }

    private static func identity(_ promises: RunningPromises) -> [Item] {
        var items = [
            each(
                "run.user", "every process is uid \(promises.uid) on the host, and nobody else", keys: ["process.user"],
                tried: "/proc/PID/status"
            ) { process in
                process.users.count == 4 && process.users.allSatisfy { $0 == promises.uid && $0 != "0" }
                    && process.groups.count == 4 && process.groups.allSatisfy { $0 == promises.gid }
            },
            each(
                "run.capabilities", "no process has a capability, or can get one", tried: "/proc/PID/status, five sets"
            ) {
                $0.capabilities.count == 5 && $0.capabilities.allSatisfy { $0 == "0000000000000000" }
            },
            each("run.privileges", "no process gains privileges", tried: "/proc/PID/status") {
                $0.noNewPrivileges == "1"
            },
        ]
        if promises.dropsGroups {
            items.append(
                each("run.groups", "no process is in another group", tried: "/proc/PID/status") { process in
                    process.supplementary.allSatisfy { $0 == promises.gid }
                })
        }
        return items
    }

    private static func walls(_ promises: RunningPromises) -> [Item] {
        let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] + (promises.hasTimeNamespace ? ["time"] : [])
        return [
            each("run.filter", "system calls of every process pass a filter", tried: "/proc/PID/status") {
                $0.seccomp == "2" && ($0.filters ?? 0) >= 2
            },
            Item(
                check: Check(
                    "run.namespaces", "every command is in the jail's namespaces, and none in the host's",
                    tried: "/proc/PID/ns")
            ) { facts in
                let commands = facts.processes.filter { !$0.isInit }
                guard let first = commands.first else {
                    return Judgement(.notTried, "no command runs in it at the moment")
                }
                if facts.isBehindUserNamespace, commands.allSatisfy({ $0.namespaces.isEmpty }) {
                    return Judgement(
                        .notTried, "its supervisor is in a user namespace of its own, and who calls may not look there")
                }
                let wrong = commands.filter { command in
                    kinds.contains { kind in
                        guard let own = command.namespaces[kind], let others = facts.namespaces[kind] else {
                            return true
                        }
                        return own == others || own != first.namespaces[kind]
                    }
                }
                return wrong.isEmpty
                    ? Judgement(.held, "\(kinds.count) namespaces, \(commands.count) commands")
                    : Judgement(
                        .notHeld, "not so: process \(wrong.prefix(5).map { "\($0.pid)" }.joined(separator: ", "))")
            },
            Item(
                check: Check(
                    "run.mounts", "what every command sees is mounted as planned", keys: ["filesystem"],
                    tried: "/proc/PID/mountinfo")
            ) { facts in
                let commands = facts.processes.filter { !$0.isInit }
                guard !commands.isEmpty else { return Judgement(.notTried, "no command runs in it at the moment") }
                for command in commands {
                    guard !command.mounts.isEmpty else {
                        return Judgement(.notHeld, "process \(command.pid): they could not be read")
                    }
                    let wrong = command.mounts.compactMap(promises.mounts.complaint)
                    guard wrong.isEmpty else {
                        return Judgement(.notHeld, "process \(command.pid): \(wrong.prefix(3).joined(separator: ", "))")
                    }
                }
                return Judgement(.held, "\(commands[0].mounts.count) mounts, \(commands.count) commands")
            },
            each(
                "run.network", "no command has another interface than loopback", tried: "/proc/PID/net/dev",
                among: { !$0.isInit }
            ) { $0.interfaces == ["lo"] },
        ]
    }

    private static func limits(_ promises: RunningPromises) -> [Item] {
        var items = [
            each("limits.core", "no core file is written", tried: "/proc/PID/limits") { $0.coreSize == ["0", "0"] }
        ]
        if let limit = promises.openFiles {
            items.append(
                each(
                    "limits.openFiles", "at most \(limit) open files in a command", keys: ["limits.openFiles"],
                    tried: "/proc/PID/limits", among: { !$0.isInit }
                ) { process in
                    // A command may ask for less.
                    process.openFiles.count == 2
                        && process.openFiles.allSatisfy { UInt64($0).map { $0 <= UInt64(limit) ?? 0 } ?? false }
                })
        }
        guard promises.hasGroup else { return items }
        items.append(
            each("run.group", "every process is in the jail's control group", tried: "/proc/PID/cgroup") { process in
                process.controlGroups.contains { line in
                    line.split(separator: "/").contains {
                        $0 == "clawjail-\(promises.name)" || $0.hasSuffix(".\(promises.name)")
                    }
                }
            })
        items.append(
            Item(
                check: Check(
                    "limits.group", "memory, processes and processors are limited as planned",
                    keys: ["limits.memory", "limits.processes", "limits.cpus"], tried: "the group's figures")
            ) { facts in
                guard let group = facts.group else { return Judgement(.notHeld, "they could not be read") }
                let isRight =
                    (promises.memory.map { group.memory == $0 / 4096 * 4096 || group.memory == $0 } ?? true)
                    && (promises.processes.map { group.processes == $0 } ?? true)
                    && (promises.milliCPUs.map { group.milliCPUs == $0 } ?? true)
                let words = [
                    group.memory.map { "\($0 >> 20) MiB" }, group.processes.map { "\($0) processes" },
                    group.milliCPUs.map { "\($0) thousandths of a processor" },
                ].compactMap { $0 }
                return Judgement(isRight, words.isEmpty ? "no limits" : words.joined(separator: ", "))
            })
        return items
    }

    private static let record = [
        Item(check: Check("log.intact", "the log is chained and signed", keys: ["audit"], tried: "the jail's log")) {
            facts in
            guard let log = facts.log else { return Judgement(.notHeld, "it could not be read") }
            return Judgement(log.isIntact, log.isIntact ? "as it was written" : "it was changed")
        },
        Item(
            check: Check(
                "log.plan", "the plan is the one that the log says it was started with", keys: ["audit"],
                tried: "SHA-256")
        ) { facts in
            guard let recorded = facts.recordedPlan, let shown = facts.shownPlan else {
                return Judgement(.notHeld, "it could not be read")
            }
            return Judgement(recorded == shown, recorded == shown ? "\(shown.prefix(16))…" : "another one")
        },
    ]
}
