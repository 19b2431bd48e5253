/// A message that asks one question.
package struct DNSQuery: Equatable, Sendable {
    package var id: UInt16
    package var recursionDesired: Bool
    package var question: DNSQuestion
    /// nil: the sender does not speak EDNS.
    package var extensions: DNSExtensions?

    package init(
        id: UInt16, question: DNSQuestion, recursionDesired: Bool = true, extensions: DNSExtensions? = nil
    ) {
        self.id = id
        self.question = question
        self.recursionDesired = recursionDesired
        self.extensions = extensions
    }

    /// What came from somebody who may be hostile.
    package enum Reading: Equatable, Sendable {
        case query(DNSQuery)
        /// No query that can be answered, but its header is whole: this is what to send back.
        case refusal([UInt8])
        /// Too short for a header, or a response. An answer to a response could go to and fro for ever.
        case ignored
    }

    /// Reads exactly one question with opcode QUERY, and nothing else but one OPT record of version 0 at its end.
    package static func read(_ bytes: [UInt8]) -> Reading {
        var reader = DNSReader(bytes)
        guard let header = try? DNSHeader(&reader), !header.isResponse else { return .ignored }
        guard header.opcode == 0 else { return .refusal(DNSReply.refusal(of: header, .notImplemented)) }
        do throws(DNSFormatError) {
            let query = try DNSQuery(header, &reader)
            guard query.extensions?.version ?? 0 == 0 else {
                return .refusal(DNSReply(to: query, code: .badVersion).bytes)
            }
            return .query(query)
        } catch {
            return .refusal(DNSReply.refusal(of: header, .formatError))
        }
    }

    private init(_ header: DNSHeader, _ reader: inout DNSReader) throws(DNSFormatError) {
        guard !header.isTruncated else { throw .header }
        guard header.questions == 1, header.answers == 0, header.authorities == 0, header.additionals <= 1 else {
            throw .counts
        }
        id = header.id
        recursionDesired = header.recursionDesired
        question = try DNSQuestion(&reader)
        extensions = nil
        if header.additionals == 1 {
            let record = try DNSRecord(&reader)
            guard record.name == .root, case .extensions(let value) = record.content else { throw .record }
            extensions = value
        }
        guard reader.isAtEnd else { throw .trailing }
    }

    /// What goes to a server.
    package var bytes: [UInt8] {
        var header = DNSHeader(id: id, flags: recursionDesired ? DNSHeader.recursionDesiredFlag : 0)
        header.questions = 1
        header.additionals = extensions == nil ? 0 : 1
        var writer = DNSWriter()
        writer.write(header)
        writer.write(question)
        if let extensions { writer.write(extensions) }
        return writer.bytes
    }
}
