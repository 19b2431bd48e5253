/// What was typed.
package enum Key: Hashable, Sendable {
    case character(Character)
    case up, down, pageUp, pageDown, home, end
    case enter
    case escape
    case interrupt, suspend, redraw

    /// Keys from what a terminal in raw mode gives. What is no key that means anything here is skipped, whole.
    package static func read(_ bytes: [UInt8]) -> [Key] {
        var keys: [Key] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case 0x03, 0x04, 0x1C: keys.append(.interrupt)
            case 0x1A: keys.append(.suspend)
            case 0x0C: keys.append(.redraw)
            case 0x0D, 0x0A: keys.append(.enter)
            case 0x1B: if let key = sequence(&rest) { keys.append(key) }
            case 0x20..<0x7F: keys.append(.character(Character(Unicode.Scalar(byte))))
            default: break
            }
        }
        return keys
    }

    /// What follows an escape character: nothing, `[` or `O` with parameters and a final byte, or one more.
    private static func sequence(_ rest: inout ArraySlice<UInt8>) -> Key? {
        guard let introducer = rest.popFirst() else { return .escape }
        guard introducer == 0x5B || introducer == 0x4F else { return nil }
        var parameters: [UInt8] = []
        while let byte = rest.popFirst() {
            guard (0x40..<0x7F).contains(byte) else {
                parameters.append(byte)
                continue
            }
            switch (byte, parameters) {
            case (0x41, []): return .up
            case (0x42, []): return .down
            case (0x48, []), (0x7E, [0x31]), (0x7E, [0x37]): return .home
            case (0x46, []), (0x7E, [0x34]), (0x7E, [0x38]): return .end
            case (0x7E, [0x35]): return .pageUp
            case (0x7E, [0x36]): return .pageDown
            default: return nil
            }
        }
        return nil
    }
}
