/// What a program inside has in the place of a secret: it looks like one to whoever looks at its beginning and its length,
/// and is worth nothing anywhere but on this jail's way out. Another one for each jail, start and secret.
package struct SecretPlaceholder: Hashable, Sendable {
    package let text: String

    /// As it came over a channel; nil: it is none.
    package init?(text: String) {
        let parts = text.parts(at: Self.separator, most: 3)
        guard text.utf8.count <= Self.longest, parts.count <= 2, parts.allSatisfy({ Self.isPart($0.utf8) }) else {
            return nil
        }
        self.text = text
    }

    private static func isPart(_ bytes: Substring.UTF8View) -> Bool {
        bytes.count >= shortest
            && bytes.allSatisfy { Name.isWord($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ":") }
    }

    /// What programs have: one text, or those of an access key's id and its secret, which never stand beside each other.
    package var parts: [String] { text.parts(at: Self.separator, most: 2).map { String($0) } }

    package var isPair: Bool { text.utf8.contains(UInt8(ascii: Self.separator)) }

    /// In no placeholder of a single text.
    private static let separator: Unicode.Scalar = "/"

    private init(made text: String) { self.text = text }

    /// Bytes of a value: one that is shorter is no secret, and could be found by trying; one that is longer fits no header.
    package static let valueSizes = 8...4096

    /// Bytes of a placeholder. A longer value has a shorter placeholder: nobody checks lengths there.
    static let shortest = 20
    static let longest = 256

    /// Why a value cannot be put into requests; nil: it can. RFC 9110, 5.5, without anything that is not ASCII: servers read
    /// that in different ways.
    package static func fault(in value: Span<UInt8>) -> String? {
        guard valueSizes.contains(value.count) else {
            return "has \(value.count) bytes, and must have \(valueSizes.lowerBound) to \(valueSizes.upperBound)"
        }
        guard value.indices.allSatisfy({ (0x20...0x7E).contains(value[$0]) }) else {
            return "holds line breaks or other characters that fit into no header field"
        }
        return value[0] == 0x20 || value[value.count - 1] == 0x20 ? "begins or ends with a blank" : nil
    }

    /// One for a value.
    ///
    /// What is known of the value beyond the prefix that all of its kind have does not come into it, except for its length in
    /// steps of eight (in full where all of its kind have the same one). At least 128 bits are random, also for values that
    /// have not that many; only where a kind is so short that everybody knows it (AWS's key ids) are there 80.
    ///
    /// - Parameters:
    ///   - value: is looked at where it lies, and not copied.
    ///   - generator: of unguessable bits.
    package static func make(
        like value: Span<UInt8>, using generator: inout some RandomNumberGenerator
    ) throws(ValueError) -> SecretPlaceholder {
        guard valueSizes.contains(value.count) else {
            throw ValueError(
                "must be of \(valueSizes.lowerBound) to \(valueSizes.upperBound) bytes, not \(value.count)")
        }
        let shape = SecretShape(of: value)
        let prefix = Array(shape.prefix.utf8)
        for _ in 0..<mostAttempts {
            let random = shape.parts.flatMap { $0.random(&generator) }
            if !shares(random, value, from: prefix.count) {
                return SecretPlaceholder(made: String(decoding: prefix + random, as: UTF8.self))
            }
        }
        throw ValueError("must not be made of so few different characters")
    }

    /// One for an access key: of its id and its secret.
    package static func makePair(
        like value: Span<UInt8>, using generator: inout some RandomNumberGenerator
    ) throws(ValueError) -> SecretPlaceholder {
        guard valueSizes.contains(value.count) else {
            throw ValueError("must be of at most \(valueSizes.upperBound) bytes, not \(value.count)")
        }
        let key = try AccessKey(value)
        let id = try make(like: value.extracting(key.id), using: &generator)
        let secret = try make(like: value.extracting(key.secret), using: &generator)
        return SecretPlaceholder(made: "\(id.text)\(separator)\(secret.text)")
    }

    /// Makes that meet the value by chance are thrown away; one that always does is no random text.
    private static let mostAttempts = 1000
    /// Bytes in a row that are no chance any more.
    private static let mostShared = 4

    private static func shares(_ made: [UInt8], _ value: Span<UInt8>, from start: Int) -> Bool {
        for index in stride(from: start, through: value.count - mostShared, by: 1) {
            for other in stride(from: 0, through: made.count - mostShared, by: 1) {
                var length = 0
                while length < mostShared, value[index + length] == made[other + length] { length += 1 }
                if length == mostShared { return true }
            }
        }
        return false
    }
}

