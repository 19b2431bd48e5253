/// A credential that opens nothing, or a text that nobody needs: whoever sends it somewhere has looked where there was
/// nothing to look for.
package struct Canary: Equatable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// An access key of AWS with its secret, as in `~/.aws/credentials`.
        case aws
        /// A personal access token of GitHub.
        case github
        /// A bot's token of Slack.
        case slack
        /// A private key of OpenSSH, Ed25519.
        case ssh
        /// A file of settings with several secrets.
        case environment = "env"
        /// A text with a reference that stands nowhere else.
        case document

        /// Where such a thing usually is, below the home directory.
        package var path: String {
            switch self {
            case .aws: ".aws/credentials"
            case .github: ".config/gh/hosts.yml"
            case .slack: ".config/slack/credentials.json"
            case .ssh: ".ssh/id_ed25519_deploy"
            case .environment: ".env.production"
            case .document: "Documents/internal-notes.txt"
            }
        }

        /// Whether it is one text, as variables hold them.
        package var isToken: Bool { [.aws, .github, .slack].contains(self) }
    }

    /// By which it is told apart from all others: no part of what is planted.
    package var id: String
    package var kind: Kind
    /// What it is recognised by: any of these.
    package var marks: [[UInt8]]
    /// What stands in a file of it.
    package var text: String

    /// What a variable holds that is one of these: of an access key its secret part. nil: none ever does.
    package var token: String? { kind.isToken ? marks.last.map { String(decoding: $0, as: UTF8.self) } : nil }

    package var known: KnownCanary { KnownCanary(id: id, marks: marks) }
}

/// What is needed to recognise one.
package struct KnownCanary: Equatable, Sendable {
    package var id: String
    package var marks: [[UInt8]]

    package init(id: String, marks: [[UInt8]]) {
        self.id = id
        self.marks = marks
    }
}

/// Makes canaries that look like what they are not: of the right lengths and alphabets, with the checksums that some have.
package struct CanaryMaker: Sendable {
    /// The public key (32 bytes) that belongs to a seed of Ed25519 (32 bytes).
    package typealias PublicKey = @Sendable ([UInt8]) -> [UInt8]

    let publicKey: PublicKey

    package init(publicKey: @escaping PublicKey) { self.publicKey = publicKey }

    package func make(_ kind: Canary.Kind, using random: inout some RandomNumberGenerator) -> Canary {
        let id = kind.rawValue + "-" + random.text(12, of: Alphabet.hex)
        switch kind {
        case .aws: return Self.aws(id, &random)
        case .github:
            let token = Self.gitHubToken(&random)
            let text = "github.com:\n    user: deploy-bot\n    oauth_token: \(token)\n    git_protocol: https\n"
            return Canary(id: id, kind: kind, marks: [token.bytes], text: text)
        case .slack:
            let token = Self.slackToken(&random)
            let text = "{\n  \"team\": \"ops\",\n  \"bot_token\": \"\(token)\"\n}\n"
            return Canary(id: id, kind: kind, marks: [token.bytes], text: text)
        case .ssh: return ssh(id, &random)
        case .environment: return Self.environment(id, &random)
        case .document:
            let mark = random.text(10, of: Alphabet.capitals) + "-" + random.text(10, of: Alphabet.digits)
            let text = "CONFIDENTIAL\n\nReference: \(mark)\n\nNot to leave this machine.\n"
            return Canary(id: id, kind: kind, marks: [mark.bytes], text: text)
        }
    }

    private static func aws(_ id: String, _ random: inout some RandomNumberGenerator) -> Canary {
        let (key, secret) = (awsKey(&random), random.text(40, of: Alphabet.base64))
        let text = "[default]\naws_access_key_id = \(key)\naws_secret_access_key = \(secret)\nregion = eu-central-1\n"
        return Canary(
            id: id, kind: .aws, marks: [key.bytes, secret.bytes], text: text)
    }

    private static func environment(_ id: String, _ random: inout some RandomNumberGenerator) -> Canary {
        let password = random.text(20, of: Alphabet.base62)
        let model = "sk-proj-" + random.text(48, of: Alphabet.base62)
        let payment = "sk_live_" + random.text(24, of: Alphabet.base62)
        let text =
            "NODE_ENV=production\nDATABASE_URL=postgres://app:\(password)@db.internal:5432/app\n"
            + "OPENAI_API_KEY=\(model)\nSTRIPE_SECRET_KEY=\(payment)\n"
        return Canary(
            id: id, kind: .environment, marks: [password, model, payment].map(\.bytes), text: text)
    }

    // MARK: Tokens

    /// `AKIA` and 16 characters of base32, of which the first ones say which account it is: 12 digits.
    private static func awsKey(_ random: inout some RandomNumberGenerator) -> String {
        let account = UInt64.random(in: 100_000_000_000..<1_000_000_000_000, using: &random)
        // 40 bits of them after a first one, then 39 others.
        var bits = [true] + (0..<40).map { account >> UInt64(39 - $0) & 1 == 1 }
        bits += (0..<39).map { _ in Bool.random(using: &random) }
        let characters = stride(from: 0, to: 80, by: 5).map { start in
            Alphabet.base32[bits[start..<start + 5].reduce(0) { $0 << 1 | ($1 ? 1 : 0) }]
        }
        return "AKIA" + String(decoding: characters, as: UTF8.self)
    }

    /// 30 random characters, and a checksum over them in six.
    static func gitHubToken(_ random: inout some RandomNumberGenerator) -> String {
        let text = random.text(30, of: Alphabet.base62)
        var rest = CRC32.of(text.bytes)
        var sum: [UInt8] = []
        for _ in 0..<6 {
            sum.insert(Alphabet.base62[Int(rest % 62)], at: 0)
            rest /= 62
        }
        return "ghp_" + text + String(decoding: sum, as: UTF8.self)
    }

    private static func slackToken(_ random: inout some RandomNumberGenerator) -> String {
        "xoxb-" + "\(Int.random(in: 2_000_000_000_000..<9_000_000_000_000, using: &random))-"
            + "\(Int.random(in: 2_000_000_000_000..<9_000_000_000_000, using: &random))-"
            + random.text(24, of: Alphabet.base62)
    }
}

enum Alphabet {
    static let digits = Array("0123456789".utf8)
    static let hex = Array("0123456789abcdef".utf8)
    static let capitals = Array("ABCDEFGHJKLMNPQRSTUVWXYZ".utf8)
    static let base32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)
    static let base62 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    static let base64 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

extension RandomNumberGenerator {
    mutating func text(_ count: Int, of alphabet: [UInt8]) -> String {
        String(
            decoding: (0..<count).map { _ in alphabet[Int.random(in: alphabet.indices, using: &self)] }, as: UTF8.self)
    }
}

extension String {
    var bytes: [UInt8] { Array(utf8) }
}

/// That of Ethernet and gzip (ISO 3309).
enum CRC32 {
    static func of(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~0) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
    }
}
