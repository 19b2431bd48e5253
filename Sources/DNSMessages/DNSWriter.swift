internal import JailPolicy

/// Writes what this package sends: one question, addresses of that question's name, EDNS.
struct DNSWriter {
    private(set) var bytes: [UInt8] = []

    mutating func write(_ number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }

    mutating func write(_ header: DNSHeader) {
        write(header.id)
        write(header.flags)
        write(header.questions)
        write(header.answers)
        write(header.authorities)
        write(header.additionals)
    }

    mutating func write(_ question: DNSQuestion) {
        bytes += question.name.wire
        write(question.type.rawValue)
        write(question.recordClass)
    }

    /// A record of the question's name, which stands right behind the header.
    mutating func write(_ address: IPAddress, timeToLive: UInt32) {
        write(UInt16(0xC00C))
        switch address {
        case .v4(let number):
            writeRecord(.a, timeToLive, length: 4)
            write(number)
        case .v6(let high, let low):
            writeRecord(.aaaa, timeToLive, length: 16)
            write(high)
            write(low)
        }
    }

    private mutating func writeRecord(_ type: DNSType, _ timeToLive: UInt32, length: UInt16) {
        write(type.rawValue)
        write(DNSQuestion.internetClass)
        write(timeToLive)
        write(length)
    }

    mutating func write(_ extensions: DNSExtensions) {
        bytes.append(0)
        write(DNSType.opt.rawValue)
        write(extensions.payloadSize)
        write(UInt32(extensions.extendedCode) << 24)
        write(UInt16(0))
    }
}
