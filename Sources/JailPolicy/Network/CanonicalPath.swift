/// A request target in its one form: what is matched is what is sent.
package struct CanonicalPath: Hashable, Sendable {
    /// Starts with `/`; without the query.
    package let path: String
    /// Without the `?`; nil: none.
    package let query: String?

    /// Of an origin-form target (RFC 9112, 3.2.1).
    package init?(target: String) {
        let parts = target.parts(at: "?", most: 2)
        path = String(parts[0])
        query = parts.count > 1 ? String(parts[1]) : nil
    }

    /// What goes upstream.
    package var target: String { query.map { "\(path)?\($0)" } ?? path }
}
