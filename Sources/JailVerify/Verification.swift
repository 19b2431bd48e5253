package import JailCore

/// What came of all checks of a jail.
package struct Verification: Sendable {
    package struct Row: Sendable {
        package var check: Check
        package var judgement: Judgement
    }
    package var rows: [Row]
    /// What was looked at: a profile, or a running jail.
    package var subject: String
    /// What a reader should know of how it was tried.
    package var notes: [String] = []
    package var milliseconds: Int64 = 0
    /// In whose log it is recorded.
    package var jail = ""

    package init(_ list: CheckList, _ evidence: Evidence, subject: String) {
        rows = list.checks.map { Row(check: $0, judgement: $0.judgement(evidence)) }
        self.subject = subject
    }

    package init(rows: [Row], subject: String) {
        self.rows = rows
        self.subject = subject
    }

    package func count(_ state: Judgement.State) -> Int { rows.count { $0.judgement.state == state } }

    package var holds: Bool { count(.notHeld) == 0 && count(.held) > 0 }

    /// The stable form, without what differs from one time to the next.
    package var json: JSON {
        [
            "version": 1, "subject": .string(subject), "held": .number(count(.held)),
            "notHeld": .number(count(.notHeld)),
            "notTried": .number(count(.notTried)), "notes": .strings(notes), "checks": .array(rows.map(\.json)),
        ]
    }

    package var summary: String {
        let failed = count(.notHeld)
        let left = count(.notTried)
        return
            (failed == 0
            ? "all \(count(.held)) promises hold" : "\(failed) of \(count(.held) + failed) promises DO NOT HOLD")
            + (left == 0 ? "" : ", \(left) not tried")
    }
}

extension Verification.Row {
    package var json: JSON {
        [
            "id": .string(check.id), "promise": .string(check.promise), "keys": .strings(check.keys),
            "tried": .string(check.tried), "answer": .string(judgement.answer),
            "result": .string(judgement.state.rawValue),
        ]
    }
}

extension Judgement.State {
    /// For people.
    package var word: String {
        switch self {
        case .held: "held"
        case .notHeld: "NOT HELD"
        case .notTried: "not tried"
        }
    }
}
