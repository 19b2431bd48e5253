internal import FoundationEssentials
package import JailPolicy

/// Finds any of several placeholders in a stream of bytes, as they are and as they are usually encoded: in letters of either
/// case, percent-encoded (twice as well), in base64 of either alphabet wherever it begins, and in hexadecimal.
///
/// An automaton of Aho and Corasick over classes of bytes: each byte costs one step, however many placeholders there are,
/// and nothing of the stream is kept. Pure.
package struct PlaceholderMatcher: Sendable {
    /// Each byte's class: letters of both cases have the same one, and all bytes that no pattern has share the first.
    private var classes = [UInt8](repeating: 0, count: 256)
    private var classCount = 1
    /// Rows of states.
    private var next: [Int32] = []
    /// For each state: which placeholder ends here; -1: none.
    private var found: [Int32] = []

    package init(_ placeholders: [SecretPlaceholder]) {
        let patterns = placeholders.enumerated().flatMap { index, placeholder in
            placeholder.parts.flatMap { Self.spellings(Array($0.utf8)) }.map { (index, $0) }
        }
        for byte in patterns.flatMap(\.1) {
            let folded = Self.folded(byte)
            guard classes[Int(folded)] == 0 else { continue }
            classes[Int(folded)] = UInt8(classCount)
            if (0x61...0x7A).contains(folded) { classes[Int(folded ^ 0x20)] = UInt8(classCount) }
            classCount += 1
        }
        build(patterns)
    }

    // MARK: Building

    private mutating func addState() -> Int {
        next += [Int32](repeating: -1, count: classCount)
        found.append(-1)
        return found.count - 1
    }

    private mutating func build(_ patterns: [(Int, [UInt8])]) {
        let root = addState()
        for (index, pattern) in patterns {
            var state = root
            for byte in pattern {
                let slot = state * classCount + Int(classes[Int(byte)])
                if next[slot] < 0 { next[slot] = Int32(addState()) }
                state = Int(next[slot])
            }
            found[state] = Int32(index)
        }
        completeTransitions(from: root)
    }

    /// Where a state knows no way on, that of the longest suffix counts which is a beginning as well.
    private mutating func completeTransitions(from root: Int) {
        var suffix = [Int](repeating: root, count: found.count)
        var queue: [Int] = []
        for slot in 0..<classCount {
            if next[slot] < 0 { next[slot] = Int32(root) } else { queue.append(Int(next[slot])) }
        }
        var head = 0
        while head < queue.count {
            let state = queue[head]
            head += 1
            if found[state] < 0 { found[state] = found[suffix[state]] }
            for slot in 0..<classCount {
                let onward = next[suffix[state] * classCount + slot]
                let child = next[state * classCount + slot]
                if child < 0 {
                    next[state * classCount + slot] = onward
                } else {
                    suffix[Int(child)] = Int(onward)
                    queue.append(Int(child))
                }
            }
        }
    }

    // MARK: Matching

    package struct State: Sendable {
        fileprivate var number: Int32 = 0
        package init() {}
    }

    /// - Returns: the placeholder that ends with this byte, by its index; nil: none.
    package func step(_ state: inout State, _ byte: UInt8) -> Int? {
        state.number = next[Int(state.number) * classCount + Int(classes[Int(byte)])]
        let index = found[Int(state.number)]
        return index < 0 ? nil : Int(index)
    }

    // MARK: Spellings

    private static func folded(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    /// In base64, what surrounds a text changes its first and last characters: those are left out.
    static func spellings(_ text: [UInt8]) -> [[UInt8]] {
        var all = [text, hexadecimal(text)]
        for before in 0..<3 {
            let bytes = [UInt8](repeating: 0, count: before) + text
            let encoded = Array(Data(bytes).base64EncodedString().utf8)
            // The first character that has no bit of what stands before, and the last that has none of what follows.
            let first = (before * 8 + 5) / 6
            let last = bytes.count * 8 / 6
            let part = Array(encoded[first..<last])
            all += [
                part,
                part.map {
                    $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
                },
            ]
        }
        return all
    }

    private static func hexadecimal(_ text: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789abcdef".utf8)
        return text.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
    }
}
