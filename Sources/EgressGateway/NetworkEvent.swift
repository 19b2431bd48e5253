package import JailCore
package import JailPolicy

/// One decision, for the supervisor's channel. Never a query string, a header or a byte of a body.
package struct NetworkEvent: Sendable {
    package enum Verdict: String, Sendable { case allowed, denied, failed }

    package var verdict: Verdict
    package var host: String
    package var port: UInt16?
    /// `http`, `https`, `tcp` or `dns`.
    package var scheme: String
    package var method: String?
    package var path: String?
    package var rule: String?
    package var reason: String?
    /// The smallest rule that would allow it.
    package var remedy: String?
    package var status: Int?
    /// Bytes of bodies, towards the origin and back.
    package var sent = 0
    package var received = 0
    package var milliseconds: Int64?

    package init(_ verdict: Verdict, host: String, scheme: String) {
        self.verdict = verdict
        self.host = host
        self.scheme = scheme
    }

    init(_ verdict: Verdict, _ destination: Destination, scheme: String) {
        self.init(verdict, host: destination.host.text, scheme: scheme)
        port = destination.port
    }

    /// Texts of the jail's are cut: an event has to fit into one message.
    private static let longest = 1024

    package func json(time: Int64) -> JSON {
        var members: [(String, JSON)] = [
            ("event", "network"), ("time", .number(time)), ("verdict", .string(verdict.rawValue)),
            ("host", .string(Self.cut(host))), ("scheme", .string(scheme)),
        ]
        if let port { members.append(("port", .number(port))) }
        if let method { members.append(("method", .string(Self.cut(method)))) }
        if let path { members.append(("path", .string(Self.cut(path)))) }
        if let rule { members.append(("rule", .string(rule))) }
        if let reason { members.append(("reason", .string(Self.cut(reason)))) }
        if let remedy { members.append(("allow", .string(Self.cut(remedy)))) }
        if let status { members.append(("status", .number(status))) }
        if sent > 0 { members.append(("sent", .number(sent))) }
        if received > 0 { members.append(("received", .number(received))) }
        if let milliseconds { members.append(("milliseconds", .number(milliseconds))) }
        return .object(members)
    }

    private static func cut(_ text: String) -> String {
        text.utf8.count <= longest ? text : String(decoding: text.utf8.prefix(longest), as: UTF8.self) + "…"
    }
}
