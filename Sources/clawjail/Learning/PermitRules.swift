import JailCore
import JailLaunch
import JailPolicy

/// What `learn --permit` lets pass that a profile has not. Decided before the launch, and bounded for good: special addresses,
/// what deny rules name, places that no profile can show, new namespaces and mounts are as closed as ever, since the plan is
/// made and carried out by the same functions as any other.
struct PermitRules {
    /// Host directories that are shown, read-only.
    var within: [String] = []
    /// And those that are shown writable.
    var withinWrite: [String] = []

    /// Calls that are refused since nothing of the usual needs them, and that reach nothing outside the process that makes
    /// them: where its memory lies, and how. The list does not grow by itself.
    static let systemCalls = [
        "get_mempolicy", "mbind", "remap_file_pages", "set_mempolicy", "set_mempolicy_home_node", "ustat",
    ]

    /// - Returns: what the profile has now that it had not.
    func widen(_ profile: inout Profile, directory: String) throws(JailError) -> PermittedExtras {
        var extras = PermittedExtras()
        try widenNetwork(&profile.network)
        for name in Self.systemCalls where !profile.process.systemCalls.contains(name) {
            profile.process.systemCalls.append(name)
            extras.systemCalls.append(name)
        }
        let home = System.environmentValue("HOME")
        for (paths, isWritable) in [(within, false), (withinWrite, true)] {
            for text in paths {
                let option = isWritable ? "--within-write" : "--within"
                let path = text.hasPrefix("/") || text.hasPrefix("~") ? text : "\(directory)/\(text)"
                do throws(ValueError) {
                    let rule = try BindRule.parse(path, home: home)
                    if isWritable {
                        try profile.filesystem.addWrite(rule)
                    } else {
                        try profile.filesystem.addRead(rule)
                    }
                    extras.paths.append(rule.target)
                } catch {
                    throw JailError(.usage, reason: "\(option) \(error.reason)", hint: error.hint)
                }
            }
        }
        return extras
    }

    /// Public hosts, inspected: private addresses are never part of '*', and the deny rules still come first.
    private func widenNetwork(_ network: inout NetworkRules) throws(JailError) {
        do throws(ValueError) {
            var rule = try NetworkRule(
                hosts: ["*"], methods: HTTPMethod.known, ports: NetworkRule.defaultPorts)
            rule.websocket = true
            network.allow.append(rule)
        } catch {
            throw JailError(.learn, reason: "the rule for every public host \(error.reason)")
        }
    }
}
