internal import JailPolicy

/// Reading settings that anybody may have written: another type than expected counts as not said.
extension JSON5Value {
    func at(_ keys: [String]) -> JSON5Value? {
        var value: JSON5Value? = self
        for key in keys { value = value?[key] }
        return value
    }

    var members: [JSON5Member] { if case .object(let members) = content { members } else { [] } }
    var isTrue: Bool { if case .boolean(true) = content { true } else { false } }

    /// A secret that stands there itself, and not how to get it: neither `${NAME}` nor a reference.
    var literal: String? {
        guard let text, !text.isEmpty, !(text.hasPrefix("${") && text.hasSuffix("}")),
            !text.hasPrefix("__OPENCLAW_REDACTED")
        else { return nil }
        return text
    }

    /// Every text in it with the keys that lead there: `channels.telegram.botToken`, `agents.list[0].name`.
    var texts: [(path: String, key: String, value: JSON5Value)] {
        var result: [(String, String, JSON5Value)] = []
        collect("", "", into: &result)
        return result
    }

    private func collect(_ path: String, _ key: String, into result: inout [(String, String, JSON5Value)]) {
        switch content {
        case .string: result.append((path, key, self))
        case .object(let members):
            for member in members {
                member.value.collect(path.isEmpty ? member.key : "\(path).\(member.key)", member.key, into: &result)
            }
        case .array(let values):
            for (index, value) in values.enumerated() { value.collect("\(path)[\(index)]", key, into: &result) }
        default: break
        }
    }
}

extension StateView {
    func setting(_ keys: String...) -> JSON5Value? { configuration?.value?.at(keys) }

    /// What is set for all agents, and for single ones: with the keys that lead there.
    func agents() -> [(path: String, value: JSON5Value)] {
        var result: [(String, JSON5Value)] = []
        if let defaults = setting("agents", "defaults") { result.append(("agents.defaults", defaults)) }
        for (index, agent) in (setting("agents", "list")?.elements ?? []).enumerated() {
            result.append(("agents.list[\(index)]", agent))
        }
        for member in setting("agents", "entries")?.members ?? [] {
            result.append(("agents.entries.\(member.key)", member.value))
        }
        return result
    }
}
