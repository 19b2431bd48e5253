internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What is there to be read, and what to be written.
extension CheckMaker {
    func files() -> [Check] {
        [readOnlyRoot, hidden, homes, mounts] + writing + review + kernelFiles + sizes + data
    }

    /// Whether the plan shows something there, or above it.
    func isShown(_ path: String) -> Bool {
        plan.mounts.contains { step in
            switch step {
            case .directory, .pin, .proc, .devpts: step.path == path
            case .bind, .overlay, .tmpfs: step.path == path || path.isBelow(step.path)
            case .file, .script, .trust, .symlink, .cover, .socket, .canary: step.path == path
            }
        }
    }

    private func isWritable(_ path: String) -> Bool {
        (writable.map(\.target) + scratch.map(\.target)).contains { path == $0 || path.isBelow($0) }
    }

    private var readOnlyRoot: Check {
        let others = ["/usr", "/etc", "/dev", "/run", "/home"].filter { !isWritable($0) }
        return Check(
            "files.root", "what is not meant to be written is read-only: \"Read-only file system\"",
            keys: ["filesystem.root", "filesystem.root.directory"], tried: "a new file in / and below",
            [.attempt("create in /", is: "errno EROFS")]
                + Expectation.attempts(others.map { "create in \($0)" }, are: "errno EROFS", "errno ENOENT"))
    }

    /// What hardening guides tell people to look for by hand.
    private var hidden: Check {
        let paths = [
            "/etc/shadow", "/etc/gshadow", "/etc/sudoers", "/etc/machine-id", "/root", "/sys/kernel", "/var/log",
            "/boot", plan.stateDirectory, plan.runtimeDirectory,
        ].filter { !isShown($0) }
        let sockets = ["/run/docker.sock", "/var/run/docker.sock", "/run/systemd/private"].filter { !isShown($0) }
        let absent = ["errno ENOENT", "errno ENOTDIR", "errno EACCES", "errno EPERM"]
        return Check(
            "files.hidden", "nothing of the host's is there to be read: /etc/shadow, /root, docker.sock …",
            keys: ["filesystem.read", "filesystem.read[].source", "filesystem.read[].target"],
            tried: "opened, connected to",
            arguments: paths.flatMap { ["--read", $0] } + sockets.flatMap { ["--socket", $0] },
            paths.map { Expectation(.attempt("read \($0)"), absent) }
                + sockets.map { Expectation(.attempt("connect \($0)"), absent) })
    }

    private var homes: Check {
        let planned = Set(
            plan.mounts.map(\.path).filter { $0.isBelow("/home") }.map {
                String($0.remainder(below: "/home").prefix { $0 != "/" })
            })
        return Check(
            "files.homes", "no home directory but its own", keys: ["process.inside.home"], tried: "ls /home",
            judge: { evidence in
                guard let names = evidence.inside[["directories", "/home"]] else {
                    return Judgement(.notHeld, "could not be tried")
                }
                // Of a directory that is not there, or that nobody may list.
                let found = names.elements?.compactMap(\.text) ?? []
                let strange = found.filter { !planned.contains($0) }
                let shown = strange.isEmpty ? found : strange
                return Judgement(strange.isEmpty, shown.isEmpty ? "none" : shown.joined(separator: " "))
            })
    }

    /// What the kernel says of every mount.
    private var mounts: Check {
        let rules = MountRules(plan, added: trial.added)
        return Check(
            "files.mounts", "mounts: writable as planned, nosuid, nodev, noexec, and out of the host's reach",
            keys: [
                "filesystem.write", "filesystem.write[].source", "filesystem.write[].target",
                "filesystem.executeWritable",
            ],
            tried: "/proc/self/mountinfo",
            judge: { evidence in
                let found = evidence.inside[["mounts"]]?.elements?.compactMap(MountFinding.init) ?? []
                guard !found.isEmpty else { return Judgement(.notHeld, "they could not be read") }
                let wrong = found.compactMap(rules.complaint)
                let targets = Set(found.map(\.target))
                let missing = rules.planned.filter { !targets.contains($0) }.map { "\($0): is not there" }
                let all = wrong + missing
                return all.isEmpty
                    ? Judgement(.held, "\(found.count) mounts as planned")
                    : Judgement(.notHeld, all.prefix(4).joined(separator: ", "))
            })
    }