/// What all secrets of a kind look like.
struct SecretShape {
    struct Part {
        let characters: StaticString
        let count: Int

        func random(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
            let choices = unsafe UnsafeBufferPointer(start: characters.utf8Start, count: characters.utf8CodeUnitCount)
            return (0..<count).map { _ in unsafe choices[Int.random(in: 0..<choices.count, using: &generator)] }
        }
    }

    var prefix: String
    var parts: [Part]

    private static let word: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let hex: StaticString = "0123456789abcdef"
    private static let digits: StaticString = "0123456789"
    /// RFC 4648, 6.
    private static let base32: StaticString = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"

    /// 62^22 and 16^32 are 2^128 and more.
    private static let leastWord = 22
    private static let leastHex = 32

    /// The longer one first where two begin alike. Whatever begins with one is public: it says whose kind of key it is.
    private static let prefixes = [
        "sk-ant-api03-", "sk-ant-oat01-", "sk-ant-", "sk-proj-", "sk-or-v1-", "sk-", "sk_live_", "sk_test_", "rk_live_",
        "github_pat_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "glpat-", "xoxb-", "xoxp-", "xoxa-", "xoxs-", "xapp-",
        "AIza", "npm_", "pypi-", "hf_", "gsk_", "xai-", "pplx-", "tvly-", "whsec_", "dop_v1_", "shpat_", "eyJ",
    ]
    /// Kinds whose secrets all have one length.
    private static let fixed = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "AIza", "npm_", "glpat-"]

    init(of value: Span<UInt8>) {
        if value.count == 20, let kind = ["AKIA", "ASIA"].first(where: { Self.begins(value, $0) }) {
            prefix = kind
            parts = [Part(characters: Self.base32, count: 16)]
            return
        }
        if let colon = Self.telegram(value) {
            prefix = ""
            parts = [
                Part(characters: Self.digits, count: colon), Part(characters: ":", count: 1),
                Part(characters: Self.word, count: 35),
            ]
            return
        }
        let known = Self.prefixes.first { value.count > $0.utf8.count + 4 && Self.begins(value, $0) } ?? ""
        prefix = known
        let rest = value.count - known.utf8.count
        let isHex = (known.utf8.count..<value.count).allSatisfy {
            value[$0].isDigit || (0x61...0x66).contains(value[$0])
        }
        let least = isHex ? Self.leastHex : Self.leastWord
        let length = Self.fixed.contains(known) ? rest : (rest + 7) / 8 * 8
        parts = [
            Part(
                characters: isHex ? Self.hex : Self.word,
                count: min(max(length, least), SecretPlaceholder.longest - known.utf8.count))
        ]
    }

    private static func begins(_ value: Span<UInt8>, _ prefix: String) -> Bool {
        value.count >= prefix.utf8.count && prefix.utf8.enumerated().allSatisfy { value[$0] == $1 }
    }

    /// `123456789:` and 35 more, as Telegram makes them. The number is the bot's, which is public, and another one here.
    private static func telegram(_ value: Span<UInt8>) -> Int? {
        guard let colon = value.indices.first(where: { value[$0] == UInt8(ascii: ":") }), (8...12).contains(colon),
            value.count == colon + 36, (0..<colon).allSatisfy({ value[$0].isDigit })
        else { return nil }
        return colon
    }
}
