internal import JailCore

extension CommandRule {
    /// For people: `/usr/bin/git push [--tags] origin <path below /srv>, never --force, asks`.
    package var shown: String { shown(hasValues: true) }

    /// - Parameter hasValues: whether those of the environment are there, which may be secrets.
    func shown(hasValues: Bool) -> String {
        var words = [program]
        if !program.utf8.reversed().starts(with: "/\(name)".utf8.reversed()) { words[0] += " as \(name)" }
        let leading = leading == nil ? 0 : 1
        words += arguments[..<leading].map(\.shown)
        words += flags.map(\.shown)
        words += arguments[leading...].map(\.shown)
        var text = words.joined(separator: " ")
        if order == .fixed { text += ", flags in this order" }
        if combined { text += ", flags may be combined" }
        if !denied.isEmpty { text += ", never \(denied.map(\.shellQuoted).joined(separator: " "))" }
        if let workingDirectory { text += ", in \(workingDirectory)" }
        if !environment.isEmpty {
            text +=
                ", with \(environment.map { hasValues ? "\($0.name)=\($0.value.shellQuoted)" : $0.name }.joined(separator: " "))"
        }
        text += ", for \(TimeSpan.format(timeout)), \(ByteSize.format(outputSize)) of output"
        if let digest { text += ", SHA-256 \(digest)" }
        switch place {
        case .jail: break
        case .profile(let name): text += ", in a jail of \(name)"
        case .host(let user): text += ", on the host as \(user)"
        }
        return asks ? text + ", asks" : text
    }
}

extension CommandArgument {
    var shown: String {
        if isSingle { return shape.shown }
        if least == 0, most == 1 { return "[\(shape.shown)]" }
        return "\(shape.shown)×\(least == most ? "\(least)" : "\(least)–\(most)")"
    }
}

extension CommandFlag {
    var shown: String {
        let text = names.joined(separator: "|") + (value.map { " \($0.shown)" } ?? "") + form.shown(value != nil)
        return (isRequired ? text : "[\(text)]") + (mayRepeat ? "…" : "")
    }
}

extension CommandFlagForm {
    fileprivate func shown(_ hasValue: Bool) -> String {
        switch self {
        case .separate: ""
        case .attached: hasValue ? " (attached)" : ""
        case .either: hasValue ? " (attached or not)" : ""
        }
    }
}
