extension CanaryMaker {
    /// A key without a passphrase in OpenSSH's format (PROTOCOL.key), one that its tools read.
    func ssh(_ id: String, _ random: inout some RandomNumberGenerator) -> Canary {
        let seed = (0..<32).map { _ in UInt8.random(in: 0...255, using: &random) }
        let check = (0..<4).map { _ in UInt8.random(in: 0...255, using: &random) }
        let own = publicKey(seed)
        let key = Self.field("ssh-ed25519".bytes) + Self.field(own)
        var secret = check + check + key + Self.field(seed + own) + Self.field("deploy@build".bytes)
        // Filled up to a multiple of eight.
        var fill: UInt8 = 1
        while secret.count % 8 != 0 {
            secret.append(fill)
            fill += 1
        }
        let blob =
            "openssh-key-v1\0".bytes + Self.field("none".bytes) + Self.field("none".bytes) + Self.field([])
            + [0, 0, 0, 1] + Self.field(key) + Self.field(secret)
        let text = Self.base64(blob)
        let lines = stride(from: 0, to: text.count, by: 70).map { Array(text[$0..<min(text.count, $0 + 70)]) }
        let body = lines.map { String(decoding: $0, as: UTF8.self) + "\n" }.joined()
        return Canary(
            id: id, kind: .ssh, marks: [seed] + Self.own(lines),
            text: "-----BEGIN OPENSSH PRIVATE KEY-----\n\(body)-----END OPENSSH PRIVATE KEY-----\n")
    }

    /// Lines that no other key has: the first one is the same in all of them, but for its end, and the last one may be.
    private static func own(_ lines: [[UInt8]]) -> [[UInt8]] { lines.dropFirst().dropLast().filter { $0.count == 70 } }

    private static func field(_ bytes: [UInt8]) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: bytes.count >> (24 - 8 * $0)) } + bytes
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 3).flatMap { start -> [UInt8] in
            let group = bytes[start..<min(bytes.count, start + 3)]
            let value = (0..<3).reduce(0) { $0 << 8 | (start + $1 < bytes.count ? Int(bytes[start + $1]) : 0) }
            return (0..<4).map {
                $0 <= group.count ? Alphabet.base64[value >> (18 - 6 * $0) & 63] : UInt8(ascii: "=")
            }
        }
    }
}
