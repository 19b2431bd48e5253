/// What holds the gateway, and what it could still become.
extension HostAudit {
    @Sendable static func walls(_ picture: HostPicture) -> [HostFinding] {
        picture.gateways.flatMap { gateway -> [HostFinding] in
            let around = picture.confinement(of: gateway)
            var found = [capabilities(gateway)]
            if case .nothing = around {
                found.append(
                    HostFinding(
                        .notJailed, .high, gateway.subject, seen: "nothing is around it",
                        remedy: "clawjail run --profile stateful -- openclaw gateway"))
            }
            if gateway.hasNoNewPrivileges == false {
                found.append(
                    HostFinding(
                        .newPrivileges, .medium, gateway.subject, seen: "no_new_privs is not set",
                        remedy: "NoNewPrivileges=yes in its unit, or run it in a jail"))
            }
            if gateway.seccompMode == 0 {
                found.append(
                    HostFinding(
                        .noSeccomp, .medium, gateway.subject, seen: "no seccomp filter is in force",
                        remedy: "SystemCallFilter=@system-service in its unit, or run it in a jail"))
            }
            if !around.isJail { found += [appArmor(gateway), coreFile(gateway)] }
            return found.compactMap(\.self)
        }
    }

    private static func capabilities(_ gateway: GatewayView) -> HostFinding? {
        guard let held = gateway.capabilities, held != 0, gateway.uid != 0 || !gateway.hasOwnUserNamespace else {
            return nil
        }
        return HostFinding(
            .capabilities, gateway.hasOwnUserNamespace ? .low : .high, gateway.subject,
            seen: "it has capabilities 0x\(String(held, radix: 16))",
            remedy: "CapabilityBoundingSet= and AmbientCapabilities= in its unit, or run it in a jail")
    }

    private static func appArmor(_ gateway: GatewayView) -> HostFinding? {
        guard let label = gateway.appArmor, label == "unconfined" || label.hasSuffix("(complain)") else { return nil }
        return HostFinding(
            .appArmorUnconfined, .low, gateway.subject, seen: "AppArmor has it as \(label)",
            remedy: "clawjail export apparmor --help")
    }

    private static func coreFile(_ gateway: GatewayView) -> HostFinding? {
        guard gateway.dumpsCore else { return nil }
        return HostFinding(
            .coreDumps, .low, gateway.subject, seen: "its limit of a core file is not 0",
            remedy: "LimitCORE=0 in its unit")
    }

    // MARK: Secrets

    @Sendable static func processSecrets(_ picture: HostPicture) -> [HostFinding] {
        picture.gateways.flatMap { gateway -> [HostFinding] in
            var found: [HostFinding] = []
            if !gateway.secretArguments.isEmpty {
                found.append(
                    HostFinding(
                        .argumentSecret, .high, gateway.subject, seen: list(gateway.secretArguments),
                        remedy:
                            "make it a new one, and give it by a file: openclaw gateway --password-file, or an EnvironmentFile="
                    ))
            }
            if let variables = gateway.secretVariables, !variables.isEmpty {
                // The gateway's own token has to be somewhere, and this is the place that OpenClaw has for it.
                let isOwn = variables.allSatisfy { $0.name.hasPrefix("OPENCLAW_GATEWAY_") }
                found.append(
                    HostFinding(
                        .environmentSecret, isOwn ? .low : .medium, gateway.subject, seen: list(variables),
                        remedy: "keep it in a secret provider of OpenClaw's (openclaw secrets), or out of the jail"))
            }
            return found
        }
    }

    static func list(_ secrets: [SecretSize]) -> String {
        let shown = secrets.prefix(8).map(\.text).joined(separator: ", ")
        return secrets.count > 8 ? "\(shown) and \(secrets.count - 8) more" : shown
    }
}
