package import DNSMessages

/// Why a name has no addresses. The description is for people, and ends a sentence that names the name.
package enum ResolutionError: Error, Hashable, Sendable, CustomStringConvertible {
    /// NXDOMAIN, or neither an IPv4 nor an IPv6 address.
    case notFound
    /// One label only, or below a domain that never leaves its host or network; and not in the hosts file.
    case notLookedUp
    case timedOut
    case serverFailure(DNSResponseCode)
    /// No server can be sent anything.
    case unreachable
    /// Something that answers nothing.
    case badAnswer
    /// Too many names are being looked up.
    case overloaded

    package var description: String {
        switch self {
        case .notFound: "the name does not exist, or has no address"
        case .notLookedUp: "names of this kind are not looked up, unless the host's hosts file has them"
        case .timedOut: "the name server did not answer in time"
        case .serverFailure(let code): "the name server could not tell (\(code))"
        case .unreachable: "the name server cannot be reached"
        case .badAnswer: "the name server's answer makes no sense"
        case .overloaded: "too many names are being looked up"
        }
    }
}
