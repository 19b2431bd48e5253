/// What is asked for, or what a record holds (RFC 1035, 3.2.2 and 3.2.3).
package struct DNSType: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let a = DNSType(rawValue: 1)
    package static let cname = DNSType(rawValue: 5)
    package static let soa = DNSType(rawValue: 6)
    package static let ptr = DNSType(rawValue: 12)
    package static let mx = DNSType(rawValue: 15)
    package static let txt = DNSType(rawValue: 16)
    package static let aaaa = DNSType(rawValue: 28)
    package static let opt = DNSType(rawValue: 41)
    package static let svcb = DNSType(rawValue: 64)
    package static let https = DNSType(rawValue: 65)
    package static let any = DNSType(rawValue: 255)
}

/// RFC 1035, 4.1.1; with EDNS twelve bits (RFC 6891, 6.1.3).
package struct DNSResponseCode: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let noError = DNSResponseCode(rawValue: 0)
    package static let formatError = DNSResponseCode(rawValue: 1)
    package static let serverFailure = DNSResponseCode(rawValue: 2)
    /// NXDOMAIN.
    package static let nameError = DNSResponseCode(rawValue: 3)
    package static let notImplemented = DNSResponseCode(rawValue: 4)
    package static let refused = DNSResponseCode(rawValue: 5)
    package static let badVersion = DNSResponseCode(rawValue: 16)

    /// As dig(1) spells it.
    package var description: String {
        switch self {
        case .noError: "NOERROR"
        case .formatError: "FORMERR"
        case .serverFailure: "SERVFAIL"
        case .nameError: "NXDOMAIN"
        case .notImplemented: "NOTIMP"
        case .refused: "REFUSED"
        case .badVersion: "BADVERS"
        default: "response code \(rawValue)"
        }
    }
}

/// The first four bytes of a message (RFC 1035, 4.1.1), and the four counts behind them.
package struct DNSHeader: Equatable, Sendable {
    package var id: UInt16
    package var flags: UInt16
    package var questions: UInt16 = 0
    package var answers: UInt16 = 0
    package var authorities: UInt16 = 0
    package var additionals: UInt16 = 0

    static let responseFlag: UInt16 = 0x8000
    static let truncatedFlag: UInt16 = 0x0200
    static let recursionDesiredFlag: UInt16 = 0x0100
    static let recursionAvailableFlag: UInt16 = 0x0080
    static let opcodeMask: UInt16 = 0x7800

    package var isResponse: Bool { flags & Self.responseFlag != 0 }
    package var isTruncated: Bool { flags & Self.truncatedFlag != 0 }
    package var recursionDesired: Bool { flags & Self.recursionDesiredFlag != 0 }
    /// 0: QUERY.
    package var opcode: UInt8 { UInt8((flags & Self.opcodeMask) >> 11) }

    init(id: UInt16, flags: UInt16) {
        self.id = id
        self.flags = flags
    }

    init(_ reader: inout DNSReader) throws(DNSFormatError) {
        id = try reader.number16()
        flags = try reader.number16()
        questions = try reader.number16()
        answers = try reader.number16()
        authorities = try reader.number16()
        additionals = try reader.number16()
    }
}

/// What a message asks (RFC 1035, 4.1.2).
package struct DNSQuestion: Hashable, Sendable {
    package var name: DNSName
    package var type: DNSType
    /// 1: the Internet.
    package var recordClass: UInt16

    package static let internetClass: UInt16 = 1

    package init(name: DNSName, type: DNSType, recordClass: UInt16 = internetClass) {
        self.name = name
        self.type = type
        self.recordClass = recordClass
    }

    init(_ reader: inout DNSReader) throws(DNSFormatError) {
        name = try reader.name()
        type = DNSType(rawValue: try reader.number16())
        recordClass = try reader.number16()
    }
}
