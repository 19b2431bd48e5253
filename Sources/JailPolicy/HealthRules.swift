/// `health`: how the supervisor finds out, from outside, whether what runs in the jail works.
package struct HealthRules: Equatable, Sendable {
    /// What is asked. Ports are those of the jail's own 127.0.0.1.
    package enum Probe: Equatable, Sendable {
        /// GET of a path; a status from 200 to 399 is healthy.
        case http(port: UInt16, path: String)
        /// A connection that comes about is healthy.
        case tcp(port: UInt16)
        /// A command in the jail, under its walls; exit status 0 is healthy.
        case exec([String])
    }

    package var probe: Probe
    /// Milliseconds in which failures do not count, from the command's start to the first success.
    package var startPeriod: UInt64 = 60_000
    /// Milliseconds from the end of a probe to the next.
    package var interval: UInt64 = 10_000
    /// Milliseconds that one probe may take.
    package var timeout: UInt64 = 5000
    /// So many failures in a row, and what was healthy is unhealthy.
    package var retries: UInt64 = 3

    package init(_ probe: Probe) { self.probe = probe }
}

extension HealthRules.Probe {
    /// For people, on one line.
    package var shown: String {
        switch self {
        case .http(let port, let path): "GET 127.0.0.1:\(port)\(path)"
        case .tcp(let port): "connection to 127.0.0.1:\(port)"
        case .exec(let arguments): arguments.joined(separator: " ")
        }
    }

    /// A path goes into the first line of a request as it is.
    static func checkPath(_ text: String) throws(ValueError) {
        guard text.utf8.first == UInt8(ascii: "/"), text.utf8.count <= 1024,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") })
        else { throw ValueError(expected: "a path such as \"/healthz\", without blanks and '#'", found: text) }
    }
}
