package import JailCore

extension Profile {
    /// The keys of a profile as a whole.
    static let table = SectionTable<Profile>([
        // The loader follows it; what arrives here is merged already.
        SectionKey(
            "extends", read: { (_, _) throws(JailError) in }, write: { _ in nil },
            show: { .list($0.files) }),
        SectionKey(
            "description",
            read: { (field, profile) throws(JailError) in profile.summary = try field.name(checkDescription) },
            write: { $0.summary.isEmpty ? nil : .string($0.summary) }),
        SectionKey("process", ProcessRules.table, get: { $0.process }, set: { $0.process = $1 }),
        SectionKey("filesystem", FilesystemRules.table, get: { $0.filesystem }, set: { $0.filesystem = $1 }),
        SectionKey(
            "network", NetworkRules.table, get: { $0.network }, set: { $0.network = $1 },
            check: { (field, rules) throws(JailError) in try rules.check(field) }),
        SectionKey<Profile>(
            "secrets",
            read: { (field, profile) throws(JailError) in profile.secrets = try SecretRules.read(field) },
            write: { $0.secrets.isEmpty ? nil : $0.secrets.json },
            show: { $0.secrets.isEmpty ? .single("none") : .list($0.secrets.bindings.map(\.shown)) }
        ).holding(SecretParts.table, suffix: "[]"),
        SectionKey<Profile>(
            "canaries",
            read: { (field, profile) throws(JailError) in profile.canaries = try [CanaryRule].read(field) },
            write: { $0.canaries.isEmpty ? nil : .array($0.canaries.map(\.json)) },
            show: { $0.canaries.isEmpty ? .single("none") : .list($0.canaries.map(\.shown)) }
        ).holding(CanaryParts.table, suffix: "[]"),
        SectionKey<Profile>(
            "commands",
            read: { (field, profile) throws(JailError) in profile.commands = try CommandRules.read(field) },
            write: { $0.commands.isEmpty ? nil : $0.commands.json },
            show: { .list($0.commands.rules.map(\.shown)) }
        ).holding(CommandParts.table, suffix: "[]"),
        SectionKey(
            "sessions",
            read: { (field, profile) throws(JailError) in profile.sessions = try SessionRules.read(field) },
            write: { $0.sessions.map(SessionRules.table.json) },
            show: { $0.sessions.map { .list($0.shown) } ?? .single("none") }
        ).holding(SessionRules.table),
        SectionKey(
            "health",
            read: { (field, profile) throws(JailError) in profile.health = try HealthRules.read(field) },
            write: { $0.health.map(\.json) },
            show: { $0.health.map { .list($0.shown) } ?? .single("none") }
        ).holding(HealthParts.table),
        SectionKey(
            "restart", RestartRules.table, get: { $0.restart }, set: { $0.restart = $1 },
            check: { (field, rules) throws(JailError) in try rules.check(field) }),
        SectionKey(
            "alerts",
            read: { (field, profile) throws(JailError) in profile.alerts = try AlertRules.read(field) },
            write: { $0.alerts.map(\.json) },
            show: { $0.alerts.map { .list($0.shown) } ?? .single("none") }
        ).holding(AlertRules.table),
        SectionKey<Profile>(
            "spend",
            read: { (field, profile) throws(JailError) in profile.spend = try SpendRules.read(field) },
            write: { $0.spend.map(\.json) },
            show: { $0.spend.map { .list($0.shown) } ?? .single("none") }
        ).holding(SpendRules.table),
        SectionKey(
            "approvals",
            read: { (field, profile) throws(JailError) in profile.approvals = try ApprovalRules.read(field) },
            write: { $0.approvals.map(\.json) },
            show: { $0.approvals.map { .list($0.shown) } ?? .single("none") }
        ).holding(ApprovalRules.table),
        SectionKey("limits", LimitRules.table, get: { $0.limits }, set: { $0.limits = $1 }),
        SectionKey("audit", AuditRules.table, get: { $0.audit }, set: { $0.audit = $1 }),
        SectionKey(
            "optional",
            read: { (field, profile) throws(JailError) in
                for element in try field.elements() {
                    profile.optional.insert(try element.oneOf(OptionalProtection.self))
                }
            },
            write: { profile in
                .strings(OptionalProtection.allCases.filter(profile.optional.contains).map(\.rawValue))
            }),
    ])

    /// Every section of a profile with its keys.
    package static var sections: [KnownKeys] { table.sections("") }

    /// The profile as one JSON object, with its parents merged in and every default written out. It is a profile
    /// itself: saved as `NAME.json5` it allows the same.
    package var json: JSON { Self.table.json(self) }

    private static func checkDescription(_ text: String) throws(ValueError) {
        guard (1...200).contains(text.unicodeScalars.count), text == text.printable else {
            throw ValueError(expected: "one line of at most 200 characters", found: text)
        }
    }
}
