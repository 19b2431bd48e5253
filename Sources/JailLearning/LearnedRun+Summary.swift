internal import JailCore
internal import JailPolicy

extension LearnedRun {
    /// What was denied or let pass, for people: the most frequent first, as cells of a table, each printable.
    package func rows(_ outcome: Observation.Outcome) -> [[String]] {
        let found = observations.filter { $0.outcome == outcome }
        // As it was seen, where it was seen as often.
        let sorted = found.enumerated().sorted {
            ($1.element.count, $0.offset) < ($0.element.count, $1.offset)
        }
        return sorted.map { _, observation in
            [
                "\(observation.count)×", observation.subject.text.printable,
                observation.program.map { "by \($0.printable)" } ?? "", observation.answer,
            ]
        }
    }

    /// How often, all together.
    package func total(_ outcome: Observation.Outcome) -> Int {
        observations.reduce(0) { sum, observation in
            guard observation.outcome == outcome else { return sum }
            let (next, isTooLarge) = sum.addingReportingOverflow(observation.count)
            return isTooLarge ? .max : next
        }
    }
}

extension Observation {
    fileprivate var answer: String {
        switch (subject, errno) {
        case (.file(_, .write), "ENOENT"?): "where it lies is on the host, and not shown inside"
        case (.file, "ENOENT"?): "on the host, and not shown inside"
        case (.program, "ENOENT"?): "on the host, and not in the jail"
        case (.systemCall, "ENOSYS"?): "ENOSYS: programs often take another way"
        default: errno ?? ""
        }
    }
}

extension Observation.Subject {
    /// In a few words.
    package var text: String {
        switch self {
        case .file(let path, let access): "\(access.rawValue) \(path)"
        case .program(let name): "program \(name)"
        case .systemCall(let name): "system call \(name)"
        case .bind(let port): "listen on port \(port)"
        case .network(let fields): fields.text
        case .limit(let name, let value): "limit of \(name)" + (value.isEmpty ? "" : ", \(value)")
        }
    }
}

extension NetworkSubjectFields {
    fileprivate var text: String {
        guard let scheme, scheme != "tcp" else { return port.map { "connect to \(host):\($0)" } ?? "reach \(host)" }
        let authority = port == (scheme == "https" ? 443 : 80) ? host : port.map { "\(host):\($0)" } ?? host
        return "\(method.map { $0 + " " } ?? "")\(scheme)://\(authority)\(path ?? "")"
    }
}
