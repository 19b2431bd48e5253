package import JailCore
internal import SecretTraces

/// An element of `canaries` as it is written.
struct CanaryParts: Sendable {
    var kind: Canary.Kind?
    var path: String?
    var variable: String?

    static let table = SectionTable<CanaryParts>([
        SectionKey(
            "kind", read: { (field, parts) throws(JailError) in parts.kind = try field.oneOf(Canary.Kind.self) },
            write: { $0.kind.map { .string($0.rawValue) } }),
        SectionKey(
            "path",
            read: { (field, parts) throws(JailError) in parts.path = try field.name(AbsolutePath.checkTarget) },
            write: { $0.path.map { .string($0) } }),
        SectionKey(
            "env", read: { (field, parts) throws(JailError) in parts.variable = try field.name(Name.checkPassed) },
            write: { $0.variable.map { .string($0) } }),
    ])
}

extension CanaryRule {
    /// An element of `canaries`.
    static func read(_ field: Field) throws(JailError) -> CanaryRule {
        var parts = CanaryParts()
        try CanaryParts.table.read(field, into: &parts)
        guard let kind = parts.kind else { throw field.refusal("needs a 'kind'") }
        guard let variable = parts.variable else { return CanaryRule(kind, at: .file(parts.path)) }
        guard parts.path == nil else { throw field.refusal("must have either 'path' or 'env'") }
        guard kind.isToken else {
            throw field.refusal("must not have 'env': what is of the kind \(kind.rawValue) is a file")
        }
        return CanaryRule(kind, at: .variable(variable))
    }

    package var json: JSON {
        var parts = CanaryParts(kind: kind, variable: variable)
        if case .file(let path) = place { parts.path = path }
        return CanaryParts.table.json(parts)
    }

    /// For people: `aws, in ~/.aws/credentials`.
    package var shown: String {
        switch place {
        case .file(nil): "\(kind.rawValue), in ~/\(kind.path)"
        case .file(let path?): "\(kind.rawValue), in \(path)"
        case .variable(let name): "\(kind.rawValue), in the variable \(name)"
        }
    }
}

extension [CanaryRule] {
    static func read(_ field: Field) throws(JailError) -> [CanaryRule] {
        var rules: [CanaryRule] = []
        for element in try field.elements() {
            let rule = try CanaryRule.read(element)
            if !rules.contains(rule) { rules.append(rule) }
        }
        guard rules.count <= mostRules else {
            throw field.refusal("must have at most \(mostRules) elements, not \(rules.count)")
        }
        return rules
    }

    /// Refuses what cannot stand beside the rest, at its place.
    func check(_ profile: Profile, _ tree: JSON5Value) throws(JailError) {
        guard let (index, reason) = conflict(profile) else { return }
        let whole = Field(value: tree, path: "", home: nil)
        guard let list = tree["canaries"] else { throw whole.refusal(reason) }
        // Those that say the same are one, so places are found by what is said.
        for element in try whole.member("canaries", list).elements() {
            if try CanaryRule.read(element) == self[index] { throw element.refusal(reason) }
        }
        throw whole.refusal(reason)
    }
}
