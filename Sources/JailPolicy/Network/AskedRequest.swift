internal import JailCore

/// What a person is asked about: a request, without what a grant cannot depend on: its query, its headers and its body.
package struct AskedRequest: Hashable, Sendable {
    package var scheme: NetworkScheme
    package var host: Host
    package var port: UInt16
    package var method: String
    /// Canonical, without the query.
    package var path: CanonicalPath

    /// Bytes of a path. A longer one cannot be shown to anybody, and is not asked about.
    package static let pathLimit = 512

    /// nil: nobody is asked about such a path.
    package init?(scheme: NetworkScheme, host: Host, port: UInt16, method: String, path: CanonicalPath) {
        guard path.path.utf8.count <= Self.pathLimit, let bare = CanonicalPath(target: path.path) else { return nil }
        self.scheme = scheme
        self.host = host
        self.port = port
        self.method = method
        self.path = bare
    }

    /// For people: one line, printable, and without what looks like a token in the path.
    package var text: String { "\(method) \(origin)\(LoggedPath.text(path.path))".printable }

    package var question: NetworkQuestion {
        var question = NetworkQuestion(host: host)
        question.port = port
        question.scheme = scheme
        question.method = method
        question.path = path
        return question
    }

    /// `https://api.example.com`, with the port where it is not the usual one.
    package var origin: String {
        let usual: UInt16 = scheme == .https ? 443 : 80
        return "\(scheme.rawValue)://\(host.urlText)" + (port == usual ? "" : ":\(port)")
    }
}
