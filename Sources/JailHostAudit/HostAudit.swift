/// Judges what was seen of a host: one pure function for each area, and the order in which people should read it.
package enum HostAudit {
    /// The worst first; of one severity in the order of the areas.
    package static func findings(_ picture: HostPicture) -> [HostFinding] {
        let found = areas.flatMap { $0(picture) }.map { finding in
            var finding = finding
            // What belongs to others is for them to mend.
            finding.fixes.removeAll { $0.uid != picture.callerUID }
            return finding
        }
        return found.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }.map(\.element)
    }

    private static let areas: [@Sendable (HostPicture) -> [HostFinding]] = [
        identity, walls, processSecrets, listening, stateDirectories, stateFiles, logDirectories, ways,
        gatewaySettings, configuredSecrets, toolSettings, sandboxSettings, helpers, searchPath, installation, unitFiles,
        unitHardening, kernel, memory, backups,
    ]

    /// Nothing above `low`.
    package static func isGood(_ findings: [HostFinding]) -> Bool { findings.allSatisfy { $0.severity == .low } }

    /// Whether there was anything that a check could be about, and all of it could be looked at.
    package static func applies(_ check: HostCheck, to picture: HostPicture) -> Bool {
        switch check {
        case .environmentSecret:
            return !picture.gateways.isEmpty && picture.gateways.allSatisfy { $0.secretVariables != nil }
        case .listensBeyond, .extraPort:
            return !(picture.gateways.isEmpty && picture.jails.isEmpty)
                && picture.gateways.allSatisfy { $0.listeners != nil }
                && picture.jails.allSatisfy { $0.listeners != nil }
        case .appArmorUnconfined:
            return !picture.gateways.isEmpty && picture.gateways.allSatisfy { $0.appArmor != nil }
        case .writableInstallation, .ownInstallation:
            return picture.gateways.contains { !$0.installation.isEmpty }
        case .unprivilegedBPF: return picture.lines[bpf] != nil
        case .lockdown: return picture.lines[lockdownState] != nil
        case .noMandatoryControl: return picture.lines[modules] != nil
        case .coreHandler: return picture.lines[corePattern] != nil
        default: return applies(check.area, to: picture)
        }
    }

    private static func applies(_ area: HostCheck.Area, to picture: HostPicture) -> Bool {
        switch area {
        case .process, .network: !picture.gateways.isEmpty
        case .state: !picture.states.isEmpty
        case .configuration: picture.states.contains { $0.configuration?.value != nil }
        case .units: !picture.units.isEmpty
        case .backups: picture.hasAnything
        case .programs, .kernel: true
        }
    }
}
