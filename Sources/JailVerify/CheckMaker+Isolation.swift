internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What of the host, and of whoever started it, the command sees.
extension CheckMaker {
    func isolation() -> [Check] {
        [
            namespaces, processes, cleanStart, environment,
            Check(
                "host.name", "the host's name is '\(plan.namespaces.hostName)'", keys: ["process.hostName"],
                tried: "uname(), sethostname()",
                [.fact("host", "name", is: plan.namespaces.hostName), .attempt("set host name", is: "errno EPERM")]),
            Check(
                "host.facts", "the host's boot, load and command line are not shown",
                tried: "boot_id, loadavg, cmdline",
                [.fact("host", "commandLine", is: ""), .attempt("read /proc/keys", is: "ok")],
                judge: { evidence in
                    let own = evidence.inside.fact(["host", "bootID"]) ?? ""
                    let isOwn = own.count == 36 && own != evidence.outside.bootID
                    let load = evidence.inside.fact(["host", "load"]) ?? "?"
                    return Judgement(
                        isOwn && load.hasPrefix("0.00 0.00 0.00"), isOwn ? "ones of its own" : "the host's")
                }),
            Check(
                "host.signals", "no signal reaches a process outside", tried: "kill() of the verifier",
                arguments: ["--signal", "\(trial.processID)"],
                [.attempt("signal \(trial.processID)", is: "errno ESRCH", "errno EPERM")]),
            Check(
                "host.sockets", "no socket of the host is reached", tried: "its abstract sockets, its 127.0.0.1",
                arguments: ["--abstract", trial.abstractName, "--port", "\(trial.hostPort)"],
                [
                    .attempt("connect @\(trial.abstractName)", is: "errno ECONNREFUSED", "errno EPERM"),
                    .attempt("connect \(trial.hostPort)", is: "errno ECONNREFUSED"),
                ]),
            Check(
                "host.terminal", "the caller's terminal is not at hand",
                tried: "/dev/tty, TIOCSTI, TIOCLINUX",
                [
                    .fact("process", "controllingTerminal", is: plan.command.terminal ? "yes" : "no"),
                    .fact("process", "standardInputIsTerminal", is: plan.command.terminal ? "yes" : "no"),
                ]
                    + Expectation.attempts(
                        ["tiocsti", "tiocsti high bit", "tioclinux", "line discipline"], are: "errno EPERM")),
        ]
    }

    private var namespaces: Check {
        let kinds = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"] + (plan.namespaces.time ? ["time"] : [])
        return Check(
            "host.namespaces", "namespaces of its own: \(kinds.joined(separator: ", "))",
            keys: plan.namespaces.time ? [] : ["optional"], tried: "/proc/self/ns, inside and outside",
            judge: { evidence in
                let shared = kinds.filter { kind in
                    guard let own = evidence.inside.fact(["namespaces", kind]),
                        let others = evidence.outside.namespaces[kind]
                    else { return true }
                    return own == others
                }
                return shared.isEmpty
                    ? Judgement(.held, "\(kinds.count) that are not the host's")
                    : Judgement(.notHeld, "not its own, or not seen: \(shared.joined(separator: ", "))")
            })
    }

    private var processes: Check {
        let files = ["exe", "environ", "mem", "root", "fd", "cwd", "maps", "stack", "io"].map { "read /proc/1/\($0)" }
        return Check(
            "host.processes", "no process but its own is visible", tried: "/proc, and /proc/1/mem, environ, root …",
            Expectation.attempts(files + ["list threads of init"], are: "errno ENOENT", "errno EACCES", "errno EPERM"),
            judge: { evidence in
                let own = evidence.inside.fact(["process", "pid"])
                let seen = evidence.inside.fact(["pids"]) ?? "nothing"
                return Judgement(own != nil && own == seen, "processes \(seen)")
            })
    }

    /// Nothing of the caller's state.
    private var cleanStart: Check {
        Check(
            "start.clean", "nothing of the caller's is inherited", keys: ["process.workingDirectory"],
            tried: "descriptors, umask, signals, directory",
            [
                .fact("process", "umask", is: String(plan.command.fileModeMask, radix: 8)),
                .fact("process", "blockedSignals", is: "0000000000000000"),
                .fact("process", "ignoredSignals", is: "0000000000000000"),
                .fact("process", "cwd", is: plan.command.workingDirectory), .fact("process", "root", is: "/"),
                .fact("process", "personality", is: "00000000"), .fact("process", "parentDeathSignal", is: "0"),
            ],
            judge: { evidence in
                let open = evidence.inside[["descriptors"]]?.elements?.compactMap { $0["number"]?.integer } ?? []
                return Judgement(open == [0, 1, 2], "descriptors \(open.map(String.init).joined(separator: " "))")
            })
    }

    /// By names alone: values are not shown.
    private var environment: Check {
        let planned = plan.command.environment
        let bound = plan.network.egress?.secrets.variables.map(\.variable) ?? []
        let canaries = plan.canaries.compactMap { canary in
            if case .variable(let name) = canary.place { name } else { nil }
        }
        let made = Set(bound + canaries)
        return Check(
            "start.environment", "the environment is the plan's, and nothing else",
            keys: ["process.environment", "process.passEnvironment", "process.inside.user", "process.inside.home"],
            tried: "environ",
            judge: { evidence in
                guard case .object(let members)? = evidence.inside[["environment"]]?.content else {
                    return Judgement(.notHeld, "it could not be read")
                }
                // What is in these is made with the jail, and no part of the plan; see `secrets`.
                let others = members.filter { !made.contains($0.key) }
                let found = Set(others.map { "\($0.key)=\($0.value.text ?? "")" })
                let wrong = found.symmetricDifference(planned).map { String($0.prefix { $0 != "=" }) }
                return wrong.isEmpty
                    ? Judgement(.held, "\(planned.count) variables")
                    : Judgement(.notHeld, "other than planned: \(Set(wrong).sorted().joined(separator: ", "))")
            })
    }
}
