package import JailCore

extension JSON {
    /// As a person writes it in a profile, on one line: `{ hosts: ["example.org"], ports: [443] }`.
    package var json5: String {
        switch self {
        case .array(let elements): "[\(elements.map(\.json5).joined(separator: ", "))]"
        case .object(let members):
            members.isEmpty
                ? "{}" : "{ \(members.map { "\(Self.key($0.0)): \($0.1.json5)" }.joined(separator: ", ")) }"
        default: text()
        }
    }

    private static func key(_ name: String) -> String {
        let isBare = name.utf8.allSatisfy(Name.isWord) && name.utf8.first.map { !$0.isDigit } == true
        return isBare ? name : JSON.string(name).text()
    }
}
