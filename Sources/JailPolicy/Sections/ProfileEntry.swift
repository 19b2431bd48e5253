internal import JailCore

/// One key of a profile with its value as people see it.
package struct ProfileEntry: Equatable, Sendable {
    package enum Value: Equatable, Sendable {
        case single(String)
        case list([String])
        /// Names with values, such as the environment.
        case named([Named])
    }

    package struct Named: Equatable, Sendable {
        package let name: String
        package let value: String
    }

    /// The whole path, such as `limits.memory`.
    package let key: String
    package let value: Value
}

extension ProfileEntry.Value {
    init(_ json: JSON) {
        switch json {
        case .string(let text): self = .single(text)
        case .array(let elements): self = .list(elements.map(Self.text))
        case .object(let members):
            self = .named(members.map { ProfileEntry.Named(name: $0.0, value: Self.text($0.1)) })
        default: self = .single(json.text())
        }
    }

    private static func text(_ json: JSON) -> String {
        if case .string(let text) = json { return text }
        return json.text()
    }
}
