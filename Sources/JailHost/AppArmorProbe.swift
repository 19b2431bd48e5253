internal import JailCore
package import JailPlan

/// Whether AppArmor is in force, and whether what this process executes can be put into a profile.
package struct AppArmorProbe {
    /// Of the host's tree; another one in tests.
    let root: String

    package init(root: String = "") { self.root = root }

    static let enabled = "/sys/module/apparmor/parameters/enabled"
    static let attributes = "/proc/self/attr/apparmor"

    /// Tries to enter the profile, in a child that ends at once: only root may list what is loaded.
    package func examine(_ profile: String) -> AppArmorFacts {
        guard firstLine(Self.enabled) == "Y" else {
            return .unavailable(
                reason: "AppArmor is not in force on this host",
                remedy: "boot with apparmor=1 security=apparmor")
        }
        guard let label = firstLine(Self.attributes + "/current") else {
            return .unavailable(reason: "\(Self.attributes)/current cannot be read")
        }
        let confinement = Self.confinement(label)
        let order = (confinement == nil ? "exec " : "stack ") + profile
        do throws(SystemError) {
            try System.tryWriting(order, to: root + Self.attributes + "/exec")
        } catch {
            return Self.refusal(error, profile, confinement)
        }
        return .available(confinement: confinement)
    }

    private static func refusal(_ error: SystemError, _ profile: String, _ confinement: String?) -> AppArmorFacts {
        if error.errno == .notFound {
            return .unavailable(
                reason: "the AppArmor profile '\(profile)' is not loaded",
                remedy: "load it with 'sudo apparmor_parser -r FILE' ('clawjail export apparmor' writes one)")
        }
        if let confinement, error.errno == .accessDenied || error.errno == .notPermitted {
            return .unavailable(
                reason:
                    "the AppArmor profile '\(confinement)' that clawjail runs in keeps it from entering '\(profile)'",
                remedy: "add 'change_profile -> &\(profile),' to '\(confinement)'")
        }
        return .unavailable(reason: "the AppArmor profile '\(profile)' cannot be entered: \(error.errno)")
    }

    /// What confines a process, of what `attr/apparmor/current` says: `NAME (MODE)`. A profile of the mode 'unconfined' has
    /// a name and no rules.
    ///
    /// - Returns: nil if nothing does.
    package static func confinement(_ label: String) -> String? {
        if label == "unconfined" || label.hasSuffix(" (unconfined)") { return nil }
        guard label.hasSuffix(")"), let bracket = label.utf8.lastIndex(of: UInt8(ascii: "(")),
            label[..<bracket].hasSuffix(" ")
        else { return label }
        return String(label[..<bracket].dropLast())
    }

    private func firstLine(_ path: String) -> String? {
        guard let bytes = try? System.readFile(root + path, limit: 4096) else { return nil }
        return String(decoding: bytes.prefix { $0 != 0x0A && $0 != 0 }, as: UTF8.self)
    }
}
