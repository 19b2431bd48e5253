internal import JailCore
internal import JailPlan
internal import JailPolicy

/// What may be executed.
extension CheckMaker {
    func programs() -> [Check] { [listed, absent, memory] + wall + appArmor + kept }

    /// Everything that the kernel would execute, found by looking, is something that the plan shows for that.
    private var listed: Check {
        let shown = binds.filter { !$0.attributes.contains(.noExec) }
        let directories = shown.filter(\.isDirectory).map(\.target)
        let files = Set(shown.filter { !$0.isDirectory }.map(\.target)).union(trial.added)
        let programs = shown.filter { !$0.isDirectory && $0.purpose == .program }.map(\.target)
        // What lies in file systems of the jail's own was not there when it started.
        let own = scratch.map(\.target)
        return Check(
            "programs.listed", "nothing can be executed but what the profile lists, and what that needs",
            keys: ["process.programs"], tried: "every file looked at",
            arguments: ["--programs"] + (directories + own).flatMap { ["--unscanned", $0] },
            judge: { evidence in
                guard let found = evidence.inside[["programs", "paths"]]?.elements?.compactMap(\.text),
                    evidence.inside.fact(["programs", "complete"]) == "yes"
                else { return Judgement(.notHeld, "not everything could be looked at") }
                let strange = found.filter { path in
                    !files.contains(path) && !directories.contains { path.isBelow($0) }
                }
                guard strange.isEmpty else {
                    return Judgement(.notHeld, "may be executed: \(strange.prefix(4).joined(separator: ", "))")
                }
                let missing = programs.filter { !found.contains($0) }
                guard missing.isEmpty else {
                    return Judgement(.notHeld, "may not be executed: \(missing.prefix(4).joined(separator: ", "))")
                }
                let words = directories.isEmpty ? "" : ", and below \(directories.joined(separator: ", "))"
                return Judgement(.held, "\(found.count) files\(words)")
            })
    }

    /// By the names that people and exploits try.
    private var absent: Check {
        let names = [
            "sh", "bash", "dash", "busybox", "env", "perl", "python3", "curl", "wget", "sudo", "su", "apt-get",
        ]
        let paths = names.map { "/usr/bin/\($0)" }.filter { !isShown($0) }
        guard !paths.isEmpty else {
            return Check(
                "programs.shell", "a shell and the host's programs", keys: ["process.shell"], tried: "/usr/bin/sh",
                arguments: ["--start", "/usr/bin/sh"], [.attempt("start /usr/bin/sh", is: "ok")])
        }
        return Check(
            "programs.shell", "no shell and no tool is there that is not listed",
            keys: ["process.shell", "process.programs"],
            tried: "\(paths.count) of the usual names", arguments: paths.flatMap { ["--start", $0] },
            Expectation.attempts(paths.map { "start \($0)" }, are: "errno ENOENT", "errno EACCES"))
    }

    private var memory: Check {
        let attempts = ["memfd", "memfd execveat", "memfd execve"]
        guard plan.seccomp.variant == .strict else {
            return Check(
                "programs.memory", "programs in memory, as a shell's tools need them", keys: ["process.shell"],
                tried: "memfd_create(), execveat()", [.attempt("memfd execveat", is: "ok")])
        }
        return Check(
            "programs.memory", "no program can be made in memory", keys: ["process.shell"],
            tried: "memfd_create(), execveat()",
            Expectation.attempts(attempts, are: "errno ENOSYS", "errno EPERM", "errno EACCES"))
    }

    /// The second wall: the mount itself lets a library be executed, and glibc's is a program as well.
    private var wall: [Check] {
        if isLeftOut(.landlock) {
            return [
                Check("programs.wall", "Landlock", keys: ["optional"], tried: "not tried") { _ in
                    Judgement(.notTried, "left out, as the profile allows: landlock")
                }
            ]
        }
        guard let rules = plan.landlock?.rules.filter({ $0.access == .execute || $0.access == .all }),
            let library = binds.first(where: { bind in
                !bind.isDirectory && !bind.attributes.contains(.noExec)
                    && bind.target.split(separator: "/").last == "libc.so.6"
                    && !rules.contains { bind.target == $0.path || bind.target.isBelow($0.path) }
            })?.target
        else { return [] }
        return [
            Check(
                "programs.wall", "what is there to be loaded cannot be started: Landlock stands", keys: ["optional"],
                tried: library, arguments: ["--start", library], [.attempt("start \(library)", is: "errno EACCES")])
        ]
    }

    /// Programs of `commands` that run in the jail itself.
    private var kept: [Check] {
        guard let programs = plan.commands?.withheld?.programs else { return [] }
        return [
            Check(
                "commands.kept", "what is run for the jail by rules, its own command cannot start", keys: ["commands"],
                tried: programs.joined(separator: ", "), arguments: programs.flatMap { ["--start", $0] },
                Expectation.attempts(programs.map { "start \($0)" }, are: "errno EACCES"))
        ]
    }

    private var appArmor: [Check] {
        if isLeftOut(.apparmor) {
            return [
                Check("programs.apparmor", "AppArmor", keys: ["process.apparmor", "optional"], tried: "not tried") {
                    _ in
                    Judgement(.notTried, "left out, as the profile allows: apparmor")
                }
            ]
        }
        guard let name = plan.appArmor?.profile else { return [] }
        return [
            Check(
                "programs.apparmor", "confined by the AppArmor profile '\(name)'", keys: ["process.apparmor"],
                tried: "/proc/self/attr/current",
                judge: { evidence in
                    let found = evidence.inside.fact(["process", "appArmor"]) ?? ""
                    // Below what clawjail itself is confined by: `own//&name (enforce)`.
                    let words = found.split(separator: " ")
                    let names = (words.first.map(String.init) ?? "").split(separator: "&").map {
                        $0.hasSuffix("//") ? $0.dropLast(2) : $0
                    }
                    return Judgement(
                        names.contains { $0 == name } && words.last == "(enforce)", found.isEmpty ? "unconfined" : found
                    )
                })
        ]
    }
}
