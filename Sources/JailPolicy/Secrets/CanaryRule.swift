package import SecretTraces

/// An element of `canaries`: something that opens nothing and is planted inside, where nobody who does their work has a
/// reason to send it anywhere.
package struct CanaryRule: Hashable, Sendable {
    package enum Place: Hashable, Sendable {
        /// Inside the jail; nil: where such a thing usually is.
        case file(String?)
        case variable(String)
    }

    package var kind: Canary.Kind
    package var place: Place

    package init(_ kind: Canary.Kind, at place: Place = .file(nil)) {
        self.kind = kind
        self.place = place
    }

    /// The variable that it is in; nil: it is a file.
    package var variable: String? { if case .variable(let name) = place { name } else { nil } }

    /// The file that it is; nil: it is in a variable.
    ///
    /// - Parameter home: the home directory inside.
    package func path(home: String) -> String? {
        guard case .file(let path) = place else { return nil }
        return path ?? (home == "/" ? "" : home) + "/" + kind.path
    }
}

extension [CanaryRule] {
    /// More would make everything slow that is looked through for them.
    package static var mostRules: Int { 16 }

    /// The index of one that cannot stand beside the rest of the profile, and why.
    func conflict(_ profile: Profile) -> (index: Int, reason: String)? {
        let process = profile.process
        for (index, rule) in enumerated() {
            let earlier = self[..<index]
            if let name = rule.variable {
                if process.environment.contains(where: { $0.name == name }) {
                    return (index, "sets \(name), which process.environment sets as well")
                }
                if process.passEnvironment.contains(name) {
                    return (index, "sets \(name), which process.passEnvironment passes on")
                }
                if profile.secrets.bindings.contains(where: { $0.environment == name }) {
                    return (index, "sets \(name), which holds a secret's placeholder")
                }
                if earlier.contains(where: { $0.variable == name }) { return (index, "sets \(name) once more") }
            } else if let path = rule.path(home: process.inside.home),
                earlier.contains(where: { $0.path(home: process.inside.home) == path })
            {
                return (index, "is where another one is, at \(path)")
            }
        }
        return nil
    }
}
