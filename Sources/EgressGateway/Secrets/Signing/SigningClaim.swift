internal import JailCore
internal import JailPolicy
internal import NIOHTTP1

/// What a client signed with its placeholders, as the request says it (AWS Signature Version 4). The signature itself is
/// not looked at: it is made anew, of what goes out.
struct SigningClaim: Equatable {
    /// Where it stands.
    enum Form: Equatable { case header, query }

    /// What the signature says of the body.
    enum Payload: Equatable {
        /// Its digest, or that it is not covered.
        case given(String)
        /// Nothing is said of it, so it is read before it goes out.
        case unsaid
    }

    var form: Form
    var scope: SigningScope
    /// Names of fields, in small letters.
    var signedHeaders: [String]
    /// When it was signed, in seconds since the epoch, and for how many of them it is meant to be good.
    var time: Int64
    var lifetime: Int64
    var payload: Payload

    /// nil: the request is not signed with this key id.
    ///
    /// - Throws: for a request that is, and of which not all is understood.
    init?(_ request: CheckedRequest, keyID: String) throws(SigningRefusal) {
        let header = Self.header(request.headers["Authorization"], keyID)
        let query = Self.query(request.path.query ?? "", keyID)
        guard let parts = header ?? query else { return nil }
        guard header == nil || query == nil else { throw SigningRefusal("is both in a field and in the query") }
        form = header == nil ? .query : .header
        guard form == .query || request.headers["X-Amz-Date"].count == 1,
            let text = parts.date ?? request.headers.first(name: "X-Amz-Date"),
            let time = Self.seconds(text)
        else { throw SigningRefusal("has no X-Amz-Date, or more than one") }
        let credential = parts.credential.split(separator: "/", omittingEmptySubsequences: false).map { String($0) }
        guard credential.count == 5, credential[1] == text.prefix(8), credential[4] == "aws4_request" else {
            throw SigningRefusal("has a scope that is none, or another day than X-Amz-Date")
        }
        guard request.headers["X-Amz-Security-Token"].isEmpty, !parts.hasToken else {
            throw SigningRefusal("has a session token, which the key inside has none of")
        }
        scope = SigningScope(service: credential[3], region: credential[2])
        self.time = time
        lifetime = parts.lifetime
        signedHeaders = parts.signedHeaders.split(separator: ";").map { String($0) }
        payload = try Self.payload(request, parts.digest, isUnsaid: form == .query && scope.isStorage)
    }

    /// As authors of bindings and their services have it: a quarter of an hour.
    private static let mostSkew: Int64 = 15 * 60

    /// Whether it is for what the secret is bound to, and for now.
    ///
    /// - Parameter now: seconds since the epoch.
    func check(_ bound: SigningScope, now: Int64) throws(SigningRefusal) {
        guard scope == bound else {
            throw SigningRefusal(
                "is for \(scope.service.excerpt) in \(scope.region.excerpt), and the secret is bound to "
                    + "\(bound.service) in \(bound.region)", isMisuse: true)
        }
        guard time <= now + Self.mostSkew else { throw SigningRefusal("is of a time to come") }
        guard now <= time + lifetime else { throw SigningRefusal("is not good any more: it was made too long ago") }
    }

    // MARK: Reading

    /// The texts as they stand there.
    private struct Parts {
        var credential = ""
        var signedHeaders = ""
        var lifetime = SigningClaim.mostSkew
        var date: String?
        var digest: String?
        var hasToken = false
    }

    static let algorithm = "AWS4-HMAC-SHA256"

    /// `AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…`.
    private static func header(_ values: [String], _ keyID: String) -> Parts? {
        guard values.count == 1, values[0].utf8.starts(with: "\(algorithm) ".utf8) else { return nil }
        var known: [String: String] = [:]
        for part in values[0].utf8.dropFirst(algorithm.utf8.count + 1).split(separator: UInt8(ascii: ",")) {
            let (key, value) = SigningText.pair(part)
            guard known.updateValue(value.trimmed, forKey: key.trimmed) == nil else { return nil }
        }
        guard known.count == 3, let credential = known["Credential"], let headers = known["SignedHeaders"],
            let signature = known["Signature"], isSignature(signature), credential.hasPrefix("\(keyID)/")
        else { return nil }
        return Parts(credential: credential, signedHeaders: headers)
    }

