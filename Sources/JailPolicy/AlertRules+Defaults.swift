extension AlertRules {
    /// What `defaults: true` stands for: things that a person who looks at the log would want to find there. None of them
    /// does more than that.
    package static let defaultRules: [AlertRule] = [
        threshold("connections", .connections, above: 30),
        threshold("denials", .denials, above: 30),
        threshold("memory", .memory, above: 350 << 20),
        threshold("stderr", .stderr, above: 256 << 10),
        pattern("onion", .hosts, ["*.onion"]),
        pattern("sudo", .commands, ["sudo", "sudo *", "*/sudo *", "* sudo *"]),
        pattern("rm-rf", .commands, ["*rm -rf *", "*rm -fr *", "*rm -r -f *"]),
        pattern("ssh-files", .files, [".ssh*", "*/.ssh", "*/.ssh/*"]),
        pattern("ssh-paths", .paths, ["/.ssh/**", "/**/.ssh/**"]),
        occurrence("canary", .canary, .critical),
        occurrence("secret-misuse", .secretMisuse, .critical),
        occurrence("secret-returned", .secretReturned, .warning),
    ]

    private static func occurrence(_ name: String, _ watch: AlertSubject, _ severity: AlertSeverity) -> AlertRule {
        var rule = AlertRule(name: name, watch: watch)
        rule.severity = severity
        return rule
    }

    private static func threshold(_ name: String, _ watch: AlertSubject, above: UInt64) -> AlertRule {
        var rule = AlertRule(name: name, watch: watch)
        rule.above = above
        return rule
    }

    /// The texts are this file's own; a test reads every one of them.
    private static func pattern(_ name: String, _ watch: AlertSubject, _ texts: [String]) -> AlertRule {
        var rule = AlertRule(name: name, watch: watch)
        rule.matching = texts.compactMap { try? AlertPattern.parse($0, of: watch) }
        return rule
    }
}
