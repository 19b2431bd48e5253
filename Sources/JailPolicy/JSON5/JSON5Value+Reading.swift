package import JailCore

/// What a value is, for whoever takes nothing else. nil: it is something else.
extension JSON5Value {
    package var text: String? { if case .string(let text) = content { text } else { nil } }

    /// A whole number.
    package var integer: Int64? { if case .number(let number) = content { number.integer } else { nil } }

    package var elements: [JSON5Value]? { if case .array(let values) = content { values } else { nil } }

    /// As it is written again, for what clawjail has written itself: there are no other numbers than whole ones in it.
    package var json: JSON {
        switch content {
        case .null: .null
        case .boolean(let value): .boolean(value)
        case .number(let number): number.integer.map { .integer($0) } ?? .null
        case .string(let text): .string(text)
        case .array(let values): .array(values.map(\.json))
        case .object(let members): .object(members.map { ($0.key, $0.value.json) })
        }
    }
}
