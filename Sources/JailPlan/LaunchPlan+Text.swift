internal import JailCore
internal import JailPolicy

extension LaunchPlan {
    /// Everything that would happen, in order, in words that a system administrator reads.
    package var text: String {
        var output = PlanText()
        output.heading("jail '\(name)', profile '\(profile)'")
        for file in profileFiles { output.line("profile", file) }
        if command.isNone {
            output.line("command", "none: it waits for what is executed in it")
        } else {
            output.line("command", command.arguments.map(\.quotedForShell).joined(separator: " "))
            output.line("program", command.path)
        }
        output.line("directory", command.workingDirectory)
        output.line(
            "terminal", command.terminal ? "of its own" : "none; standard input, output and error are the caller's")
        output.line("environment", command.environment.map { $0.printable }.joined(separator: " "))
        describeIdentity(&output)
        describeLimits(&output)
        describeMounts(&output)
        describeNetwork(&output)
        if let health {
            output.heading("health, asked from outside")
            for text in health.shown { output.line("", text) }
        }
        if let restart {
            output.heading("restart, unless a service manager does it")
            for text in restart.shown { output.line("", text) }
        }
        if let alerts { describe(alerts, &output) }
        if let secrets = network.egress?.secrets, !secrets.isEmpty {
            output.heading("secrets, of which placeholders are inside")
            for binding in secrets.bindings { output.line("", binding.shown) }
            for name in secrets.names { output.line(name, "from \(secrets.source(of: name).shown)") }
        }
        if !canaries.isEmpty {
            output.heading("canaries, which open nothing")
            for canary in canaries { output.line("", canary.shown) }
        }
        if let approvals {
            output.heading("approvals, by 'clawjail approvals'")
            for text in approvals.rules.shown + (approvals.notify?.shown ?? []) { output.line("", text) }
        }
        if let spend = network.egress?.spend {
            output.heading("spend, at providers of language models")
            for text in spend.rules.shown { output.line("", text) }
            output.line("written down", spend.ledger)
        }
        if let sessions { describe(sessions, &output) }
        if let commands { describe(commands, &output) }
        describeWalls(&output)
        if !leftOut.isEmpty {
            output.heading("left out, as the profile allows")
            for entry in leftOut { output.line(entry.protection.rawValue, entry.reason) }
        }
        if !notes.isEmpty {
            output.heading("to know")
            for note in notes { output.item(note) }
        }
        return output.text
    }

    private func describe(_ alerts: AlertsPlan, _ output: inout PlanText) {
        output.heading("alerts")
        for rule in alerts.rules { output.line("", rule.shown) }
        for action in AlertAction.allCases {
            guard let program = alerts.programs[action] else { continue }
            let words = ([program.path] + program.arguments.dropFirst()).map(\.quotedForShell)
            output.line("\(action.rawValue), outside", words.joined(separator: " "))
        }
        if let webhook = alerts.webhook { output.line("webhook", webhook.shown) }
        if let baseline = alerts.baseline { output.line("what is usual", baseline) }
    }

    private func describeIdentity(_ output: inout PlanText) {
        output.heading("who")
        let inside = identity.inside
        output.line("inside", "\(inside.user), uid \(inside.uid), gid \(inside.gid), home \(inside.home)")
        output.line("on the host", "\(identity.host.name), uid \(identity.host.uid), gid \(identity.host.gid)")
        switch identity.groups {
        case .notNeeded: output.line("groups", "none besides that one")
        case .byRoot: output.line("groups", "dropped")
        case .byHelper(let path, let group): output.line("groups", "dropped, by \(path) and subordinate gid \(group)")
        case .impossible(let reason): output.line("groups", "kept: \(reason)")
        }
        output.line(
            "namespaces",
            "user, mount, pid, net, ipc, uts, cgroup" + (namespaces.time ? ", time (clocks start at zero)" : ""))
        output.line("host name", namespaces.hostName)
    }

    private func describeLimits(_ output: inout PlanText) {
        output.heading("limits")
        if let cgroup = limits.cgroup {
            switch cgroup.place {
            case .v1(let parents):
                for controller in CgroupPlan.Controller.allCases {
                    if let parent = parents[controller] { output.line("cgroup v1", "\(parent)/\(cgroup.name)") }
                }
            case .v2(let parent): output.line("cgroup v2", "\(parent)/\(cgroup.name)")
            case .scope(let scope):
                output.line(
                    "cgroup v2",
                    "\(scope.prefix)-PID.scope/\(cgroup.name), a scope asked of the \(scope.manager) service manager")
            }
            if let memory = cgroup.memory {
                output.line("memory", "\(ByteCount.text(memory)), and \(ByteCount.text(cgroup.swap)) of swap")
            }
            if let processes = cgroup.processes { output.line("processes", "\(processes - 1), and jail init") }
            if let cpus = cgroup.milliCPUs { output.line("cpus", "\(cpus / 1000).\(cpus % 1000 / 100)") }
        }
        for entry in limits.resources { output.line("\(entry.resource)".spaced, "\(entry.value)") }
        if let data {
            let how = data.enforcement == .watched ? "watched, not enforced" : "enforced by a file system of that size"
            output.line("data", "\(ByteCount.text(data.size)) in \(data.target): \(how)")
        }
        if let review { describe(review, &output) }
    }

