/// A path or an address that a scanner is in, as far as it has read it: what stands in it says what its next part may be.
///
/// Read once from front to back, whatever it consists of: a text of nothing but slashes costs no more than another one.
struct SecretWord {
    /// Of the last one in it.
    private(set) var slash: Int?
    /// It has `://` in it.
    private var isAddress = false
    /// What comes is what a web hook is known by.
    private var isHook = false
    /// The part before was Slack's name of a workspace.
    private var isWorkspace = false
    private var segment = 0
    private var next = 0

    /// Bytes of a part behind a web hook's name, and of any other part of an address, from which on it may be a token.
    private static let leastOfHook = 16
    private static let least = 24

    /// - Parameter end: no less than the time before.
    mutating func read(_ bytes: [UInt8], upTo end: Int) {
        while next < end {
            let byte = bytes[next]
            next += 1
            if byte.endsValue {
                self = SecretWord(at: next)
            } else if byte == UInt8(ascii: "/") {
                // In JSON it may be written as `\/`.
                let isEscaped = next - 2 >= segment && bytes[next - 2] == 0x5C
                endSegment(bytes[segment..<(isEscaped ? next - 2 : next - 1)])
                slash = next - 1
                segment = next
            }
        }
    }

    init(at start: Int = 0) {
        segment = start
        next = start
    }

    private mutating func endSegment(_ name: ArraySlice<UInt8>) {
        if name.isEmpty, slash == segment - 1, segment > 1 { isAddress = true }
        // `hooks.slack.com`, `/webhooks/`, `/hook/`; and `/T000/B000/` in any path.
        let plain = name.prefix(64).map(\.lowercase)
        if plain.ends(with: "hook") || plain.ends(with: "hooks") || plain.starts(with: "hooks.".utf8) { isHook = true }
        if isWorkspace, name.isSlackName("B") { isHook = true }
        isWorkspace = name.isSlackName("T")
    }

    /// Whether the part that begins here is one.
    func isToken(_ part: ArraySlice<UInt8>) -> Bool {
        guard part.count >= (isHook ? Self.leastOfHook : Self.least), isHook || isAddress else { return false }
        let hasLower = part.contains { (0x61...0x7A).contains($0) }
        let hasUpper = part.contains { (0x41...0x5A).contains($0) }
        // Digests and numbers of documents are written in one case.
        return part.contains(where: \.isDigit) && (isHook ? hasLower || hasUpper : hasLower && hasUpper)
    }
}

extension [UInt8] {
    fileprivate func ends(with text: String) -> Bool { suffix(text.utf8.count).elementsEqual(text.utf8) }
}

extension ArraySlice<UInt8> {
    /// `T024BE7LD`, `B024BE7LD`.
    fileprivate func isSlackName(_ first: Character) -> Bool {
        count >= 3 && self.first == first.asciiValue
            && dropFirst().allSatisfy { $0.isDigit || (0x41...0x5A).contains($0) }
    }
}
