internal import Crypto
internal import JailPolicy
internal import NIOHTTP1

/// The texts that a signature of AWS's is made of, see "Signature Version 4 for API requests" in the AWS IAM User Guide.
/// Pure.
enum SigningText {
    /// In the place of a body's digest: it is not covered, or its chunks are not.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"
    static let unsignedChunks = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
    /// Of no bytes.
    static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// - Parameters:
    ///   - head: as it goes out, but for the signature.
    ///   - signed: names of fields in small letters, sorted.
    ///   - payload: of the body: its digest, or what stands in its place.
    static func canonicalRequest(
        _ head: HTTPRequestHead, signed: [String], payload: String, _ scope: SigningScope
    ) throws(SigningRefusal) -> String {
        let parts = head.uri.utf8.split(
            separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let query = parts.count == 2 ? try canonicalQuery(String(decoding: parts[1], as: UTF8.self)) : ""
        let path = String(decoding: parts[0], as: UTF8.self)
        let fields = signed.map { "\($0):\(canonicalValue(head.headers[$0]))\n" }.joined()
        return [
            head.method.rawValue, scope.isStorage ? storagePath(path) : canonicalPath(path), query, fields,
            signed.joined(separator: ";"), payload,
        ].joined(separator: "\n")
    }

    static func textToSign(_ request: String, time: String, _ scope: SigningScope) -> String {
        [SigningClaim.algorithm, time, text(scope, time), hex(SHA256.hash(data: Array(request.utf8)))]
            .joined(separator: "\n")
    }

    /// `20150830/us-east-1/s3/aws4_request`.
    static func text(_ scope: SigningScope, _ time: String) -> String {
        "\(time.prefix(8))/\(scope.region)/\(scope.service)/aws4_request"
    }

    /// - Parameter secret: the access key's.
    static func signature(_ text: String, secret: some Sequence<UInt8>, time: String, _ scope: SigningScope) -> String {
        var key = SymmetricKey(data: Array("AWS4".utf8) + secret)
        for part in [String(time.prefix(8)), scope.region, scope.service, "aws4_request"] {
            key = SymmetricKey(data: HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key))
        }
        return hex(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key))
    }

    // MARK: Parts

    /// Without empty segments, and encoded once more than it is sent.
    private static func canonicalPath(_ path: String) -> String {
        let segments = path.utf8.split(separator: UInt8(ascii: "/")).map { encoded($0) }
        let end = path.utf8.last == UInt8(ascii: "/") && !segments.isEmpty ? "/" : ""
        return "/" + segments.joined(separator: "/") + end
    }

    /// Encoded once, every character but the slash.
    private static func storagePath(_ path: String) -> String {
        path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { encoded(decoded(String(decoding: $0, as: UTF8.self)).utf8) }.joined(separator: "/")
    }

    private static func canonicalQuery(_ query: String) throws(SigningRefusal) -> String {
        var pairs: [(key: String, value: String)] = []
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            guard !part.contains(UInt8(ascii: "+")) else {
                throw SigningRefusal("has a '+' in the query, which is read in two ways: send '%20' or '%2B'")
            }
            let (key, value) = pair(part)
            pairs.append((encoded(decoded(key).utf8), encoded(decoded(value).utf8)))
        }
        pairs.sort { $0.key == $1.key ? precedes($0.value, $1.value) : precedes($0.key, $1.key) }
        return pairs.map { "\($0.key)=\($0.value)" }.joined(separator: "&")
    }

    /// By their bytes.
    private static func precedes(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }

    private static func canonicalValue(_ values: [String]) -> String {
        values.map { value in
            value.utf8.split { $0 == 0x20 || $0 == 0x09 }.map { String(decoding: $0, as: UTF8.self) }
                .joined(separator: " ")
        }.joined(separator: ",")
    }

    // MARK: Characters

    static func pair(_ part: Substring.UTF8View) -> (key: String, value: String) {
        let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        return (pair[0], pair.count == 2 ? pair[1] : "")
    }

    /// Everything but unreserved characters (RFC 3986, 2.3).
    static func encoded(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let output = bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: [byte]
            default: [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// Of a text whose percent signs have been checked. What is no UTF-8 comes out as something else, and then the service
    /// does not take the signature.
    static func decoded(_ text: String) -> String {
        var output: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%"), rest.count >= 2, let high = rest.first?.hexValue,
                let low = rest.dropFirst().first?.hexValue
            else {
                output.append(byte)
                continue
            }
            output.append(high << 4 | low)
            rest = rest.dropFirst(2)
        }
        return String(decoding: output, as: UTF8.self)
    }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
