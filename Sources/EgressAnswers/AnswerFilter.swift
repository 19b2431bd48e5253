/// An answer's status and fields, of whatever version of HTTP.
package struct AnswerHead {
    package typealias Field = (name: String, value: String)

    package var status: UInt
    package var reason: String
    package var fields: [Field]
    /// Whether a body may follow.
    package var hasBody: Bool

    package init(status: UInt, reason: String, fields: [Field], hasBody: Bool) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.hasBody = hasBody
    }

    /// The values of all fields of a name, which is in small letters.
    func values(_ name: String) -> [String] { fields.filter { $0.name.lowercased() == name }.map(\.value) }

    /// - Parameter names: in small letters.
    mutating func remove(_ names: Set<String>) { fields.removeAll { names.contains($0.name.lowercased()) } }
}

/// What an answer goes through on its way into the jail. One for each answer; an exchange without one is passed on as it
/// comes.
///
/// Whatever it refuses ends the exchange: before the head with another answer, and later with a connection that breaks.
package protocol AnswerFilter: AnyObject {
    /// The head, as the origin sent it, with the fields that belong to one hop.
    func begin(_ head: AnswerHead) throws(AnswerRefusal) -> AnswerHead

    /// - Parameters:
    ///   - bytes: the next ones of the body, without the framing of HTTP.
    ///   - pass: called with what goes on; perhaps more than once, perhaps not at all.
    func take(_ bytes: [UInt8], _ pass: ([UInt8]) -> Void) throws(AnswerRefusal)

    /// The body has come to its end.
    ///
    /// - Returns: what goes on instead of the trailers.
    func end(
        _ trailers: [AnswerHead.Field], _ pass: ([UInt8]) -> Void
    ) throws(AnswerRefusal) -> [AnswerHead.Field]

    /// The names of secrets that have come back since the last time.
    func takeFound() -> [String]
}
