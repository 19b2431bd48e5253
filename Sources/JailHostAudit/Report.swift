package import JailCore

/// What was found, for people and for programs.
package struct HostReport: Sendable {
    package let picture: HostPicture
    package let findings: [HostFinding]

    package init(_ picture: HostPicture) {
        self.picture = picture
        findings = HostAudit.findings(picture)
    }

    // MARK: Text

    /// - Parameter all: with the checks that found nothing, ticked.
    package func text(all: Bool) -> String {
        var lines = seen
        if !lines.isEmpty { lines.append("") }
        for finding in findings { lines += Self.lines(finding) }
        if all { lines += ticked }
        lines += picture.notes.map { "note: \($0)" }
        if !picture.notLooked.isEmpty {
            let shown = picture.notLooked.prefix(all ? .max : 5)
            lines += shown.map { "not looked at: \($0)" + advice }
            let rest = picture.notLooked.count - shown.count
            if rest > 0 { lines.append("not looked at: \(rest) more (--all names them)") }
        }
        lines.append(summary)
        return lines.joined(separator: "\n") + "\n"
    }

    private var advice: String { picture.callerUID == 0 ? "" : "; run as root" }

    /// Where OpenClaw was found.
    private var seen: [String] {
        var lines = picture.gateways.map { gateway in
            "gateway  process \(gateway.pid), \(gateway.title), as \(picture.userName(gateway.uid)), "
                + picture.confinement(of: gateway).text
        }
        lines += picture.states.map { "state    \($0.path), of \(picture.userName($0.way.end.uid))" }
        lines += picture.units.map { "unit     \($0.name)\($0.isOfUser ? ", of a user's service manager" : "")" }
        if let last = picture.lastBackup { lines.append("backup   the newest is of \(UTCTime.text(last))") }
        if !picture.hasAnything { lines.append("no gateway, state directory or unit of OpenClaw was found") }
        return lines.map(\.printable)
    }

    private static func lines(_ finding: HostFinding) -> [String] {
        let margin = String(repeating: " ", count: 10)
        return [
            pad(finding.severity.rawValue, 10) + finding.check.id,
            margin + "\(finding.subject): \(finding.seen)".printable,
            margin + "why: " + finding.check.why,
            margin + "do:  " + finding.remedy.printable,
        ]
    }

    private var ticked: [String] {
        let found = Set(findings.map(\.check))
        return HostCheck.all.filter { !found.contains($0) }.map { check in
            Self.pad(HostAudit.applies(check, to: picture) ? "ok" : "-", 10) + check.id
        }
    }

    private var summary: String {
        let counts = Severity.allCases.reversed().compactMap { severity -> String? in
            let count = findings.filter { $0.severity == severity }.count
            return count == 0 ? nil : "\(count) \(severity.rawValue)"
        }
        return counts.isEmpty ? "nothing found" : "found: " + counts.joined(separator: ", ")
    }

    private static func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    // MARK: JSON

    /// - Parameter mended: what `--fix` has done before.
    package func json(mended: [String] = []) -> JSON {
        [
            "gateways": .array(picture.gateways.map(json)),
            "states": .array(
                picture.states.map {
                    [
                        "path": .string($0.path), "leadsTo": .string($0.way.canonical),
                        "user": .string(picture.userName($0.way.end.uid)),
                    ]
                }),
            "units": .array(
                picture.units.map { ["name": .string($0.name), "user": .boolean($0.isOfUser)] }),
            "lastBackup": picture.lastBackup.map { .string(UTCTime.text($0)) } ?? .null,
            "findings": .array(findings.map(Self.json)),
            "passed": .array(passed.map { .string($0.id) }),
            "notLookedAt": .strings(picture.notLooked), "notes": .strings(picture.notes),
            "mended": .strings(mended), "good": .boolean(HostAudit.isGood(findings)),
        ]
    }

    private var passed: [HostCheck] {
        let found = Set(findings.map(\.check))
        return HostCheck.all.filter { !found.contains($0) && HostAudit.applies($0, to: picture) }
    }

    private func json(_ gateway: GatewayView) -> JSON {
        [
            "pid": .number(gateway.pid), "title": .string(gateway.title),
            "user": .string(picture.userName(gateway.uid)),
            "confinement": .string(picture.confinement(of: gateway).text),
            "listens": .strings((gateway.listeners ?? []).map(\.text)),
        ]
    }

    private static func json(_ finding: HostFinding) -> JSON {
        [
            "id": .string(finding.check.id), "severity": .string(finding.severity.rawValue),
            "area": .string(finding.check.area.rawValue), "subject": .string(finding.subject),
            "seen": .string(finding.seen), "why": .string(finding.check.why), "remedy": .string(finding.remedy),
            "fixable": .boolean(!finding.fixes.isEmpty),
        ]
    }
}