    /// Where something may be written it can be; and what was written there is no program, unless that was meant.
    private var writing: [Check] {
        let places = scratch.map { ($0.target, $0.attributes) } + writable.map { ($0.target, $0.attributes) }
        guard !places.isEmpty else { return [] }
        let targets = places.map(\.0)
        let closed = places.filter { $0.1.contains(.noExec) }.map(\.0)
        let open = places.filter { !$0.1.contains(.noExec) }.map(\.0)
        var checks = [
            Check(
                "files.write", "what is meant to be written can be: \(targets.joined(separator: ", "))",
                keys: ["filesystem.write", "filesystem.workspace"], tried: "a new file in each",
                arguments: targets.flatMap { ["--write", $0] },
                Expectation.attempts(targets.map { "create in \($0)" }, are: "ok")),
            Check(
                "files.devices", "no device can be made there", tried: "mknod()",
                arguments: targets.flatMap { ["--execute", $0] },
                Expectation.attempts(
                    targets.map { "make device in \($0)" }, are: "errno EACCES", "errno EPERM")),
        ]
        if !closed.isEmpty {
            checks.append(
                Check(
                    "files.noexec", "what was written cannot be executed, nor loaded as a library",
                    keys: ["filesystem.executeWritable"], tried: "execve(), mmap(PROT_EXEC)",
                    arguments: closed.flatMap { ["--execute", $0] },
                    Expectation.attempts(
                        closed.flatMap { ["execute from \($0)", "map executable from \($0)"] }, are: "errno EACCES",
                        "errno EPERM")))
        }
        if !open.isEmpty {
            checks.append(
                Check(
                    "files.exec", "what was written can be executed, as the profile says",
                    keys: ["filesystem.executeWritable"], tried: "execve()",
                    arguments: open.flatMap { ["--execute", $0] },
                    Expectation.attempts(open.map { "execute from \($0)" }, are: "ok")))
        }
        return checks
    }

    /// Of a workspace whose changes are kept apart.
    private var review: [Check] {
        let overlays = plan.mounts.compactMap { if case .overlay(let overlay) = $0 { overlay } else { nil } }
        return overlays.flatMap { overlay in
            [
                Check(
                    "files.review", "what is changed in \(overlay.target) stays apart from \(overlay.source)",
                    keys: ["filesystem.workspace", "filesystem.workspace.mode"], tried: "/proc/self/mountinfo",
                    judge: { evidence in
                        let mounts = evidence.inside[["mounts"]]?.elements ?? []
                        // The last one on a place is the one that is seen.
                        let type = mounts.last { $0["target"]?.text == overlay.target }?["type"]?.text
                        return Judgement(type == "overlay", type ?? "no mount")
                    }),
                Check(
                    "limits.review", "\(ByteCount.text(plan.review?.size ?? 0)) of changes are kept",
                    keys: ["filesystem.workspace.size"], tried: "not tried",
                    judge: { _ in
                        Judgement(.notTried, "watched, not enforced: the supervisor ends the jail when it is over")
                    }),
            ]
        }
    }

    private var kernelFiles: [Check] {
        let written = ["/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/proc/sys/kernel/hostname"]
        let read = ["/dev/kmsg", "/dev/mem", "/proc/kcore", "/proc/kmsg"]
        return [
            Check(
                "files.kernel", "the kernel's settings and memory are out of reach",
                tried: "core_pattern, sysrq-trigger, /dev/mem, kcore …",
                (written.map { "write \($0)" } + read.map { "read \($0)" }).map {
                    Expectation(.attempt($0), ["errno ENOENT", "errno EACCES", "errno EPERM", "errno EROFS"])
                })
        ]
    }

    /// File systems in memory end where the profile says.
    private var sizes: [Check] {
        let fileSize = plan.limits.resources.first { $0.resource == .fileSize }?.value
        return scratch.map { tmpfs in
            let key =
                ["/tmp": "filesystem.tmp", "/dev/shm": "filesystem.sharedMemory"][tmpfs.target] ?? "filesystem.home"
            let pages = (tmpfs.size + 4095) / 4096 * 4096
            let trial = "\(pages + 4096):\(tmpfs.target)"
            let ends = ["errno ENOSPC"] + (fileSize.map { $0 < pages + 4096 } == true ? ["errno EFBIG"] : [])
            return Check(
                "limits.size\(tmpfs.target.replacingSlashes)",
                "\(tmpfs.target) is full at \(ByteCount.text(tmpfs.size))",
                keys: [key], tried: "a page more than that",
                arguments: ["--reserve", trial], [Expectation(.attempt("reserve \(trial)"), ends)],
                judge: { evidence in
                    let size = evidence.inside[["sizes", tmpfs.target]]?.integer
                    return Judgement(
                        size == Int64(clamping: pages),
                        "No space left on device; \(size.map { ByteCount.text(UInt64(clamping: $0)) } ?? "?") in all")
                })
        }
    }

    private var data: [Check] {
        guard let data = plan.data else { return [] }
        let keys = [
            "filesystem.data", "filesystem.data.size", "filesystem.data.target", "filesystem.data.mustEnforceSize",
        ]
        let promise = "\(data.target) is full at \(ByteCount.text(data.size))"
        guard data.enforcement != .watched else {
            return [
                Check("limits.data", promise, keys: keys, tried: "not tried") { _ in
                    Judgement(.notTried, "watched, not enforced: the supervisor ends the jail when it is over")
                }
            ]
        }
        let trial = "\(data.size + 4096):\(data.target)"
        return [
            Check(
                "limits.data", promise, keys: keys, tried: "a page more than that", arguments: ["--reserve", trial],
                [.attempt("reserve \(trial)", is: "errno ENOSPC", "errno EFBIG")])
        ]
    }
}

extension String {
    fileprivate var replacingSlashes: String { split(separator: "/").map { ".\($0)" }.joined() }
}
