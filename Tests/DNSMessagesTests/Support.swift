import JailPolicy
import Testing

@testable import DNSMessages

func host(_ text: String) throws -> HostName { try #require(HostName(wire: text.utf8)) }

/// The bytes of `"12 34"`; text in brackets stands for its own bytes: `"03 [www] 00"`.
func hex(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in text.split(whereSeparator: { $0 == " " || $0 == "\n" }) {
        if part.first == "[" {
            bytes += Array(part.dropFirst().dropLast().utf8)
        } else {
            var digits = part
            while let byte = UInt8(digits.prefix(2), radix: 16) {
                bytes.append(byte)
                digits = digits.dropFirst(2)
            }
        }
    }
    return bytes
}

/// Of the message, or why there is none.
func outcome<T>(_ body: () throws(DNSFormatError) -> T) -> Result<T, DNSFormatError> {
    do throws(DNSFormatError) { return .success(try body()) } catch { return .failure(error) }
}

func fault(_ bytes: [UInt8]) -> DNSFormatError? {
    if case .failure(let error) = outcome({ () throws(DNSFormatError) in try DNSResponse(bytes) }) {
        error
    } else {
        nil
    }
}

/// Messages that were written by hand.
enum Sample {
    /// `ExAmple.org A`, as it comes from a client with EDNS and a cookie.
    static let query = hex(
        """
        12 34 01 00 00 01 00 00 00 00 00 01
        07 [ExAmple] 03 [org] 00 00 01 00 01
        00 00 29 04 D0 00 00 00 00 00 0C 00 0A 00 08 01 02 03 04 05 06 07 08
        """)

    /// `www.example.org` is `a.example.net`, which has two addresses; a SOA and EDNS behind them.
    static let response = hex(
        """
        12 34 81 80 00 01 00 03 00 01 00 01
        03 [www] 07 [example] 03 [org] 00 00 01 00 01
        C0 0C 00 05 00 01 00 00 01 2C 00 0F 01 [a] 07 [example] 03 [net] 00
        C0 2D 00 01 00 01 00 00 00 3C 00 04 C0 00 02 01
        01 [A] C0 2F 00 01 00 01 00 00 00 78 00 04 C0 00 02 02
        C0 10 00 06 00 01 00 00 0E 10 00 18 C0 0C C0 0C 00 00 00 01 00 00 00 02 00 00 00 03 00 00 00 04 00 00 00 05
        00 00 29 04 D0 00 00 00 00 00 00
        """)
}
