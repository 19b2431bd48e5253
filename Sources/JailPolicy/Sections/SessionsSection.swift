internal import JailCore

extension SessionRules {
    /// The keys of `sessions`.
    static let table = SectionTable<SessionRules>([
        SectionKey(
            "profile",
            read: { (field, rules) throws(JailError) in rules.profile = try field.name(Name.checkProfile) },
            write: { .string($0.profile) }),
        SectionKey(
            "workspaces",
            read: { (field, rules) throws(JailError) in
                for element in try field.elements() {
                    let root = try element.parsed(as: "PATH or PATH:ro", SessionRoot.parse)
                    try element.checked { () throws(ValueError) in try rules.add(root) }
                }
                guard rules.workspaces.count <= mostRoots else {
                    throw field.refusal("must have at most \(mostRoots) elements, not \(rules.workspaces.count)")
                }
            },
            write: { .strings($0.workspaces.map(\.formatted)) }),
        SectionKey(
            "most",
            read: { (field, rules) throws(JailError) in rules.most = try field.integer(mostRange) },
            write: { .number($0.most) }),
        SectionKey(
            "secrets",
            read: { (field, rules) throws(JailError) in
                for name in try field.list({ (element) throws(JailError) in try element.name(Name.checkSecret) })
                where !rules.secrets.contains(name) { rules.secrets.append(name) }
                guard rules.secrets.count <= SecretRules.mostBindings else {
                    throw field.refusal(
                        "must have at most \(SecretRules.mostBindings) elements, not \(rules.secrets.count)")
                }
            },
            write: { .strings($0.secrets) }),
    ])

    /// Each is a descriptor that is held open as long as the jail runs.
    private static let mostRoots = 64
    private static let mostRange: ClosedRange<UInt64> = 1...256

    static func read(_ field: Field) throws(JailError) -> SessionRules {
        var rules = SessionRules(profile: "")
        try table.read(field, into: &rules)
        guard !rules.profile.isEmpty else { throw field.refusal("needs a 'profile'") }
        return rules
    }

    /// One line each: what is added is what a reader looks for.
    var shown: [String] {
        ["profile \(profile)", "at most \(most)"] + workspaces.map { "\($0.path)\($0.readOnly ? " read-only" : "")" }
            + secrets.map { "secret \($0)" }
    }
}
