internal import JailCore
internal import JailPolicy

extension SuggestedProfile {
    /// What a file has been made into, if it is one of these and nobody has edited it since: it is read, written anew, and
    /// must come out as the same bytes.
    package init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.first == Self.mark, let tree = try? JSON5Reader.read(bytes, file: ""),
            let parent = tree["extends"]?.text, (try? Name.checkProfile(parent)) != nil
        else { return nil }
        self.init(extending: parent)
        for (section, names) in Self.keys {
            for (name, isList) in names {
                guard let value = tree[section]?[name] else { continue }
                guard let values = isList ? value.elements : [value] else { return nil }
                for value in values {
                    guard let comment = Self.comment(above: value.position.line, in: lines) else { return nil }
                    let change = ProfileChange(key: "\(section).\(name)", value: value.written, isElement: isList)
                    add(Grant(change: change, comment: comment))
                }
            }
        }
        guard self.text.utf8.elementsEqual(bytes) else { return nil }
    }

    /// - Parameter line: from 1.
    private static func comment(above line: Int, in lines: [String]) -> String? {
        guard line >= 2, lines.indices.contains(line - 2) else { return nil }
        let text = lines[line - 2].drop { $0 == " " }
        return text.hasPrefix("// ") ? String(text.dropFirst(3)) : nil
    }
}

extension JSON5Value {
    /// As ``JSON/json5`` writes it, numbers as they stand.
    fileprivate var written: String { if case .number(let number) = content { number.text } else { json.json5 } }
}
