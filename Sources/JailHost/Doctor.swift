package import JailCore
package import JailPlan

/// Whether this host can do what jails need: each question with what was found, why it matters, and what to do.
package struct Doctor {
    package enum Status: String, Sendable {
        case ok
        /// Jails run, with something less or something to be watched.
        case limited
        /// Jails do not run, or a protection that profiles ask for is not to be had.
        case missing
    }

    package struct Check: Equatable, Sendable {
        package var name: String
        package var status: Status
        /// What was found, on one line.
        package var finding: String
        /// Why it matters, on one line.
        package var why: String
        /// The command or setting that mends it.
        package var remedy: String?

        package init(name: String, status: Status, finding: String, why: String, remedy: String? = nil) {
            self.name = name
            self.status = status
            self.finding = finding
            self.why = why
            self.remedy = remedy
        }
    }

    /// What the host says. A value of its own, so that every finding can be tested without such a host.
    package struct Readings {
        package var kernelRelease = ""
        package var caller = CallerFacts()
        package var groups = GroupDrop.notNeeded
        package var trial = System.NamespaceTrial()
        package var landlockABI: Int32 = 0
        package var hasSeccompFilters = true
        package var cgroup = CgroupFacts.unavailable(reason: "")
        /// Why the manager that would give a scope does not answer; nil: it does, or none is needed.
        package var managerSilence: String?
        /// The caller's name, as the password file has it.
        package var userName: String?
        /// Paths that exist, of those that are asked for.
        package var present: Set<String> = []
        /// The first line of files that could be read.
        package var lines: [String: String] = [:]
        /// Where programs were found; nil: nowhere.
        package var programs: [(name: String, path: String?)] = []

        package init() {}
    }

    package let readings: Readings

    package init(_ readings: Readings) { self.readings = readings }

    package var checks: [Check] {
        [
            kernel, userNamespaces, freshProc, groups, landlock, seccomp, cgroups, lingering, swap, timeNamespaces,
            container, appArmor, ptrace, memfd, corePattern,
        ].compactMap(\.self) + readings.programs.map(program)
    }

    /// One line for each check, and below those that are not `ok` why it matters and what to do.
    package static func text(_ checks: [Check]) -> String {
        let width = checks.map(\.name.count).max() ?? 0
        var lines: [String] = []
        for check in checks {
            let status = pad(check.status.rawValue, 8)
            lines.append(status + pad(check.name, width + 2) + check.finding.printable)
            guard check.status != .ok else { continue }
            let margin = String(repeating: " ", count: 8)
            lines.append(margin + "why: " + check.why)
            if let remedy = check.remedy { lines.append(margin + "do:  " + remedy.printable) }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    package static func json(_ checks: [Check]) -> JSON {
        .array(
            checks.map {
                .object([
                    ("name", .string($0.name)), ("status", .string($0.status.rawValue)),
                    ("finding", .string($0.finding)),
                    ("why", .string($0.why)), ("remedy", .optional($0.remedy)),
                ])
            })
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    func line(_ path: String) -> String? { readings.lines[path] }
    func isPresent(_ path: String) -> Bool { readings.present.contains(path) || readings.lines[path] != nil }
}
