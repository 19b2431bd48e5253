/// Names whose values are secrets: of variables, options, headers and members.
enum SecretName {
    /// Endings, without `-` and `_`: `OPENAI_API_KEY`, `x-api-key` and `apiKey` are the same.
    private static let endings = [
        "password", "passwd", "passphrase", "secret", "token", "apikey", "accesskey", "privatekey", "secretkey",
        "credential", "credentials", "authorization", "cookie", "pwd", "authkey", "bearer",
    ].map { Array($0.utf8) }

    private static let longest = 64

    /// Whether a name is one, as a whole.
    static func isOne(_ name: ArraySlice<UInt8>) -> Bool {
        guard (3...longest).contains(name.count) else { return false }
        return endings.contains { ends(name, with: $0) }
    }

    /// From behind: most are told apart by their last letters.
    private static func ends(_ name: ArraySlice<UInt8>, with ending: [UInt8]) -> Bool {
        var index = name.endIndex
        var rest = ending.count
        while rest > 0 {
            guard index > name.startIndex else { return false }
            index -= 1
            if name[index] == 0x2D || name[index] == 0x5F { continue }
            rest -= 1
            if name[index].lowercase != ending[rest] { return false }
        }
        return true
    }

    /// `--token`, without a value of its own.
    static func isOption(_ argument: ArraySlice<UInt8>) -> Bool {
        guard argument.starts(with: [0x2D]) else { return false }
        return isOne(argument.drop { $0 == 0x2D })
    }

    /// Headers whose value goes to the end of the line.
    static func isWholeLine(_ name: ArraySlice<UInt8>) -> Bool {
        let plain = name.map(\.lowercase)
        return ["authorization", "proxy-authorization", "cookie", "set-cookie"].contains {
            plain.elementsEqual($0.utf8)
        }
    }
}

/// Credentials that say by their beginning what they are.
enum SecretPrefix {
    /// And how many characters at least come after it.
    static let known: [(prefix: [UInt8], least: Int)] = [
        ("sk-", 16), ("sk_live_", 8), ("sk_test_", 8), ("rk_live_", 8), ("rk_test_", 8), ("whsec_", 8), ("ghp_", 16),
        ("gho_", 16), ("ghu_", 16), ("ghs_", 16), ("ghr_", 16), ("github_pat_", 16), ("glpat-", 12), ("xoxb-", 8),
        ("xoxp-", 8), ("xoxa-", 8), ("xoxr-", 8), ("xoxs-", 8), ("xoxe-", 8), ("xapp-", 8), ("AKIA", 12), ("ASIA", 12),
        ("AIza", 24), ("ya29.", 16), ("npm_", 16), ("hf_", 16), ("dop_v1_", 16), ("SG.", 16), ("pypi-", 16),
        ("shpat_", 16), ("lin_api_", 12), ("tskey-", 8), ("AGE-SECRET-KEY-", 16), ("eyJ", 20), ("hvs.", 16),
    ].map { (Array($0.0.utf8), $0.1) }

    /// The same by their first byte: nearly every word of a log comes past here.
    private static let byFirst = (0...UInt8.max).map { first in known.filter { $0.prefix[0] == first } }

    /// How long the prefix is of a credential that begins at `start`; nil: none does.
    static func find(_ bytes: [UInt8], at start: Int) -> (prefix: Int, end: Int)? {
        for (prefix, least) in byFirst[Int(bytes[start])] where holds(bytes, prefix, at: start) {
            var end = start + prefix.count
            while end < bytes.count, bytes[end].isOfCredential { end += 1 }
            guard end - start - prefix.count >= least else { continue }
            return (prefix.count, end)
        }
        return nil
    }

    private static func holds(_ bytes: [UInt8], _ prefix: [UInt8], at start: Int) -> Bool {
        guard bytes.count - start >= prefix.count else { return false }
        for index in prefix.indices where bytes[start + index] != prefix[index] { return false }
        return true
    }

    /// Telegram's: the number of a bot, and 35 characters.
    static func findBot(_ bytes: [UInt8], at start: Int) -> (prefix: Int, end: Int)? {
        var colon = start
        while colon < bytes.count, bytes[colon].isDigit { colon += 1 }
        // In an address it may be written as `%3A`.
        let first = ["%3a", "%3A", ":"].first { bytes[colon...].starts(with: $0.utf8) }.map { colon + $0.utf8.count }
        guard colon - start >= 6, let first else { return nil }
        var end = first
        while end < bytes.count, bytes[end].isWord || bytes[end] == 0x2D { end += 1 }
        return end - first >= 30 ? (first - start, end) : nil
    }
}
