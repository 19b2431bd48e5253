internal import EgressControl
internal import FoundationEssentials
internal import JailPolicy
internal import NIOCore
internal import NIOHTTP1

/// A placeholder that stands alone in the place that its secret is bound to, in one request.
struct SecretUse {
    let binding: SecretBinding
    private let placeholder: String
    /// What the client signed with it; nil: it is sent.
    let claim: SigningClaim?

    var name: String { binding.name }

    /// nil: it does not stand there, or not alone, or not once.
    init?(
        _ binding: SecretBinding, _ placeholder: SecretPlaceholder, in head: HTTPRequestHead, _ request: CheckedRequest
    ) throws(SigningRefusal) {
        self.binding = binding
        self.placeholder = placeholder.parts[0]
        if case .sigV4 = binding.place {
            guard let claim = try SigningClaim(request, keyID: self.placeholder) else { return nil }
            self.claim = claim
            return
        }
        claim = nil
        switch binding.place {
        case .header(let name, let prefix):
            guard Self.only(head.headers[name]) == prefix + placeholder.text else { return nil }
        case .bearer:
            guard let value = Self.only(head.headers["Authorization"]), let token = Self.credentials(value, "BEARER"),
                token == placeholder.text
            else { return nil }
        case .basic(let user):
            guard let value = Self.only(head.headers["Authorization"]), let token = Self.credentials(value, "BASIC"),
                let pair = Data(base64Encoded: token), pair.elementsEqual("\(user):\(placeholder.text)".utf8)
            else { return nil }
        case .query(let key):
            let values = Self.parameters(request.path.query ?? "").filter { $0.key == key }
            guard values.count == 1, values[0].value == placeholder.text else { return nil }
        case .path(let before, let after):
            guard Self.stands(placeholder.text, before, after, in: request.path.path) else { return nil }
        case .sigV4: return nil
        }
    }

    private static func only(_ values: [String]) -> String? { values.count == 1 ? values[0] : nil }

    /// RFC 9110, 11.4: a scheme in any case, a space, and the rest.
    private static func credentials(_ value: String, _ scheme: String) -> String? {
        let parts = value.utf8.split(separator: 0x20, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, String(decoding: parts[0], as: UTF8.self).asciiUppercased == scheme else { return nil }
        return String(decoding: parts[1], as: UTF8.self)
    }

    private static func parameters(_ query: String) -> [(key: String, value: String)] {
        query.utf8.split(separator: UInt8(ascii: "&")).map { part in
            let pair = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let texts = pair.map { String(decoding: $0, as: UTF8.self) }
            return (texts[0], texts.count == 2 ? texts[1] : "")
        }
    }

    private static func stands(_ text: String, _ before: String, _ after: String, in path: String) -> Bool {
        let bytes = path.utf8
        guard bytes.starts(with: before.utf8) else { return false }
        let rest = bytes.dropFirst(before.utf8.count)
        guard rest.starts(with: text.utf8) else { return false }
        let end = rest.dropFirst(text.utf8.count)
        return after.utf8.last == UInt8(ascii: "/") ? end.starts(with: after.utf8) : end.elementsEqual(after.utf8)
    }

    // MARK: Around it

    /// The header field whose value is the place, in upper case.
    var field: String? {
        switch binding.place {
        case .header(let name, _): name.asciiUppercased
        case .bearer, .basic: "AUTHORIZATION"
        case .sigV4: claim?.form == .header ? "AUTHORIZATION" : nil
        case .query, .path: nil
        }
    }

    /// A target in which the placeholder does not stand in its place any more; elsewhere it still does.
    func masking(_ target: String) -> String { replaced(in: target, by: " ") ?? target }

    /// - Returns: nil if the place is none of the target's.
    private func replaced(in target: String, by value: String) -> String? {
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let texts = parts.map { String(decoding: $0, as: UTF8.self) }
        switch binding.place {
        case .path(let before, _):
            guard texts[0].utf8.starts(with: "\(before)\(placeholder)".utf8) else { return nil }
            let rest = texts[0].utf8.dropFirst(before.utf8.count + placeholder.utf8.count)
            let path = before + value + String(decoding: rest, as: UTF8.self)
            return texts.count == 2 ? "\(path)?\(texts[1])" : path
        case .query(let key):
            guard texts.count == 2 else { return nil }
            let query = texts[1].utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map {
                part in
                let text = String(decoding: part, as: UTF8.self)
                return text == "\(key)=\(placeholder)" ? "\(key)=\(value)" : text
            }
            return "\(texts[0])?\(query.joined(separator: "&"))"
        case .sigV4:
            guard claim?.form == .query, texts.count == 2 else { return nil }
            let before = "X-Amz-Credential="
            let query = texts[1].utf8.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).map {
                part in
                let isPlace = part.starts(with: "\(before)\(placeholder)".utf8)
                let rest = part.dropFirst(isPlace ? before.utf8.count + placeholder.utf8.count : 0)
                return (isPlace ? before + value : "") + String(decoding: rest, as: UTF8.self)
            }
            return "\(texts[0])?\(query.joined(separator: "&"))"
        case .bearer, .basic, .header: return nil
        }
    }

