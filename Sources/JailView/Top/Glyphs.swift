/// The signs that bars and rules are drawn with.
package struct Glyphs: Sendable {
    let full: Character
    let empty: Character
    let rule: String
    let branch: String
    let lastBranch: String
    let dot: String
    let up: String
    let down: String
    let mark: String
    /// From nothing to everything.
    let steps: [Character]

    /// For terminals that show Unicode.
    package static let drawn = Glyphs(
        full: "█", empty: "░", rule: "─", branch: "├ ", lastBranch: "└ ", dot: "●", up: "↑", down: "↓", mark: "…",
        steps: Array("▁▂▃▄▅▆▇█"))
    package static let plain = Glyphs(
        full: "#", empty: ".", rule: "-", branch: "| ", lastBranch: "` ", dot: "*", up: "^", down: "v", mark: "~",
        steps: Array("_.-=+*#"))

    /// A part of a whole, as so many characters. What is there is seen: the first is full as soon as there is anything.
    func bar(_ part: UInt64, of whole: UInt64, width: Int) -> (full: String, empty: String) {
        guard whole > 0, width > 0 else { return ("", String(repeating: empty, count: max(0, width))) }
        let share = min(1, Double(part) / Double(whole))
        let count = part == 0 ? 0 : max(1, Int((share * Double(width)).rounded()))
        return (String(repeating: full, count: count), String(repeating: empty, count: width - count))
    }

    /// The latest values, the newest at the right end.
    ///
    /// - Parameter whole: what is shown as full; at least the largest of the values.
    func curve(_ values: ArraySlice<UInt64>, of whole: UInt64, width: Int) -> String {
        let shown = values.suffix(width)
        let top = max(shown.max() ?? 0, whole, 1)
        let drawn = shown.map { value in
            steps[min(steps.count - 1, Int(Double(value) / Double(top) * Double(steps.count)))]
        }
        return String(repeating: " ", count: width - drawn.count) + String(drawn)
    }
}
