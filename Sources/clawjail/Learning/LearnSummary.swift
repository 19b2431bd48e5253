import JailCore
import JailLearning

/// What a run has shown, in a few lines.
enum LearnSummary {
    /// Lines of each kind.
    private static let most = 20

    static func lines(_ run: LearnedRun, path: String) -> [String] {
        var lines: [String] = []
        for (outcome, words) in [
            (Observation.Outcome.denied, "denied"), (.permitted, "let pass, and not in the profile"),
        ] {
            let rows = run.rows(outcome)
            guard !rows.isEmpty else { continue }
            lines.append("\(words), \(rows.count) different, \(run.total(outcome)) in all:")
            lines += Table.text(Array(rows.prefix(most))).split(separator: "\n").map { "  \($0)".trimmed }
            if rows.count > most { lines.append("  and \(rows.count - most) more") }
        }
        if lines.isEmpty, run.end?.isIncomplete == false { lines.append("nothing was denied") }
        if let leftOut = run.end?.leftOut, leftOut > 0 {
            lines.append("there was no room for \(leftOut) more")
        }
        lines.append("record: \(path.printable)")
        if !run.observations.allSatisfy({ $0.outcome == .used }) {
            lines.append("to see what to grant: clawjail profile suggest \(run.start.name)")
        }
        return lines
    }
}

extension String {
    /// Without the spaces that an empty last cell leaves.
    fileprivate var trimmed: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
