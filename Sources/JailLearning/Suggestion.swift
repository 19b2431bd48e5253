package import JailCore
package import JailPolicy

/// One thing that a profile could say more, why, and what that would mean.
package struct Suggestion: Equatable, Sendable {
    package var change: ProfileChange
    package var evidence: Evidence
    /// What the change makes possible, in plain words.
    package var risk: String
    /// Why it should not be made all the same; nil: nothing known speaks against it.
    package var advisedAgainst: String?

    package var json: JSON {
        [
            "key": .string(change.key), "value": .string(change.value), "isElement": .boolean(change.isElement),
            "json5": .string(change.text), "evidence": evidence.json, "risk": .string(risk),
            "advisedAgainst": .optional(advisedAgainst),
        ]
    }
}

/// What was seen.
package struct Evidence: Equatable, Sendable {
    /// How often, all together.
    package var count = 0
    /// By which programs, as far as known.
    package var programs: [String] = []
    /// What exactly, a line each: more than is named where something was generalised.
    package var seen: [String] = []
    /// The kernel's answer was worked out for all of it, and not seen.
    package var isPredicted = false

    package init(_ observations: [Observation]) {
        for observation in observations {
            // Saturating: a record can say anything.
            count = count.addingReportingOverflow(observation.count).overflow ? .max : count + observation.count
            if let program = observation.program, !programs.contains(program) { programs.append(program) }
            let text = observation.subject.shown
            if !seen.contains(text) { seen.append(text) }
        }
        isPredicted = !observations.isEmpty && observations.allSatisfy { $0.knowledge == .predicted }
    }

    /// One line: `asked for 3 times by node: POST https://example.org/a`.
    package var text: String {
        let by = programs.isEmpty ? "" : " by " + Self.list(programs, most: 3)
        let how = isPredicted ? ", as worked out" : ""
        let times = count == 1 ? "once" : "\(count) times"
        return "asked for \(times)\(by)\(how): \(Self.list(seen, most: 4))"
    }

    package var json: JSON {
        [
            "count": .number(count), "programs": .strings(programs), "seen": .strings(seen),
            "predicted": .boolean(isPredicted),
        ]
    }

    private static func list(_ texts: [String], most: Int) -> String {
        let shown = texts.prefix(most).map(\.excerpt).joined(separator: ", ")
        return shown + (texts.count > most ? " and \(texts.count - most) more" : "")
    }
}

/// Something that was asked for, and that nothing will be suggested for.
package struct Ungrantable: Equatable, Sendable {
    package var evidence: Evidence
    package var reason: String

    package var json: JSON { ["evidence": evidence.json, "reason": .string(reason)] }
}

extension Observation.Subject {
    /// For people: `write /srv/x`, `POST https://example.org/a`, `the system call mbind`.
    package var shown: String {
        switch self {
        case .file(let path, let access): "\(access.rawValue) \(path)"
        case .program(let name): "the program \(name)"
        case .systemCall(let name): "the system call \(name)"
        case .bind(let port): "bind port \(port)"
        case .network(let fields): fields.shown
        case .limit(let name, let value): "the limit \(name)" + (value.isEmpty ? "" : " of \(value)")
        }
    }
}

extension NetworkSubjectFields {
    fileprivate var shown: String {
        guard let method else { return host + (port.map { ":\($0)" } ?? "") }
        let scheme = isWebSocket ? (scheme == "http" ? "ws" : "wss") : scheme ?? "https"
        let isStandard = port == nil || port == (scheme == "http" || scheme == "ws" ? 80 : 443)
        return "\(method) \(scheme)://\(host)\(isStandard ? "" : ":\(port ?? 0)")\(path ?? "")"
    }
}
