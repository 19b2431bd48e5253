package import JailPolicy

/// What a connection of the jail's is for, known before its first byte: from the synthetic address that was dialled, or
/// from a CONNECT.
package struct Destination: Hashable, Sendable {
    package var host: Host
    package var port: UInt16

    package init(host: Host, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// As a Host header names it.
    func authority(_ scheme: NetworkScheme) -> String {
        port == scheme.defaultPort ? host.urlText : "\(host.urlText):\(port)"
    }

    func question(_ scheme: NetworkScheme? = nil) -> NetworkQuestion {
        var question = NetworkQuestion(host: host)
        question.port = port
        question.scheme = scheme
        return question
    }
}

extension NetworkScheme {
    var defaultPort: UInt16 {
        switch self {
        case .http: 80
        case .https: 443
        case .tcp: 0
        }
    }
}