    private func describe(_ review: ReviewPlan, _ output: inout PlanText) {
        output.line(
            "changes", "\(ByteCount.text(review.size)) of what is written to \(review.target): watched, not enforced")
    }

    private func describeMounts(_ output: inout PlanText) {
        output.heading("files, in this order; the rest of the host is not there")
        for step in mounts { output.line(step.verb, step.sentence) }
        output.line("then", "the new tree becomes the root, the host's is detached, the root is read-only")
    }

    private func describeNetwork(_ output: inout PlanText) {
        output.heading("network")
        if let egress = network.egress {
            output.line("inside", "a loopback of its own, where every address leads to the way out")
            output.line("way out", "\(egress.program), as uid \(egress.identity.host.uid) without any right")
            if let group = egress.group {
                output.line("shared", "that process, with the jails of group '\(group)': \(egress.share)")
            }
            output.line("names", "asked of \(EgressPlan.addressText), which answers for what the rules allow")
            output.line("proxy", "http://\(EgressPlan.addressText):\(egress.proxyPort)")
            output.line("ports", egress.ports.map(String.init).joined(separator: " ") + "; every other one is refused")
            output.line("trust", egress.trust.map { "\($0), and a CA of this jail's own" } ?? "a CA of this jail's own")
            output.line("if it ends", egress.onExit.sentence)
        } else {
            output.line("inside", "a loopback of its own, and nothing else")
        }
        for port in network.publish {
            output.line(
                "published",
                "\(port.hostText) on the host leads to port \(port.jailPort) of the jail's 127.0.0.1"
                    + (port.token.map { ", for those who show the token '\($0)'" } ?? ""))
        }
    }

    private func describe(_ sessions: SessionsPlan, _ output: inout PlanText) {
        output.heading("sessions, made beside this jail when its programs ask for them")
        output.line("profile", "\(sessions.profile.name), as it is now; at most \(sessions.most) at the same time")
        for file in sessions.profile.files { output.line("", file) }
        for root in sessions.roots {
            output.line(
                "workspaces",
                "\(root.path) from \(root.hostPath) and what is below, \(root.readOnly ? "read-only" : "writable")")
        }
        if !sessions.secrets.isEmpty {
            output.line(
                "secrets", "\(sessions.secrets.joined(separator: ", ")): each session those that it is asked for with")
        }
        output.line("asked for", "by \(sessions.program), at \(SessionsPlan.socket)")
    }

    private func describe(_ commands: CommandsPlan, _ output: inout PlanText) {
        output.heading("commands, run for programs of the jail")
        for (rule, place) in zip(commands.rules.rules, commands.places) {
            output.line(rule.name, rule.shown)
            if place != .jail { output.line("", "which runs \(place.shown)") }
        }
        output.line("asked for", "by \(commands.stubs.joined(separator: ", ")), at \(CommandsPlan.socket)")
    }

    private func describeWalls(_ output: inout PlanText) {
        output.heading("walls, in this order")
        if let appArmor {
            output.line(
                "apparmor",
                "profile '\(appArmor.profile)', "
                    + (appArmor.confinement.map { "beside '\($0)' that clawjail runs in (stack), " } ?? "(exec) ")
                    + "when a command is executed")
        }
        if let landlock {
            let count = { (access: LandlockPlan.Rule.Access) in landlock.rules.count { $0.access == access } }
            output.line(
                "landlock",
                "ABI \(landlock.abi): read everywhere in the tree, execute \(count(.execute)) paths, "
                    + "write \(count(.write) + count(.all)), devices \(count(.device))")
            if let ports = landlock.bindPorts { output.line("", "TCP ports that may be bound: \(ports)") }
            if landlock.scoped { output.line("", "no signals and no abstract sockets beyond the jail") }
        }
        if let withheld = commands?.withheld {
            output.line(
                "",
                "of its own for the command: neither reads nor executes \(withheld.programs.joined(separator: ", "))")
            if !withheld.files.isEmpty { output.line("", "nor \(withheld.files.count) files that only these need") }
        }
        output.line("capabilities", "all five sets empty, bounding included; no_new_privs")
        output.line(
            "seccomp",
            "list '\(seccomp.variant.rawValue)'"
                + (seccomp.additional.isEmpty ? "" : " and \(seccomp.additional.joined(separator: ", "))")
                + "; everything else is refused")
        if selfTest { output.line("self-test", "before the command starts, init makes sure of its walls") }
        output.line("stop", "SIGTERM, and SIGKILL after \(stopGrace) ms")
    }
}

