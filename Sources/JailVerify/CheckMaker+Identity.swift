internal import JailCore
internal import JailPlan
internal import JailPolicy

/// Who the command is, and what it may not become.
extension CheckMaker {
    func identity() -> [Check] {
        let inside = plan.identity.inside
        let uid = "\(inside.uid)"
        let gid = "\(inside.gid)"
        return [
            Check(
                "who.user", "not root: uid \(uid) and gid \(gid) inside",
                keys: ["process.inside.uid", "process.inside.gid"],
                tried: "/proc/self/status",
                [
                    .fact("identity", "uids", is: Array(repeating: uid, count: 4).joined(separator: " ")),
                    .fact("identity", "gids", is: Array(repeating: gid, count: 4).joined(separator: " ")),
                ]),
            hostUser,
            groups,
            Check(
                "who.capabilities", "no capability, now or later", tried: "/proc/self/status, five sets",
                ["effective", "permitted", "inheritable", "bounding", "ambient"].map {
                    Expectation(.fact(["identity", "capabilities", $0]), ["0000000000000000"])
                }),
            Check(
                "who.privileges", "no program gains privileges", tried: "no_new_privs, setuid(0), setgroups()",
                [.fact("process", "noNewPrivileges", is: "1")]
                    + [.attempt("become root", is: "errno EINVAL", "errno EPERM")]
                    + [.attempt("setgroups", is: "errno EPERM")],
                judge: { evidence in
                    // noroot and no_setuid_fixup of capabilities(7), each with its lock.
                    let bits = evidence.inside.fact(["identity", "secureBits"]).flatMap { Int($0) } ?? 0
                    return Judgement(bits & 0xF == 0xF, "no_new_privs, secure bits \(bits)")
                }),
            Check(
                "who.scheduling", "no advantage over others on the host", tried: "SCHED_FIFO, nice -5, a higher limit",
                [
                    .fact("process", "nice", is: "0"), .fact("process", "scheduler", is: "0"),
                    .attempt("real-time scheduling", is: "errno EPERM"),
                    .attempt("nice -5", is: "errno EACCES", "errno EPERM"),
                    .attempt("raise limit", is: "errno EPERM"),
                ]),
        ]
    }

    /// As the host sees it.
    private var hostUser: Check {
        let host = plan.identity.host
        return Check(
            "who.host", "on the host it is uid \(host.uid), and nobody with rights",
            keys: ["process.user"], tried: "/proc/PID/status outside",
            judge: { evidence in
                let users = evidence.outside.users
                guard users.count == 4 else { return Judgement(.notHeld, "its process was not found") }
                let groups = evidence.outside.groups
                let isRight =
                    users.allSatisfy { $0 == "\(host.uid)" } && groups.allSatisfy { $0 == "\(host.gid)" }
                    && groups.count == 4 && host.uid != 0
                return Judgement(isRight, "uid \(users[1]), gid \(groups.count == 4 ? groups[1] : "?")")
            })
    }

    private var groups: Check {
        guard !isLeftOut(.groups) else {
            return Check(
                "who.groups", "none of the caller's supplementary groups", keys: ["optional"], tried: "getgroups()",
                judge: { _ in Judgement(.notTried, "left out, as the profile allows: groups") })
        }
        return Check(
            "who.groups", "none of the caller's supplementary groups", keys: ["optional"], tried: "getgroups()",
            [.fact("identity", "groups", is: "")])
    }
}
