package import JailPolicy

/// An answer to a query. It never exceeds 512 bytes, so that no client needs EDNS or TCP for it.
package struct DNSReply: Equatable, Sendable {
    package var query: DNSQuery
    package var code: DNSResponseCode
    /// Of the name that was asked for. None with `noError` is NODATA (RFC 2308, 2.2).
    package var addresses: [IPAddress]
    /// Seconds for which the addresses may be remembered.
    package var timeToLive: UInt32

    /// Addresses of one answer; more are left out.
    package static let mostAddresses = 4

    package init(
        to query: DNSQuery, code: DNSResponseCode = .noError, addresses: [IPAddress] = [], timeToLive: UInt32 = 0
    ) {
        self.query = query
        self.code = code
        self.addresses = Array(addresses.prefix(Self.mostAddresses))
        self.timeToLive = timeToLive
    }

    /// The question stands in it exactly as it was asked, letter case included.
    package var bytes: [UInt8] {
        var header = Self.header(id: query.id, recursionDesired: query.recursionDesired, code: code)
        header.questions = 1
        header.answers = UInt16(addresses.count)
        header.additionals = query.extensions == nil ? 0 : 1
        var writer = DNSWriter()
        writer.write(header)
        writer.write(query.question)
        for address in addresses { writer.write(address, timeToLive: timeToLive) }
        if query.extensions != nil {
            writer.write(DNSExtensions(payloadSize: 1232, extendedCode: UInt8(code.rawValue >> 4 & 0xFF)))
        }
        return writer.bytes
    }

    /// Of a message of which nothing but its header is known to be sound.
    static func refusal(of header: DNSHeader, _ code: DNSResponseCode) -> [UInt8] {
        var answer = Self.header(id: header.id, recursionDesired: header.recursionDesired, code: code)
        answer.flags |= header.flags & DNSHeader.opcodeMask
        var writer = DNSWriter()
        writer.write(answer)
        return writer.bytes
    }

    private static func header(id: UInt16, recursionDesired: Bool, code: DNSResponseCode) -> DNSHeader {
        var flags = DNSHeader.responseFlag | DNSHeader.recursionAvailableFlag | code.rawValue & 0xF
        if recursionDesired { flags |= DNSHeader.recursionDesiredFlag }
        return DNSHeader(id: id, flags: flags)
    }
}
