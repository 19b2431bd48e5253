package import JailCore
internal import JailPolicy

/// One thing that the way out has decided or seen, for the supervisor: it prints denials, and passes all of them on to
/// `--status-fd`.
///
/// Never a query string, a header or a body: texts here end up in logs.
package struct EgressEvent: Hashable, Sendable {
    package enum Subject: String, CaseIterable, Sendable {
        /// A name was asked for, by DNS.
        case name
        /// A connection that has said no request (yet): raw TCP, TLS that is passed through, a ClientHello.
        case connection
        /// An HTTP request, or a WebSocket.
        case request
        /// A secret that a request carried came back in the answer, and was covered.
        case secretReturned = "secret-returned"
        /// A secret was exchanged for an access token, or could not be.
        case secretExchanged = "secret-exchanged"
        /// A canary was in something that was sent.
        case canary
        /// The way out itself: a resolver that does not answer, a file that cannot be read.
        case gateway
    }

    package enum Verdict: String, CaseIterable, Sendable {
        case allowed
        case denied
        /// Allowed, and it did not come about: no such name, no connection, a certificate that is not trusted.
        case failed
    }

    package var subject: Subject
    package var verdict: Verdict
    /// Milliseconds since the epoch.
    package var time: Int64
    /// `http`, `https`, `tcp`.
    package var scheme: String?
    /// The canonical name, or the address.
    package var host: String?
    package var port: UInt16?
    package var method: String?
    /// Canonical, without the query.
    package var path: String?
    /// The rule that decided, such as `network.allow[0]`.
    package var rule: String?
    /// Why, for people; of what was denied or failed.
    package var reason: String?
    /// The smallest rule that would allow it, as JSON5.
    package var remedy: String?
    /// What the client was answered.
    package var status: UInt16?
    /// Bytes of the bodies, to the origin and from it.
    package var sent: UInt64?
    package var received: UInt64?
    package var milliseconds: UInt64?
    /// The model that was asked, and what it came to: millionths of a dollar, and tokens. Where `spend` limits that.
    package var model: String?
    package var cost: UInt64?
    package var tokens: UInt64?

    /// The name of the secret that went with it; of what was denied for it, the one whose placeholder was where it is not
    /// bound to. Never more than names. Written as `secretName`: the log takes the values of members called `secret` out.
    package var secret: String?
    /// The id of a canary that was seen, and in what.
    package var canary: String?
    package var place: String?

    package init(_ subject: Subject, _ verdict: Verdict, time: Int64) {
        self.subject = subject
        self.verdict = verdict
        self.time = time
    }

    /// What a value may be long, in bytes of UTF-8. A longer one is cut where it is written, and refused where it is read.
    package static let textLimit = 512

    /// Values that are not there are left out. Texts are cut to their limit and made printable.
    package var json: JSON {
        var members: [(String, JSON)] = [
            ("subject", .string(subject.rawValue)), ("verdict", .string(verdict.rawValue)), ("time", .number(time)),
        ]
        for (key, path) in Self.texts {
            if let text = self[keyPath: path] { members.append((key, .string(Self.clipped(text.printable)))) }
        }
        if let port { members.append(("port", .number(port))) }
        if let status { members.append(("status", .number(status))) }
        for (key, path) in Self.numbers {
            if let number = self[keyPath: path] { members.append((key, .number(number))) }
        }
        return .object(members)
    }

    /// As it crosses the channel: shorter than a message can be.
    package var line: String { json.text() }

    /// From a process that may have been taken over: one object, known keys, each once, values of their type and range,
    /// texts that print as they are. nil: it is anything else.
    package init?(text: [UInt8]) {
        guard let value = try? JSON5Reader.read(text, file: ""), case .object(let members) = value.content,
            let subject = value["subject"]?.text.flatMap(Subject.init(rawValue:)),
            let verdict = value["verdict"]?.text.flatMap(Verdict.init(rawValue:)),
            let time = value["time"]?.integer, time >= 0
        else { return nil }
        self.init(subject, verdict, time: time)
        for member in members where !["subject", "verdict", "time"].contains(member.key) {
            guard take(member.key, member.value) else { return nil }
        }
    }

    private mutating func take(_ key: String, _ value: JSON5Value) -> Bool {
        if let (_, path) = Self.texts.first(where: { $0.0 == key }) {
            guard let text = value.text, text.utf8.count <= Self.textLimit, text.utf8.elementsEqual(text.printable.utf8)
            else { return false }
            self[keyPath: path] = text
            return true
        }
        guard let integer = value.integer else { return false }
        if let (_, path) = Self.numbers.first(where: { $0.0 == key }), let number = UInt64(exactly: integer) {
            self[keyPath: path] = number
            return true
        }
        guard key == "port" || key == "status", let number = UInt16(exactly: integer) else { return false }
        if key == "port" { port = number } else { status = number }
        return true
    }

    private typealias Path<Value> = WritableKeyPath<EgressEvent, Value> & Sendable

    private static let texts: [(String, any Path<String?>)] = [
        ("scheme", \.scheme), ("host", \.host), ("method", \.method), ("path", \.path), ("rule", \.rule),
        ("reason", \.reason), ("remedy", \.remedy), ("model", \.model), ("secretName", \.secret),
        ("canary", \.canary), ("place", \.place),
    ]
    private static let numbers: [(String, any Path<UInt64?>)] = [
        ("sent", \.sent), ("received", \.received), ("milliseconds", \.milliseconds),
        ("cost", \.cost), ("tokens", \.tokens),
    ]

    private static func clipped(_ text: String) -> String {
        guard text.utf8.count > textLimit else { return text }
        let mark = "…"
        var end = text.utf8.index(text.utf8.startIndex, offsetBy: textLimit - mark.utf8.count)
        // Back to where a character begins.
        while text.utf8[end] & 0xC0 == 0x80 { end = text.utf8.index(before: end) }
        return text[..<end] + mark
    }
}