    // MARK: The value

    /// Puts the value into a head that is about to be written; the head is to be forgotten as soon as it is.
    func put(_ value: SecretValue, into head: inout HTTPRequestHead) {
        let text = value.withBytes { bytes in
            String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
        }
        switch binding.place {
        case .header(let name, let prefix): head.headers.replaceOrAdd(name: name, value: prefix + text)
        case .bearer: head.headers.replaceOrAdd(name: "Authorization", value: "Bearer \(text)")
        case .basic(let user):
            let pair = Data("\(user):\(text)".utf8).base64EncodedString()
            head.headers.replaceOrAdd(name: "Authorization", value: "Basic \(pair)")
        case .query, .path: head.uri = replaced(in: head.uri, by: Self.encoded(text)) ?? head.uri
        case .sigV4: break
        }
    }

    /// Unreserved characters as they are (RFC 3986, 2.3), and the colon, without which some services do not know their own.
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        let bytes = text.utf8.flatMap { byte -> [UInt8] in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E, 0x3A: [byte]
            default: [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension [SecretUse] {
    /// The head as it goes to the origin: with the values in it, and asking for an answer in which they can be found.
    ///
    /// - Parameters:
    ///   - digest: of the body, where that had to be read.
    ///   - now: seconds since the epoch.
    func head(
        _ request: CheckedRequest, _ secrets: SecretInjector, _ policy: NetworkPolicy, digest: String? = nil,
        now: Int64 = 0
    ) throws(Denial) -> HTTPRequestHead {
        var head = HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.path.target,
            headers: request.headers)
        for use in self where use.claim == nil { use.put(try secrets.present(use.name), into: &head) }
        head.headers.replaceOrAdd(name: "Accept-Encoding", value: "identity")
        // What a signature covers is not in the answer, and large objects are fetched in parts.
        if contains(where: { $0.claim == nil }) {
            for name in ["Range", "If-Range"] { head.headers.remove(name: name) }
        }
        // Last, since it may cover all of the above.
        for use in self {
            guard let claim = use.claim else { continue }
            let payload = if case .given(let text) = claim.payload { text } else { digest ?? SigningText.emptyDigest }
            let value = try secrets.present(use.name)
            do throws(SigningRefusal) { try claim.sign(&head, with: value, payload: payload, now: now) } catch {
                throw error.denial(use.name)
            }
        }
        guard head.uri != request.path.target else { return head }
        // What a value makes of a path must be as good as what was judged without it.
        var question = request.question
        guard let path = CanonicalPath(target: head.uri), path.target == head.uri else {
            throw Denial(.forbidden, "a secret that is not what a path can have")
        }
        question.path = path
        guard case .allow = policy.decide(question) else {
            throw Denial(.forbidden, "a path that no rule allows once the secret is in it")
        }
        return head
    }
}
