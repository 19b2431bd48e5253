/// Paths as they are told: some services take their tokens there (Telegram's `/bot123:TOKEN/…`, web hooks), and what is
/// told ends up in logs.
package enum LoggedPath {
    /// Segments of so many bytes are cut, if they look like a token: letters and digits, mixed.
    private static let longest = 24
    private static let kept = 6

    package static func text(_ path: String) -> String {
        let segments = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard segments.contains(where: { isToken($0) }) else { return path }
        return segments.map { segment in
            isToken(segment)
                ? String(decoding: segment.prefix(kept), as: UTF8.self) + "…" : String(decoding: segment, as: UTF8.self)
        }.joined(separator: "/")
    }

    /// The same in a text that quotes the path.
    static func hide(_ path: String, in text: String) -> String {
        let told = Self.text(path)
        guard told != path, let range = text.range(of: path) else { return text }
        return text.replacingCharacters(in: range, with: told)
    }

    private static func isToken(_ segment: Substring.UTF8View) -> Bool {
        guard segment.count >= longest else { return false }
        let digits = segment.count { (0x30...0x39).contains($0) }
        let letters = segment.count { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        return digits > 0 && letters > 0
    }
}

extension String {
    fileprivate func range(of other: String) -> Range<Index>? {
        let own = Array(utf8)
        let wanted = Array(other.utf8)
        guard !wanted.isEmpty, own.count >= wanted.count else { return nil }
        for start in 0...(own.count - wanted.count) where own[start..<(start + wanted.count)].elementsEqual(wanted) {
            let from = utf8.index(utf8.startIndex, offsetBy: start)
            return from..<utf8.index(from, offsetBy: wanted.count)
        }
        return nil
    }

    fileprivate func replacingCharacters(in range: Range<Index>, with other: String) -> String {
        String(self[..<range.lowerBound]) + other + String(self[range.upperBound...])
    }
}
