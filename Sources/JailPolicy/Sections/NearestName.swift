/// What a mistyped name was probably meant to be.
package enum NearestName {
    /// The candidate with the fewest changed letters, at most three and half of them; else one that begins with the
    /// text, or that the text begins with. nil if none is near.
    package static func find(_ text: String, among candidates: [String]) -> String? {
        if let nearest = nearest(text, among: candidates, changes: 3) { return nearest }
        guard (2...longest).contains(text.utf8.count) else { return nil }
        return candidates.first { $0.utf8.count >= 2 && ($0.hasPrefix(text) || text.hasPrefix($0)) }
    }

    /// The candidate with the fewest changed letters, at most `changes` and half of them.
    static func nearest(_ text: String, among candidates: [String], changes: Int) -> String? {
        let typed = Array(text.utf8)
        guard typed.count <= longest else { return nil }
        var best: (name: String, distance: Int)?
        for candidate in candidates {
            let name = Array(candidate.utf8)
            let distance = distance(typed, name)
            guard distance <= min(changes, max(typed.count, name.count) / 2) else { continue }
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.name
    }

    /// A key of a hostile file may be a megabyte long; no known name is.
    private static let longest = 64

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour. Case counts as nothing.
    static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        let a = a.map(lowercased)
        let b = b.map(lowercased)
        var beforeLast: [Int] = []
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var cost = min(last[j] + (a[i] == b[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1)
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { cost = min(cost, beforeLast[j - 1] + 1) }
                row.append(cost)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 { Name.isUpper(byte) ? byte | 0x20 : byte }
}
