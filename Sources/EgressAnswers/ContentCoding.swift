/// What the body of an answer is compressed with (RFC 9110, 8.4.1), of what can be undone.
package enum ContentCoding: String, CaseIterable, Sendable {
    case gzip
    case deflate
    case brotli = "br"

    /// - Parameter name: as in a Content-Encoding. nil: it is not known here.
    package init?(name: String) {
        let name = name.lowercased()
        self.init(rawValue: name == "x-gzip" ? "gzip" : name)
    }

    /// What undoing it takes, in bytes: for brotli most of it is the greatest window that a stream may ask for.
    var memory: Int { self == .brotli ? 17 << 20 : 64 << 10 }
}

/// Why a body is not passed on, or not to its end. Never a word of the origin's, which could be a secret.
package struct AnswerRefusal: Error, Equatable, CustomStringConvertible {
    package var reason: String
    package var description: String { reason }

    package init(_ reason: String) { self.reason = reason }

    static let damaged = AnswerRefusal("a compressed answer that is damaged")
    static let behindEnd = AnswerRefusal("something behind the end of a compressed answer")
    static let noMemory = AnswerRefusal("no memory to decode a compressed answer")
}

/// Undoes one coding, as its bytes come.
protocol ContentDecoder: AnyObject {
    typealias Output = ([UInt8]) throws(AnswerRefusal) -> Void

    /// - Parameters:
    ///   - bytes: the next ones, any number.
    ///   - output: called with what they stand for, in parts of ``DecodedParts/size`` bytes at most.
    func decode(_ bytes: [UInt8], _ output: Output) throws(AnswerRefusal)

    /// There is nothing more to come. It throws unless the coding is complete.
    func finish() throws(AnswerRefusal)
}

enum DecodedParts {
    static let size = 32 << 10
}

/// How far a decoder is.
enum CodingPhase {
    /// Nothing has come. A body without a byte is complete whatever its coding.
    case empty
    case inside, ended

    func finish() throws(AnswerRefusal) {
        guard self != .inside else { throw AnswerRefusal("a compressed answer that ends in the middle") }
    }
}
