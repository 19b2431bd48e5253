internal import JailCore
internal import JailHost

/// Units of OpenClaw's gateway, as files, of the system's manager and of users'.
extension HostPicture {
    /// The first one in which a unit is counts.
    private static let systemPlaces = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]
    private static let userPlaces = [
        "/etc/systemd/user", "/run/systemd/user", "/usr/local/lib/systemd/user", "/usr/lib/systemd/user",
    ]
    private static let mostUnits = 256
    private static let mostSettings = 4096

    mutating func gatherUnits(_ view: HostView) {
        gatherUnits(view, in: Self.systemPlaces, isOfUser: false)
        gatherUnits(view, in: Self.userPlaces, isOfUser: true)
        for home in homes() { gatherUnits(view, in: [Paths.join(home, ".config/systemd/user")], isOfUser: true) }
    }

    private mutating func gatherUnits(_ view: HostView, in places: [String], isOfUser: Bool) {
        var seen: Set<String> = []
        for place in places {
            guard case .found = view.look(place) else { continue }
            for name in view.names(place) ?? [] {
                if Self.isBackup(name), !timers.contains(name) { timers.append(name.printable) }
                guard name.hasPrefix("openclaw"), name.hasSuffix(".service"), seen.insert(name).inserted,
                    units.count < Self.mostUnits
                else { continue }
                units.append(Self.unit(name, "\(place)/\(name)", places, isOfUser, view))
            }
        }
    }

    private static func isBackup(_ name: String) -> Bool {
        guard name.hasSuffix(".timer"), name.contains("clawjail") || name.contains("openclaw") else { return false }
        return ["data", "snapshot", "backup", "nightly"].contains { name.contains($0) }
    }

    private static func unit(
        _ name: String, _ path: String, _ places: [String], _ isOfUser: Bool, _ view: HostView
    ) -> UnitView {
        var unit = UnitView(name: name.printable, isOfUser: isOfUser)
        var drops: [(name: String, path: String)] = []
        for place in places {
            guard case .found = view.look("\(place)/\(name).d") else { continue }
            for drop in view.names("\(place)/\(name).d") ?? []
            where drop.hasSuffix(".conf") && !drops.contains(where: { $0.name == drop }) {
                drops.append((drop, "\(place)/\(name).d/\(drop)"))
            }
        }
        drops.sort { $0.name < $1.name }
        for path in [path] + drops.map(\.path) {
            // A unit may be a link to where it lies; the file itself is what somebody can write to.
            guard let way = view.way(path) else { continue }
            unit.files.append(way.end)
            guard let text = view.text(way.canonical) else { continue }
            unit.settings += settings(text).prefix(mostSettings)
        }
        return unit
    }

    /// See systemd.syntax(7): comments, sections, and lines that go on after a backslash.
    static func settings(_ text: String) -> [UnitView.Setting] {
        var result: [UnitView.Setting] = []
        var section = ""
        var line = ""
        for raw in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let part = raw.trimmed
            if part.hasPrefix("#") || part.hasPrefix(";") { continue }
            if part.hasSuffix("\\") {
                line += part.dropLast() + " "
                continue
            }
            line += part
            defer { line = "" }
            if line.hasPrefix("["), line.hasSuffix("]") {
                section = String(line.dropFirst().dropLast())
            } else if let equals = line.firstIndex(of: "=") {
                result.append(
                    UnitView.Setting(
                        section: section, key: String(line[..<equals].trimmed),
                        value: String(line[line.index(after: equals)...].trimmed)))
            }
        }
        return result
    }
}

extension Substring {
    /// Without blanks at both ends.
    fileprivate var trimmed: Substring {
        var part = drop { $0 == " " || $0 == "\t" || $0 == "\r" }
        while let last = part.last, last == " " || last == "\t" || last == "\r" { part.removeLast() }
        return part
    }
}
