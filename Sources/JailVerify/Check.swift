/// One promise, how it is tried, and what must come of it.
package struct Check: Sendable {
    /// Stable, for machines: `who.capabilities`.
    package var id: String
    package var promise: String
    /// The keys of a profile that promise it; none: every jail does.
    package var keys: [String]
    package var tried: String
    /// What jailprobe is told to try.
    package var arguments: [String] = []
    package var expectations: [Expectation] = []
    /// For what is no matter of one result: after the expectations, all of which must hold.
    package var judge: (@Sendable (Evidence) -> Judgement)?

    package init(
        _ id: String, _ promise: String, keys: [String] = [], tried: String, arguments: [String] = [],
        _ expectations: [Expectation] = [], judge: (@Sendable (Evidence) -> Judgement)? = nil
    ) {
        self.id = id
        self.promise = promise
        self.keys = keys
        self.tried = tried
        self.arguments = arguments
        self.expectations = expectations
        self.judge = judge
    }

    /// What could not be tried counts as not held, never as held.
    package func judgement(_ evidence: Evidence) -> Judgement {
        let failed = expectations.compactMap { $0.complaint(evidence.inside) }
        guard failed.isEmpty else {
            return Judgement(.notHeld, failed.prefix(4).joined(separator: ", ") + (failed.count > 4 ? ", …" : ""))
        }
        if let judge { return judge(evidence) }
        guard !expectations.isEmpty else { return Judgement(.notHeld, "nothing was tried") }
        return Judgement(.held, Expectation.summary(expectations, evidence.inside))
    }
}

package struct Judgement: Equatable, Sendable {
    package enum State: String, Sendable {
        case held
        case notHeld
        /// On purpose, and said so. Counts as neither.
        case notTried
    }
    package var state: State
    /// What the kernel, or whoever was asked, answered.
    package var answer: String

    package init(_ state: State, _ answer: String) {
        self.state = state
        self.answer = answer
    }

    package init(_ held: Bool, _ answer: String) { self.init(held ? .held : .notHeld, answer) }
}

/// One result that must be one of those that are accepted.
package struct Expectation: Equatable, Sendable {
    package enum Subject: Equatable, Sendable {
        case attempt(String)
        case fact([String])
    }
    package var subject: Subject
    package var accepted: [String]

    package init(_ subject: Subject, _ accepted: [String]) {
        self.subject = subject
        self.accepted = accepted
    }

    package static func attempts(_ names: [String], are accepted: String...) -> [Expectation] {
        names.map { Expectation(.attempt($0), accepted) }
    }

    package static func attempt(_ name: String, is accepted: String...) -> Expectation {
        Expectation(.attempt(name), accepted)
    }

    package static func fact(_ path: String..., is accepted: String) -> Expectation {
        Expectation(.fact(path), [accepted])
    }

    private func found(_ report: ProbeReport) -> String? {
        switch subject {
        case .attempt(let name): report.result(name)
        case .fact(let path): report.fact(path)
        }
    }

    var name: String {
        switch subject {
        case .attempt(let name): name
        case .fact(let path): path.last ?? ""
        }
    }

    /// What is wrong; nil: nothing.
    func complaint(_ report: ProbeReport) -> String? {
        guard let found = found(report) else { return "\(name): could not be tried" }
        return accepted.contains(found) ? nil : "\(name): \(Self.short(found))"
    }

    /// All results, each once, with how often it came: `EPERM (9), ENOSYS (2)`.
    static func summary(_ expectations: [Expectation], _ report: ProbeReport) -> String {
        let found = expectations.compactMap { $0.found(report) }.map(short)
        if found.count == 1 { return found[0] }
        var counts: [(text: String, count: Int)] = []
        for text in found {
            if let index = counts.firstIndex(where: { $0.text == text }) {
                counts[index].count += 1
            } else {
                counts.append((text, 1))
            }
        }
        return counts.map { $0.count == 1 ? $0.text : "\($0.text) (\($0.count))" }.joined(separator: ", ")
    }

    private static func short(_ result: String) -> String {
        if result.isEmpty { return "none" }
        let text = result.hasPrefix("errno ") ? String(result.dropFirst(6)) : result
        return text.count <= 100 ? text : text.prefix(100) + "…"
    }
}
