/// Looks through one stream for placeholders: it may come in parts of any size.
package struct PlaceholderScanner: Sendable {
    private let matcher: PlaceholderMatcher
    /// The bytes as they are, percent-decoded, and decoded twice. A level begins where its first `%` does.
    private var plain = PlaceholderMatcher.State()
    private var once: PercentDecoder?
    private var twice: PercentDecoder?

    package init(_ matcher: PlaceholderMatcher) { self.matcher = matcher }

    /// - Returns: the first placeholder that is complete within these bytes and those before them.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> Int? {
        for byte in bytes {
            if let index = feed(byte) { return index }
        }
        return nil
    }

    private mutating func feed(_ byte: UInt8) -> Int? {
        if byte == PercentDecoder.mark, once == nil { once = PercentDecoder(after: plain) }
        if let index = matcher.step(&plain, byte) { return index }
        guard var first = once else { return nil }
        var second = twice
        var result: Int?
        first.feed(byte) { byte, state in
            // What has been read so far is the same at both levels up to the first `%` that comes out of one.
            if byte == PercentDecoder.mark, second == nil { second = PercentDecoder(after: state) }
            result = result ?? matcher.step(&state, byte)
            second?.feed(byte) { byte, state in result = result ?? matcher.step(&state, byte) }
        }
        (once, twice) = (first, second)
        return result
    }
}

/// Percent-decoding of a stream (RFC 3986, 2.1). What is no encoding goes on as it is.
private struct PercentDecoder: Sendable {
    static let mark = UInt8(ascii: "%")

    private var state: PlaceholderMatcher.State
    /// Digits after a `%`: nil, it was none.
    private var pending: [UInt8] = []

    init(after state: PlaceholderMatcher.State) { self.state = state }

    mutating func feed(_ byte: UInt8, _ each: (UInt8, inout PlaceholderMatcher.State) -> Void) {
        if pending.isEmpty, byte != Self.mark { return each(byte, &state) }
        if !pending.isEmpty, Self.value(byte) == nil {
            let kept = pending
            pending = []
            for byte in kept { each(byte, &state) }
            return feed(byte, each)
        }
        pending.append(byte)
        guard pending.count == 3, let high = Self.value(pending[1]), let low = Self.value(pending[2]) else { return }
        pending = []
        each(high << 4 | low, &state)
    }

    private static func value(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
