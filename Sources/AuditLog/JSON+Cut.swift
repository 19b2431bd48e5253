internal import JailCore

extension JSON {
    /// Members short enough for one line: texts and lists are cut, and say so.
    static func cut(_ members: [(String, JSON)]) -> [(String, JSON)] {
        var budget = 48 << 10
        var result: [(String, JSON)] = []
        for (key, value) in members {
            guard budget > 0 else { break }
            let cut = value.cut(&budget)
            budget -= key.utf8.count + 4
            result.append((key, cut))
        }
        return result + [("cut", true)]
    }

    private func cut(_ budget: inout Int) -> JSON {
        switch self {
        case .string(let text):
            let kept = text.utf8.prefix(max(0, min(4096, budget)))
            budget -= kept.count + 3
            return .string(kept.count < text.utf8.count ? String(decoding: kept, as: UTF8.self) + "…" : text)
        case .array(let values):
            var kept: [JSON] = []
            for value in values where budget > 0 { kept.append(value.cut(&budget)) }
            return .array(kept)
        case .object(let members):
            var kept: [(String, JSON)] = []
            for (key, value) in members where budget > 0 {
                budget -= key.utf8.count + 4
                kept.append((key, value.cut(&budget)))
            }
            return .object(kept)
        default:
            budget -= 24
            return self
        }
    }
}
