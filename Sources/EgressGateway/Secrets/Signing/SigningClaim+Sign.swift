internal import EgressControl
internal import JailCore
internal import JailPolicy
internal import NIOHTTP1

extension SigningClaim {
    /// Signs a head that is about to be written, and in which everything else is in its place.
    ///
    /// - Parameters:
    ///   - value: the access key, as the store has it.
    ///   - payload: of the body: its digest, or what stands in its place.
    ///   - now: seconds since the epoch. The signature is of now, whatever the client's clock says.
    func sign(
        _ head: inout HTTPRequestHead, with value: SecretValue, payload: String, now: Int64
    ) throws(SigningRefusal) {
        let bytes = value.withBytes { span in span.indices.map { span[$0] } }
        guard let key = try? AccessKey(bytes.span) else { throw SigningRefusal("has no key at the moment") }
        let time = UTCTime.compact(now)
        let credential = "\(String(decoding: bytes[key.id], as: UTF8.self))/\(SigningText.text(scope, time))"
        let token = key.token.map { String(decoding: bytes[$0], as: UTF8.self) }
        switch form {
        case .header:
            head.headers.replaceOrAdd(name: "X-Amz-Date", value: time)
            if let token { head.headers.replaceOrAdd(name: "X-Amz-Security-Token", value: token) }
            let signed = signed(head)
            let signature = try signature(head, signed, payload, bytes[key.secret], time)
            let value =
                "\(Self.algorithm) Credential=\(credential), SignedHeaders=\(signed.joined(separator: ";")), "
                + "Signature=\(signature)"
            head.headers.replaceOrAdd(name: "Authorization", value: value)
        case .query:
            // The one of the query is the one that counts.
            head.headers.remove(name: "X-Amz-Date")
            let signed = signed(head)
            var more = [
                ("X-Amz-Algorithm", Self.algorithm), ("X-Amz-Credential", credential), ("X-Amz-Date", time),
                ("X-Amz-Expires", String(Self.lifetimeOut)), ("X-Amz-SignedHeaders", signed.joined(separator: ";")),
            ]
            if let token { more.append(("X-Amz-Security-Token", token)) }
            head.uri = Self.target(head.uri, with: more)
            head.uri += "&X-Amz-Signature=\(try signature(head, signed, payload, bytes[key.secret], time))"
        }
    }

    /// Seconds for which an address is good that goes out now.
    private static let lifetimeOut = 300

    private func signature(
        _ head: HTTPRequestHead, _ signed: [String], _ payload: String, _ secret: ArraySlice<UInt8>, _ time: String
    ) throws(SigningRefusal) -> String {
        let request = try SigningText.canonicalRequest(head, signed: signed, payload: payload, scope)
        let text = SigningText.textToSign(request, time: time, scope)
        return SigningText.signature(text, secret: secret, time: time, scope)
    }

    /// What the client signed and still is there, and what services want to be signed, as far as it arrives as it is sent.
    private func signed(_ head: HTTPRequestHead) -> [String] {
        var names: Set = ["host"]
        for (name, _) in head.headers {
            let name = name.lowercased()
            guard !Self.ofThisHop.contains(name) else { continue }
            if name.hasPrefix("x-amz-") || name == "content-type" || signedHeaders.contains(name) { names.insert(name) }
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static let ofThisHop: Set = ["authorization", "connection", "transfer-encoding", "upgrade", "expect"]

    /// A target whose query says something else of the signature, and all the rest as it did.
    private static func target(_ target: String, with more: [(String, String)]) -> String {
        let parts = target.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        let names = more.map(\.0) + ["X-Amz-Signature"]
        var query = (parts.count == 2 ? parts[1] : Substring().utf8).split(separator: UInt8(ascii: "&"))
            .filter { !names.contains(SigningText.pair($0).key) }.map { String(decoding: $0, as: UTF8.self) }
        query += more.map { "\($0)=\(SigningText.encoded($1.utf8))" }
        return "\(String(decoding: parts[0], as: UTF8.self))?\(query.joined(separator: "&"))"
    }
}
