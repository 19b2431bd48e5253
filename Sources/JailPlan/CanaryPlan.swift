package import JailCore
internal import JailPolicy
package import SecretTraces

/// A canary that a jail gets. What it says is made when the jail is, and stands in no plan.
package struct CanaryPlan: Equatable, Sendable {
    package enum Place: Equatable, Sendable {
        /// Inside.
        case file(String)
        case variable(String)
    }

    package var kind: Canary.Kind
    package var place: Place

    package init(_ kind: Canary.Kind, _ place: Place) {
        self.kind = kind
        self.place = place
    }

    /// - Parameter home: the home directory inside.
    init(_ rule: CanaryRule, home: String) {
        let place: Place? = rule.path(home: home).map { .file($0) } ?? rule.variable.map { .variable($0) }
        self.init(rule.kind, place ?? .file("\(home)/\(rule.kind.path)"))
    }

    package var json: JSON {
        switch place {
        case .file(let path): ["kind": .string(kind.rawValue), "path": .string(path)]
        case .variable(let name): ["kind": .string(kind.rawValue), "env": .string(name)]
        }
    }

    package var shown: String {
        switch place {
        case .file(let path): "\(kind.rawValue) in \(path)"
        case .variable(let name): "\(kind.rawValue) in the variable \(name)"
        }
    }
}
