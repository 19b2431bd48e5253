/// A unit of systemd's, with what is dropped in, as the files say it.
package struct UnitView: Equatable, Sendable {
    package var name: String
    package var isOfUser: Bool
    /// The unit, and its drop-ins in the order in which they count.
    package var files: [FileView] = []
    /// Of all sections, in order: a later one counts, or adds, or (empty) takes back.
    package var settings: [Setting] = []

    package struct Setting: Equatable, Sendable {
        package var section: String
        package var key: String
        package var value: String

        package init(section: String, key: String, value: String) {
            self.section = section
            self.key = key
            self.value = value
        }
    }

    package init(name: String, isOfUser: Bool) {
        self.name = name
        self.isOfUser = isOfUser
    }

    /// The values of a key of `[Service]` that count, in order.
    func values(_ key: String) -> [String] {
        var result: [String] = []
        for setting in settings where setting.section == "Service" && setting.key == key {
            if setting.value.isEmpty { result = [] } else { result.append(setting.value) }
        }
        return result
    }

    /// The last one.
    func value(_ key: String) -> String? { values(key).last }

    /// Set to yes, in one of the ways in which systemd writes it.
    func isOn(_ key: String) -> Bool { ["yes", "true", "on", "1"].contains(value(key)?.lowercased() ?? "") }

    /// Whether the key stands anywhere, with or without a value.
    func says(_ key: String) -> Bool { settings.contains { $0.section == "Service" && $0.key == key } }
}
