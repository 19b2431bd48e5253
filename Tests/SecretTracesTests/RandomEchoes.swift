import Foundation

/// The same for every run of a test.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

extension RandomNumberGenerator {
    mutating func bytes(_ range: ClosedRange<Int>, of alphabet: [UInt8]) -> [UInt8] {
        (0..<Int.random(in: range, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? 0 }
    }
}

/// One way in which an origin may write a value down, made without the code under test.
enum Echo: CaseIterable {
    case plain, hex, upperHex, percent, lowerPercent, partlyPercent, json, jsonUnicode, entities, base64, base64Unpadded
    case base64URL, base64InJSON, base64InPercent, form

    /// - Returns: the text, and which part of it must not be seen.
    func text(_ value: [UInt8], _ random: inout some RandomNumberGenerator) -> (bytes: [UInt8], secret: Range<Int>) {
        switch self {
        case .plain: whole(value)
        case .hex: whole(value.flatMap { Array(String(format: "%02x", $0).utf8) })
        case .upperHex: whole(value.flatMap { Array(String(format: "%02X", $0).utf8) })
        case .percent: whole(value.flatMap { Array(String(format: "%%%02X", $0).utf8) })
        case .lowerPercent: whole(value.flatMap { Array(String(format: "%%%02x", $0).utf8) })
        case .partlyPercent:
            whole(
                value.flatMap {
                    Bool.random(using: &random)
                        ? [$0]
                        : Array(String(format: Bool.random(using: &random) ? "%%%02x" : "%%%02X", $0).utf8)
                })
        case .json:
            whole(
                value.flatMap { byte -> [UInt8] in
                    switch byte {
                    case UInt8(ascii: "/"), UInt8(ascii: "\\"), UInt8(ascii: "\""): [UInt8(ascii: "\\"), byte]
                    case 0x0A: Array("\\n".utf8)
                    case 0x09: Array("\\t".utf8)
                    default: [byte]
                    }
                })
        case .jsonUnicode:
            whole(
                String(decoding: value, as: UTF8.self).utf16.flatMap { Array(String(format: "\\u%04x", Int($0)).utf8) })
        case .entities:
            whole(
                value.flatMap {
                    Array(
                        (Bool.random(using: &random) ? String(format: "&#x%02X;", $0) : "&#\($0);").utf8)
                })
        case .form: whole(value.map { $0 == 0x20 ? UInt8(ascii: "+") : $0 })
        case .base64, .base64Unpadded, .base64URL, .base64InJSON, .base64InPercent: packed(value, &random)
        }
    }

    private func whole(_ bytes: [UInt8]) -> ([UInt8], Range<Int>) { (bytes, 0..<bytes.count) }

    /// Somewhere in a longer text: of the characters at its ends, other bytes decide some bits.
    private func packed(_ value: [UInt8], _ random: inout some RandomNumberGenerator) -> ([UInt8], Range<Int>) {
        let all = Array(UInt8.min...UInt8.max)
        let before = random.bytes(0...7, of: all)
        let after = random.bytes(0...7, of: all)
        var text = Data(before + value + after).base64EncodedString()
        let first = (before.count * 8 + 5) / 6
        let last = (before.count + value.count) * 8 / 6
        var prefix = String(text.prefix(first))
        var middle = String(text.dropFirst(first).prefix(last - first))
        var rest = String(text.dropFirst(last))
        func change(_ body: (String) -> String) {
            prefix = body(prefix)
            middle = body(middle)
            rest = body(rest)
        }
        switch self {
        case .base64Unpadded: change { $0.replacing("=", with: "") }
        case .base64URL: change { $0.replacing("=", with: "").replacing("+", with: "-").replacing("/", with: "_") }
        case .base64InJSON: change { $0.replacing("/", with: "\\/") }
        case .base64InPercent:
            change { $0.replacing("+", with: "%2B").replacing("/", with: "%2f").replacing("=", with: "%3D") }
        default: break
        }
        text = prefix + middle + rest
        return (Array(text.utf8), prefix.utf8.count..<prefix.utf8.count + middle.utf8.count)
    }
}
