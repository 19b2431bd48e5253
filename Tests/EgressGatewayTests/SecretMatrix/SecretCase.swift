import FoundationEssentials
import NIOCore
import Testing

@testable import EgressGateway

/// One way to get at a secret without being meant to, from inside or by an origin's help.
struct SecretCase: Sendable, CustomTestStringConvertible {
    /// What somebody has to be told of it.
    enum Told: Sendable {
        /// A placeholder was where it is not bound to.
        case misuse
        /// A value came back, and was covered.
        case returned
        /// The exchange failed or was refused; nobody is told of what the parser of HTTP/2 does not let through.
        case refused
        /// Nothing: it is worth nothing to anybody.
        case nothing
    }

    /// What the bound host is.
    enum Host: Sendable {
        case http1(Origin.Kind)
        case http2(HTTP2Origin.Answer)
        /// HTTP/2, frame by frame.
        case raw(@Sendable ([UInt8]) -> [Origin.Step])
    }

    let name: String
    let told: Told
    var host = Host.http1(.http(Origin.ok))
    /// The value goes to the bound host, as it should, before anything goes wrong. nil: perhaps, since that is a matter of what
    /// comes first, or of how it is written there.
    var isUsed: Bool?
    /// - Returns: all that the client has heard.
    let run: @Sendable (SecretWorld) async throws -> String

    var testDescription: String { name }

    init(
        _ name: String, _ told: Told, host: Host = .http1(.http(Origin.ok)), isUsed: Bool? = false,
        _ run: @escaping @Sendable (SecretWorld) async throws -> String
    ) {
        self.name = name
        self.told = told
        self.host = host
        self.isUsed = isUsed
        self.run = run
    }
}

/// Parts of the value in a text, however it is written there: found without any help of what is tested.
struct Disclosure {
    private static let value = SecretJail.value
    /// Each long enough to be no chance, and all of them together the whole value.
    private static let parts: [[UInt8]] = stride(from: 0, to: value.utf8.count - 11, by: 12).map {
        Array(value.utf8.dropFirst($0).prefix(12))
    }

    private static let texts: [String] = {
        var texts = parts.map { String(decoding: $0, as: UTF8.self) }
        for part in parts {
            let digits = part.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
            texts += [digits.joined(), digits.map { "%\($0)" }.joined()]
            texts += [digits.map { "\\u00\($0)" }.joined(), digits.map { "&#x\($0);" }.joined()]
        }
        for before in 0..<3 {
            // Without the characters that hold bits of what stands beside it.
            let coded = Data([UInt8](repeating: 0x20, count: before) + value.utf8).base64EncodedString()
            let core = coded.utf8.filter { $0 != UInt8(ascii: "=") }.dropFirst(before + 1).dropLast(2)
            for start in stride(from: 0, through: core.count - 16, by: 16) {
                texts.append(String(decoding: core.dropFirst(start).prefix(16), as: UTF8.self))
            }
        }
        return texts.map { $0.lowercased() }
    }()

    /// Case is nobody's hindrance who wants to have it.
    static func isIn(_ text: String) -> Bool {
        let text = text.lowercased().replacing("-", with: "+").replacing("_", with: "/")
        return texts.contains { text.contains($0.replacing("-", with: "+").replacing("_", with: "/")) }
    }
}
