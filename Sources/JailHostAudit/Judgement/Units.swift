internal import AuditLog
internal import JailCore
internal import JailPlan

/// Units of systemd, as the files say them.
extension HostAudit {
    @Sendable static func unitFiles(_ picture: HostPicture) -> [HostFinding] {
        picture.units.flatMap { unit -> [HostFinding] in
            var found: [HostFinding] = []
            if !unit.isOfUser, !unit.isOfClawjail, !unit.isOn("DynamicUser"),
                ["root", "0"].contains(unit.value("User") ?? "root")
            {
                found.append(
                    HostFinding(
                        .unitRoot, .critical, unit.name, seen: "User= is \(unit.value("User") ?? "not set")",
                        remedy: "User= in 'sudo systemctl edit \(unit.name.quotedForShell)', or: \(setup)"))
            }
            if let file = unit.files.first(where: { isAnothers($0, unit, picture) }) {
                found.append(
                    HostFinding(
                        .unitWritable, .critical, file.path,
                        seen: "mode \(file.modeText), of \(picture.userName(file.uid))",
                        remedy: unit.isOfUser
                            ? "chmod go-w \(file.path.quotedForShell)"
                            : "sudo chown root: \(file.path.quotedForShell) && sudo chmod 644 \(file.path.quotedForShell)",
                        fixes: [ModeFix(file, taking: 0o022)].compactMap(\.self)))
            }
            let secrets = unit.secrets
            if !secrets.isEmpty {
                found.append(
                    HostFinding(
                        .unitSecret, .high, unit.name, seen: list(secrets),
                        remedy: "EnvironmentFile= with mode 600, or LoadCredential=, and a new secret"))
            }
            return found
        }
    }

    private static func isAnothers(_ file: FileView, _ unit: UnitView, _ picture: HostPicture) -> Bool {
        !file.isLink && (isOpen(file, picture) || (!unit.isOfUser && file.uid != 0))
    }

    // MARK: Hardening

    /// A unit that starts clawjail has its walls inside.
    @Sendable static func unitHardening(_ picture: HostPicture) -> [HostFinding] {
        picture.units.filter { !$0.isOfClawjail && !$0.values("ExecStart").isEmpty }.flatMap(hardening)
    }

    private static func hardening(_ unit: UnitView) -> [HostFinding] {
        var found: [HostFinding] = []
        func miss(_ check: HostCheck, _ severity: Severity, _ lines: String) {
            // Most of them are root's to give; a user's manager can do little.
            found.append(
                HostFinding(
                    check, unit.isOfUser ? .low : severity, unit.name,
                    seen: "\(lines.replacing("\n", with: ", ")) missing",
                    remedy:
                        "\(unit.isOfUser ? "systemctl --user" : "sudo systemctl") edit \(unit.name.quotedForShell): \(lines.replacing("\n", with: "; "))"
                ))
        }
        if !unit.isOn("NoNewPrivileges"), !unit.isOn("DynamicUser") {
            miss(.unitNewPrivileges, .medium, "NoNewPrivileges=yes")
        }
        if !["strict", "full"].contains(unit.value("ProtectSystem") ?? ""), !unit.isOn("DynamicUser") {
            miss(.unitProtectSystem, .medium, "ProtectSystem=strict")
        }
        if !unit.isOn("ProtectHome"), !["read-only", "tmpfs"].contains(unit.value("ProtectHome") ?? "") {
            miss(.unitProtectHome, .medium, "ProtectHome=yes")
        }
        if !unit.isOn("PrivateTmp"), unit.value("PrivateTmp") != "disconnected", !unit.isOn("DynamicUser") {
            miss(.unitPrivateTmp, .low, "PrivateTmp=yes")
        }
        if !unit.isOfUser, !unit.says("CapabilityBoundingSet") {
            miss(.unitCapabilities, .medium, "CapabilityBoundingSet=")
        }
        let missing = more.filter { !unit.says($0.key) }.map { "\($0.key)=\($0.value)" }
        if !missing.isEmpty { miss(.unitMore, .low, missing.joined(separator: "\n")) }
        return found
    }

    private static let more = [
        ("PrivateDevices", "yes"), ("ProtectKernelTunables", "yes"), ("ProtectKernelModules", "yes"),
        ("ProtectControlGroups", "yes"), ("RestrictSUIDSGID", "yes"), ("RestrictRealtime", "yes"),
        ("LockPersonality", "yes"), ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6 AF_NETLINK"),
        ("SystemCallFilter", "@system-service"), ("UMask", "0077"),
    ].map { (key: $0.0, value: $0.1) }
}

extension UnitView {
    /// What it starts is clawjail, which puts its own walls around what it starts.
    var isOfClawjail: Bool {
        let starts = values("ExecStart")
        return !starts.isEmpty
            && starts.allSatisfy { line in
                let word = line.drop { "@-:+!|".contains($0) }.split(separator: " ").first ?? ""
                return String(word).lastComponent == "clawjail"
            }
    }

    /// Of variables that it sets, and of arguments.
    var secrets: [SecretSize] {
        let variables = values("Environment").flatMap(\.unitWords).compactMap { word -> SecretSize? in
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[1].isEmpty, SecretShape.isName(parts[0]) || SecretShape.isValue(parts[1])
            else { return nil }
            return SecretSize(name: parts[0].printable, length: parts[1].utf8.count)
        }
        return variables + values("ExecStart").flatMap { SecretSize.arguments($0.unitWords) }
    }
}

extension String {
    /// Words as systemd splits them: quotes hold words together. Escapes are left as they are.
    var unitWords: [String] {
        var words: [String] = []
        var word = ""
        var quote: Character?
        for character in self {
            if character == quote {
                quote = nil
            } else if quote == nil, character == "\"" || character == "'" {
                quote = character
            } else if quote == nil, character == " " || character == "\t" {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        return word.isEmpty ? words : words + [word]
    }
}

extension SecretSize {
    /// `--token VALUE`, `--password=VALUE`; a value that is a variable's name gives nothing away.
    static func arguments(_ words: [String]) -> [SecretSize] {
        var found: [SecretSize] = []
        for (index, word) in words.enumerated() where word.hasPrefix("-") {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = String(parts[0].drop { $0 == "-" })
            guard SecretShape.isName(name) else { continue }
            let value = parts.count == 2 ? parts[1] : index + 1 < words.count ? words[index + 1] : ""
            guard !value.isEmpty, !value.hasPrefix("-"), !value.hasPrefix("$") else { continue }
            found.append(SecretSize(name: parts[0].printable, length: value.utf8.count))
        }
        return found
    }
}
