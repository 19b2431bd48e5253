package import JailApprovals

/// Who is logged in. In memory alone: whoever starts the page again logs in again.
package struct PageSessions: Sendable {
    package struct Session: Equatable, Sendable {
        package let token: String
        /// Of the token.
        package let name: String
        package let role: ApprovalRole
        /// What forms of the page say besides; it stands on the page, and nowhere else.
        package let proof: String
        /// Monotonic nanoseconds.
        let end: Int64

        package func proves(_ text: String?) -> Bool {
            // Digests are compared: how long that takes says nothing of what they are digests of.
            text.map { AccessToken.digest(of: $0) == AccessToken.digest(of: proof) } ?? false
        }
    }

    /// Nanoseconds: four hours.
    package static let lifetime: Int64 = 4 * 3_600_000_000_000
    package static let most = 64
    /// Random bytes that one takes: of the cookie, and of the proof.
    package static let randomCount = 64

    /// By the SHA-256 of the cookie's value, which is kept nowhere.
    private var sessions: [String: Session] = [:]

    package init() {}

    /// - Parameter random: ``randomCount`` bytes that nobody else has.
    /// - Returns: the cookie's value.
    package mutating func begin(
        token: String, name: String, role: ApprovalRole, random: [UInt8], now: Int64
    ) -> String {
        sessions = sessions.filter { $0.value.end > now }
        // Of too many the oldest ends.
        if sessions.count >= Self.most, let oldest = sessions.min(by: { $0.value.end < $1.value.end })?.key {
            sessions[oldest] = nil
        }
        let cookie = Self.text(random.prefix(32))
        sessions[AccessToken.digest(of: cookie)] = Session(
            token: token, name: name, role: role, proof: Self.text(random.dropFirst(32)), end: now + Self.lifetime)
        return cookie
    }

    package func find(_ cookie: String?, now: Int64) -> Session? {
        guard let cookie, let session = sessions[AccessToken.digest(of: cookie)], session.end > now else { return nil }
        return session
    }

    package mutating func end(_ cookie: String) { sessions[AccessToken.digest(of: cookie)] = nil }

    /// The token is not known any more, whoever has logged in with it.
    package mutating func endAll(of token: String) { sessions = sessions.filter { $0.value.token != token } }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

/// The cookie of a session.
package enum PageCookie {
    package static let name = "clawjail"

    /// - Parameter header: `Cookie` of a request.
    /// - Returns: nil: it is not there, or there are several.
    package static func value(in header: String?) -> String? {
        let values = (header ?? "").split(separator: ";").compactMap { part -> String? in
            let part = part.drop { $0 == " " }
            guard part.hasPrefix("\(name)=") else { return nil }
            return String(part.dropFirst(name.count + 1))
        }
        guard values.count == 1, values[0].utf8.count == 64 else { return nil }
        return values[0]
    }

    /// - Parameter isSecure: the browser speaks TLS, to something in front of this.
    package static func setting(_ value: String, isSecure: Bool) -> String {
        "\(name)=\(value); Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    }

    package static let removing = "\(name)=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
}