    /// `X-Amz-Algorithm=…&X-Amz-Credential=…` and the rest of a signed address.
    private static func query(_ query: String, _ keyID: String) -> Parts? {
        var known: [String: String] = [:]
        for part in query.utf8.split(separator: UInt8(ascii: "&")) {
            let (key, value) = SigningText.pair(part)
            guard key.hasPrefix("X-Amz-") else { continue }
            guard known.updateValue(SigningText.decoded(value), forKey: key) == nil else { return nil }
        }
        guard known["X-Amz-Algorithm"] == algorithm, let credential = known["X-Amz-Credential"],
            credential.hasPrefix("\(keyID)/"), let headers = known["X-Amz-SignedHeaders"],
            let signature = known["X-Amz-Signature"], isSignature(signature),
            let lifetime = known["X-Amz-Expires"].flatMap({ Int64($0) }), (1...604_800).contains(lifetime)
        else { return nil }
        return Parts(
            credential: credential, signedHeaders: headers, lifetime: lifetime, date: known["X-Amz-Date"] ?? "",
            digest: known["X-Amz-Content-Sha256"], hasToken: known["X-Amz-Security-Token"] != nil)
    }

    private static func isSignature(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { $0.isDigit || (0x61...0x66).contains($0) }
    }

    /// `20150830T123600Z`; nil: it is none.
    private static func seconds(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16 else { return nil }
        func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1) - 0x30 } }
        let date = CivilDate(year: number(0..<4), month: number(4..<6), day: number(6..<8))
        let seconds = date.daysSinceEpoch * 86_400 + number(9..<11) * 3600 + number(11..<13) * 60 + number(13..<15)
        return UTCTime.compact(seconds) == text ? seconds : nil
    }

    private static func payload(
        _ request: CheckedRequest, _ inQuery: String?, isUnsaid: Bool
    ) throws(SigningRefusal) -> Payload {
        let values = request.headers["X-Amz-Content-Sha256"] + (inQuery.map { [$0] } ?? [])
        guard values.count <= 1 else { throw SigningRefusal("has more than one X-Amz-Content-Sha256") }
        guard let value = values.first else {
            if isUnsaid { return .given(SigningText.unsignedPayload) }
            return request.body == .none ? .given(SigningText.emptyDigest) : .unsaid
        }
        if isSignature(value) || [SigningText.unsignedPayload, SigningText.unsignedChunks].contains(value) {
            return .given(value)
        }
        throw SigningRefusal(
            value.hasPrefix("STREAMING-")
                ? "covers each chunk of the body, and chunks are not signed anew; over https clients need not do that: "
                    + "have yours send '\(SigningText.unsignedPayload)' or the digest of the whole body"
                : "has an X-Amz-Content-Sha256 that is not known here")
    }
}

/// Why a signature is not made anew.
struct SigningRefusal: Error, Equatable {
    /// Continues a sentence that begins with the signature.
    let reason: String
    /// Somebody tries what the binding forbids.
    let isMisuse: Bool

    init(_ reason: String, isMisuse: Bool = false) {
        self.reason = reason
        self.isMisuse = isMisuse
    }

    /// - Parameter name: the secret's.
    func denial(_ name: String) -> Denial {
        let start = isMisuse ? "secret-misuse: the" : "the"
        var denial = Denial(.forbidden, "\(start) signature with the placeholder of the secret '\(name)' \(reason)")
        denial.rule = "secrets"
        denial.secret = isMisuse ? name : nil
        denial.details = [("secret", .string(name))]
        return denial
    }
}

extension SigningScope {
    /// Services that read a path as it is, once decoded, and not normalised.
    var isStorage: Bool { ["s3", "s3-object-lambda", "s3-outposts"].contains(service) }
}
