package import JailPolicy

/// A resource record (RFC 1035, 4.1.3), as far as a resolver of addresses needs to know.
package struct DNSRecord: Equatable, Sendable {
    package enum Content: Equatable, Sendable {
        case address(IPAddress)
        case alias(DNSName)
        /// The MINIMUM of a SOA record: seconds for which a negative answer holds (RFC 2308, 4).
        case zone(minimum: UInt32)
        case extensions(DNSExtensions)
        /// Of a type or class that nobody here reads.
        case other(DNSType)
    }

    package var name: DNSName
    /// Seconds; 0 if the highest bit is set (RFC 2181, 8).
    package var timeToLive: UInt32
    package var content: Content

    init(_ reader: inout DNSReader) throws(DNSFormatError) {
        name = try reader.name()
        let type = DNSType(rawValue: try reader.number16())
        let recordClass = try reader.number16()
        let time = try reader.number32()
        timeToLive = time >> 31 == 0 ? time : 0
        let length = Int(try reader.number16())
        let start = reader.index
        guard length <= reader.bytes.count - start else { throw .truncated }
        content = try Self.content(&reader, type: type, recordClass: recordClass, time: time, length: length)
        // Data that is longer or shorter than what was read of it is no record of that type.
        guard reader.index == start + length else { throw .record }
    }

    private static func content(
        _ reader: inout DNSReader, type: DNSType, recordClass: UInt16, time: UInt32, length: Int
    ) throws(DNSFormatError) -> Content {
        switch (type, recordClass) {
        case (.a, DNSQuestion.internetClass):
            guard length == 4 else { throw .record }
            return .address(.v4(try reader.number32()))
        case (.aaaa, DNSQuestion.internetClass):
            guard length == 16 else { throw .record }
            let high = try reader.number64()
            return .address(.v6(high: high, low: try reader.number64()))
        case (.cname, DNSQuestion.internetClass): return .alias(try reader.name())
        case (.soa, DNSQuestion.internetClass):
            _ = try reader.name()
            _ = try reader.name()
            try reader.skip(16)
            return .zone(minimum: try reader.number32())
        case (.opt, _):
            try DNSExtensions.skipOptions(&reader, length: length)
            return .extensions(DNSExtensions(payloadSize: recordClass, bits: time))
        default:
            try reader.skip(length)
            return .other(type)
        }
    }
}

/// EDNS, an OPT record's fixed part (RFC 6891, 6.1). Options are walked over and not looked at.
package struct DNSExtensions: Equatable, Sendable {
    /// Bytes of UDP that the sender takes.
    package var payloadSize: UInt16
    /// The high eight bits of the response code.
    package var extendedCode: UInt8
    package var version: UInt8

    package init(payloadSize: UInt16, extendedCode: UInt8 = 0) {
        self.payloadSize = payloadSize
        self.extendedCode = extendedCode
        version = 0
    }

    init(payloadSize: UInt16, bits: UInt32) {
        self.payloadSize = payloadSize
        extendedCode = UInt8(bits >> 24)
        version = UInt8(bits >> 16 & 0xFF)
    }

    static func skipOptions(_ reader: inout DNSReader, length: Int) throws(DNSFormatError) {
        let end = reader.index + length
        while reader.index < end {
            _ = try reader.number16()
            try reader.skip(Int(try reader.number16()))
        }
    }
}