/// Two columns under headings.
private struct PlanText {
    private(set) var text = ""

    mutating func heading(_ title: String) { text += (text.isEmpty ? "" : "\n") + title.printable + "\n" }

    mutating func line(_ label: String, _ value: String) {
        let padding = String(repeating: " ", count: max(1, 13 - label.count))
        text += "  \(label)\(padding)\(value.printable)\n"
    }

    mutating func item(_ value: String) { text += "  - \(value.printable)\n" }
}

extension MountStep {
    fileprivate var verb: String {
        switch self {
        case .directory: "directory"
        case .file: "file"
        case .script: "script"
        case .trust: "trust"
        case .symlink: "symlink"
        case .bind(let bind): bind.purpose.rawValue
        case .overlay: "review"
        case .tmpfs: "tmpfs"
        case .proc: "proc"
        case .devpts: "devpts"
        case .cover: "cover"
        case .pin: "pin"
        case .socket: "socket"
        case .canary: "canary"
        }
    }

    fileprivate var sentence: String {
        switch self {
        case .directory(let path, _): path
        case .file(let path, let content, _): "\(path), generated, \(content.utf8.count) bytes"
        case .script(let path, let content): "\(path), runs \(content.dropFirst(2).prefix { $0 != "\n" })"
        case .trust(let path, let file, _): "\(path), \(file.sentence)"
        case .symlink(let path, let target): "\(path) → \(target)"
        case .bind(let bind):
            (bind.source == bind.target ? bind.target : "\(bind.target) from \(bind.source)")
                + " (\(bind.attributes.words))"
        case .overlay(let overlay):
            "\(overlay.target) from \(overlay.source), what is changed to \(overlay.layer) (\(overlay.attributes.words))"
        case .tmpfs(let tmpfs): "\(tmpfs.target), \(ByteCount.text(tmpfs.size)) (\(tmpfs.attributes.words))"
        case .proc(let path): "\(path), fresh, read-only, other users' processes invisible"
        case .devpts(let path): "\(path), terminals of the jail's own"
        case .pin(let path): "\(path), stays where it is"
        case .cover(let path, _): "\(path), shows the jail and not the host"
        case .socket(CommandsPlan.socket): "\(CommandsPlan.socket), where commands are asked for"
        case .socket(let path): "\(path), where sessions are asked for"
        case .canary(let path, _): "\(path), made with the jail"
        }
    }
}

extension EgressPlan {
    /// How many share the process, and what they share of it.
    fileprivate var share: String {
        let words = resources.compactMap { entry in
            switch entry.resource {
            case .openFiles: "\(entry.value) open files"
            case .data: "\(ByteSize.format(entry.value)) of memory"
            default: nil
            }
        }
        return "up to \(Self.mostSharing), with \(words.joined(separator: " and ")) for all of them"
    }
}

extension TrustFile {
    fileprivate var sentence: String {
        switch self {
        case .bundle: "the host's certificates and the jail's CA"
        case .authority: "the jail's CA"
        case .java: "the host's certificates and the jail's CA, for Java"
        }
    }
}

extension GatewayExit {
    fileprivate var sentence: String {
        switch self {
        case .restart: "it is started again, with the same CA"
        case .block: "the jail goes on without a network"
        case .stop: "the jail is stopped"
        }
    }
}

extension MountAttributes {
    /// As mount(8) says it.
    package var words: String {
        var words = [contains(.readOnly) ? "ro" : "rw"]
        if contains(.noSetuid) { words.append("nosuid") }
        if contains(.noDevices) { words.append("nodev") }
        if contains(.noExec) { words.append("noexec") }
        return words.joined(separator: ",")
    }
}

extension String {
    /// Quoted where a shell would need it.
    package var quotedForShell: String {
        let plain = utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0)
                || [0x2B, 0x2C, 0x2D, 0x2E, 0x2F, 0x3A, 0x3D, 0x40, 0x5F].contains($0)
        }
        if plain, !isEmpty { return self }
        var quoted = "'"
        for character in self { quoted += character == "'" ? "'\\''" : String(character) }
        return quoted + "'"
    }

    /// `openFiles` → `open files`.
    fileprivate var spaced: String {
        var result = ""
        for character in self { result += character.isUppercase ? " " + character.lowercased() : String(character) }
        return result
    }
}
