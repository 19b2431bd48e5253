internal import JailCore

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

    /// The same in a remedy, where the path is a pattern that matches nothing else.
    package static func hide(_ path: CanonicalPath, in remedy: String) -> String {
        let pattern = PathPattern(matching: path).text
        return remedy.replacing(JSON.string(pattern).text(), with: JSON.string(text(pattern)).text())
    }

    private static func isToken(_ segment: Substring.UTF8View) -> Bool {
        guard segment.count >= longest else { return false }
        let digits = segment.count { (0x30...0x39).contains($0) }
        let letters = segment.count { (0x41...0x5A).contains($0) || (0x61...0x7A).contains($0) }
        return digits > 0 && letters > 0
    }
}
