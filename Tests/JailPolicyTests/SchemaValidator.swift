import JailPolicy
import Testing

/// As much of JSON Schema 2020-12 as profiles/schema.json uses.
struct SchemaValidator {
    private let root: JSON5Value

    init(_ root: JSON5Value) { self.root = root }

    // MARK: Validation

    func errors(_ value: JSON5Value) -> [String] { errors(value, root, "") }

    private func errors(_ value: JSON5Value, _ schema: JSON5Value, _ path: String) -> [String] {
        let schema = resolved(schema)
        var found: [String] = []
        func require(_ condition: Bool, _ keyword: String) { if !condition { found.append("\(path): \(keyword)") } }

        if let type = schema["type"]?.text { require(matches(value, type), "type \(type)") }
        if let choices = schema["enum"]?.list { require(choices.contains { $0.says(sameAs: value) }, "enum") }
        if let options = schema["anyOf"]?.list {
            require(options.contains { errors(value, $0, path).isEmpty }, "anyOf")
        }
        if let text = value.text {
            if let pattern = schema["pattern"]?.text { require(Self.matches(text, pattern), "pattern \(pattern)") }
            if let least = schema["minLength"]?.integer { require(text.unicodeScalars.count >= least, "minLength") }
            if let most = schema["maxLength"]?.integer { require(text.unicodeScalars.count <= most, "maxLength") }
        }
        if let number = value.number {
            if let least = schema["minimum"]?.number { require(number >= least, "minimum") }
            if let most = schema["maximum"]?.number { require(number <= most, "maximum") }
        }
        if let elements = value.list {
            if let items = schema["items"] {
                for (index, element) in elements.enumerated() { found += errors(element, items, "\(path)[\(index)]") }
            }
            if let least = schema["minItems"]?.integer { require(elements.count >= least, "minItems") }
            if let most = schema["maxItems"]?.integer { require(elements.count <= most, "maxItems") }
        }
        if case .object(let members) = value.content { found += memberErrors(members, schema, path) }
        return found
    }

    private func memberErrors(_ members: [JSON5Member], _ schema: JSON5Value, _ path: String) -> [String] {
        var found: [String] = []
        for required in schema["required"]?.list ?? [] where !members.contains(where: { $0.key == required.text }) {
            found.append("\(path): required \(required.text ?? "")")
        }
        for member in members {
            if let pattern = schema["propertyNames"]?["pattern"]?.text, !Self.matches(member.key, pattern) {
                found.append("\(path): name \(member.key)")
            }
            if let known = schema["properties"]?[member.key] {
                found += errors(member.value, known, "\(path).\(member.key)")
            } else if let others = schema["additionalProperties"] {
                if case .boolean(false) = others.content { found.append("\(path): unknown \(member.key)") }
                if case .object = others.content { found += errors(member.value, others, "\(path).\(member.key)") }
            }
        }
        return found
    }

    private func matches(_ value: JSON5Value, _ type: String) -> Bool {
        switch (type, value.content) {
        case ("object", .object), ("array", .array), ("string", .string), ("boolean", .boolean), ("number", .number):
            true
        case ("integer", .number(let number)): number.integer != nil
        default: false
        }
    }

    private static func matches(_ text: String, _ pattern: String) -> Bool {
        guard let expression = try? Regex(pattern) else {
            Issue.record("not a regular expression: \(pattern)")
            return false
        }
        return text.contains(expression)
    }

    private func resolved(_ schema: JSON5Value) -> JSON5Value {
        guard let name = schema["$ref"]?.text?.split(separator: "/").last,
            let target = root["$defs"]?[String(name)]
        else { return schema }
        return target
    }

    // MARK: Structure

    /// The objects with named keys, by the path under which the decoder knows them.
    func sections() -> [KnownKeys] { sections(root, "") }

    private func sections(_ schema: JSON5Value, _ path: String) -> [KnownKeys] {
        let schema = resolved(schema)
        var found = (schema["anyOf"]?.list ?? []).flatMap { sections($0, path) }
        if let items = schema["items"] { found += sections(items, path + "[]") }
        if case .object(let properties)? = schema["properties"]?.content {
            found.append(KnownKeys(path: path, names: properties.map(\.key)))
            for property in properties {
                found += sections(property.value, path.isEmpty ? property.key : "\(path).\(property.key)")
            }
        }
        return found
    }

    func problems() -> [String] { problems(root, "") }

    private func problems(_ schema: JSON5Value, _ path: String) -> [String] {
        let target = resolved(schema)
        var found = (target["anyOf"]?.list ?? []).flatMap { problems($0, path) }
        if let items = target["items"] { found += problems(items, path + "[]") }
        if let pattern = target["pattern"]?.text, (try? Regex(pattern)) == nil { found.append("\(path): pattern") }
        guard case .object(let properties)? = target["properties"]?.content else { return found }
        guard case .boolean(false)? = target["additionalProperties"]?.content else { return found + ["\(path): open"] }
        for property in properties {
            if property.value["description"]?.text?.hasSuffix(".") != true {
                found.append("\(path).\(property.key): no description")
            }
            found += problems(property.value, "\(path).\(property.key)")
        }
        return found
    }
}

extension JSON5Value {
    fileprivate var text: String? { if case .string(let text) = content { text } else { nil } }
    fileprivate var list: [JSON5Value]? { if case .array(let values) = content { values } else { nil } }
    fileprivate var number: Double? {
        guard case .number(let number) = content else { return nil }
        return number.integer.map { Double($0) } ?? Double(number.text)
    }
    fileprivate var integer: Int? { number.map { Int($0) } }
}
