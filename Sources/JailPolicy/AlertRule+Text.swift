extension AlertRule {
    /// What it tells of, in plain words: `more than 30 connections and requests within 1m`.
    package var condition: String {
        switch watch.kind {
        case .threshold:
            let amount = watch.text(above ?? 0)
            let time = TimeSpan.format(within)
            return switch watch {
            case .memory: "more than \(amount) of memory in use"
            case .stderr: "more than \(amount) on standard error within \(time)"
            case .upload: "more than \(amount) sent within \(time)"
            case .spend: "more than \(amount) spent within \(time)"
            case .denials: "more than \(amount) denials within \(time)"
            default: "more than \(amount) connections and requests within \(time)"
            }
        case .pattern:
            let texts = matching.map(\.text).joined(separator: ", ")
            return switch watch {
            case .hosts: "a host like \(texts) is asked for"
            case .paths: "a path like \(texts) is asked for"
            case .commands: "a command like \(texts) is executed"
            default: "a file like \(texts) is named"
            }
        case .anomaly:
            let time = TimeSpan.format(learn)
            return switch watch {
            case .newHost: "a host that was not asked for in \(time) or since"
            case .unusualHour: "activity in an hour of the day that had none in \(time) or since"
            default: "an hour with far more traffic than in \(time) or since"
            }
        case .occurrence:
            return switch watch {
            case .canary: "a canary is seen"
            case .secretMisuse: "a placeholder is sent where its secret is not bound to"
            default: "a secret comes back in an answer"
            }
        }
    }

    /// For people, on one line.
    package var shown: String {
        let actions = (["log"] + actions.map(\.rawValue)).joined(separator: ", ")
        return "\(name): \(condition); \(severity.rawValue), to \(actions), at most once in \(TimeSpan.format(every))"
    }
}

extension AlertRules {
    /// Programs of the host's that actions need: the name to look for, and what of the profile asks for it.
    package var hostPrograms: [(action: AlertAction, name: String, key: String)] {
        let actions = all.flatMap(\.actions)
        var programs: [(action: AlertAction, name: String, key: String)] = []
        if actions.contains(.desktop) { programs.append((.desktop, "notify-send", "alerts.rules")) }
        if actions.contains(.webhook) { programs.append((.webhook, "curl", "alerts.webhook")) }
        if actions.contains(.command), let program = command.first {
            programs.append((.command, program, "alerts.command"))
        }
        return programs
    }

    /// What a reader of the profile should know, besides the rules themselves.
    package func notes(for profile: Profile) -> [String] {
        var notes: [String] = []
        let rules = all
        func names(_ isMeant: (AlertRule) -> Bool) -> String? {
            let names = rules.filter(isMeant).map { "'\($0.name)'" }
            return names.isEmpty ? nil : names.joined(separator: ", ")
        }
        if profile.limits.memory == nil, let names = names({ $0.watch == .memory }) {
            notes.append("alerts.rules: \(names) sees nothing: what is in use is counted only under limits.memory")
        }
        if !profile.hasWayOut,
            let names = names({ [.connections, .upload, .paths, .newHost, .unusualVolume].contains($0.watch) })
        {
            notes.append("alerts.rules: \(names) sees nothing: the profile allows nothing outside")
        }
        if profile.canaries.isEmpty, let names = names({ $0.watch == .canary && !isDefault($0) }) {
            notes.append("alerts.rules: \(names) sees nothing: the profile plants no canaries")
        }
        return notes
    }

    private func isDefault(_ rule: AlertRule) -> Bool { defaults && !self.rules.contains { $0.name == rule.name } }
}
