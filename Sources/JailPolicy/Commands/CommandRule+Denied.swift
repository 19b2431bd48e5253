internal import JailCore

extension CommandRule {
    /// The denied word that a word of a call is, in any spelling that its program may take for it: with a value, cut short, or
    /// among letters behind one dash. Rather one call too many is denied.
    ///
    /// - Parameter listed: flags that rules of the command name, which are what they are and nothing cut short.
    package func denial(of word: String, listed: [String]) -> String? {
        denied.first { Self.denies($0, word, listed: listed) }
    }

    static func denies(_ denied: String, _ word: String, listed: [String]) -> Bool {
        if word.hasSameBytes(as: denied) { return true }
        let (given, flag) = (Array(word.utf8.prefix { $0 != UInt8(ascii: "=") }), Array(denied.utf8))
        let dash = UInt8(ascii: "-")
        guard flag.count > 1, flag[0] == dash, given.count > 1, given[0] == dash else { return false }
        if given == flag { return true }
        if listed.contains(where: { $0.utf8.elementsEqual(given) }) { return false }
        if flag.count == 2 {
            // `-xf`, and `-f5`.
            return given[1] != dash && word.utf8.dropFirst().contains(flag[1])
        }
        // getopt_long(3) takes `--forc` for `--force`; others take one dash for two.
        let name = flag.drop { $0 == dash }
        let short = given.drop { $0 == dash }
        guard !short.isEmpty else { return false }
        return given[1] == dash ? name.starts(with: short) : short.elementsEqual(name)
    }
}
