package import JailPolicy

/// What a server sent. Whether it answers what was asked is for ``answers(_:)`` to say.
package struct DNSResponse: Equatable, Sendable {
    package var id: UInt16
    package var question: DNSQuestion
    package var code: DNSResponseCode
    /// Not everything fitted into a datagram: ask again over TCP. Then there are no records here.
    package var isTruncated: Bool
    package var answers: [DNSRecord]
    package var authorities: [DNSRecord]

    /// A response with exactly one question. Every record is checked, also those that nobody reads.
    package init(_ bytes: [UInt8]) throws(DNSFormatError) {
        var reader = DNSReader(bytes)
        let header = try DNSHeader(&reader)
        guard header.isResponse, header.opcode == 0 else { throw .header }
        guard header.questions == 1 else { throw .counts }
        id = header.id
        question = try DNSQuestion(&reader)
        isTruncated = header.isTruncated
        code = DNSResponseCode(rawValue: header.flags & 0xF)
        answers = []
        authorities = []
        // Servers cut where they like.
        if isTruncated { return }
        for _ in 0..<header.answers { answers.append(try DNSRecord(&reader)) }
        for _ in 0..<header.authorities { authorities.append(try DNSRecord(&reader)) }
        var extensions: DNSExtensions?
        for _ in 0..<header.additionals {
            guard case .extensions(let value) = try DNSRecord(&reader).content else { continue }
            guard extensions == nil else { throw .counts }
            extensions = value
        }
        guard reader.isAtEnd else { throw .trailing }
        code = DNSResponseCode(rawValue: UInt16(extensions?.extendedCode ?? 0) << 4 | code.rawValue)
    }

    /// Whether this is the answer to that query: the same id and question, its letter case included (RFC 5452, 9.1).
    package func answers(_ query: DNSQuery) -> Bool { id == query.id && question == query.question }

    /// Addresses of the name that was asked for, and how many seconds all that led to them may be remembered.
    package struct Addresses: Equatable, Sendable {
        package var addresses: [IPAddress]
        package var timeToLive: UInt32
    }

    /// Aliases that an answer may go through.
    private static let mostAliases = 16

    /// Follows the aliases from the question's name; records of any other name count for nothing. Empty if the last
    /// alias has no address of that type here, nil if the aliases run in circles or one name has two.
    package var addresses: Addresses? {
        var owner = question.name.folded
        var time = UInt32.max
        let named = answers.map { (name: $0.name.folded, record: $0) }
        for _ in 0...Self.mostAliases {
            let records = named.filter { $0.name == owner }.map(\.record)
            let aliases = Set(records.compactMap(\.alias))
            guard aliases.count <= 1 else { return nil }
            for record in records where record.alias != nil { time = min(time, record.timeToLive) }
            if let alias = aliases.first {
                owner = alias
                continue
            }
            let found = records.filter { $0.address(question.type) != nil }
            time = found.reduce(time) { min($0, $1.timeToLive) }
            return Addresses(addresses: found.compactMap { $0.address(question.type) }, timeToLive: time)
        }
        return nil
    }
}

extension DNSRecord {
    fileprivate var alias: DNSName? {
        guard case .alias(let name) = content else { return nil }
        return name.folded
    }

    fileprivate func address(_ type: DNSType) -> IPAddress? {
        guard case .address(let address) = content else { return nil }
        switch (address, type) {
        case (.v4, .a), (.v6, .aaaa): return address
        default: return nil
        }
    }
}
