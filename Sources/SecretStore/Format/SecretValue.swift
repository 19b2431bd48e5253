package import JailCore

/// What can be a secret: 1 byte to 64 KiB, without a NUL byte, which ends a text for half of all programs.
package enum SecretValue {
    package static let mostBytes = 64 << 10

    /// A value as somebody has given it, in a file or on a pipe: one end of a line at its end is the editor's, and no part of
    /// it.
    ///
    /// - Parameter multiline: it may hold ends of lines, as a key in PEM does. One that does fits into no header.
    package static func taken(_ given: borrowing SecretBytes, multiline: Bool) throws(JailError) -> SecretBytes {
        let kept = multiline ? given.count : lengthWithoutEnd(given)
        guard kept > 0 else { throw refusal("the value is empty", nil) }
        guard kept <= mostBytes else { throw tooLong }
        let hasNUL = unsafe given.withBytes { unsafe $0[..<kept].contains(0) }
        guard !hasNUL else { throw refusal("the value holds a NUL byte", "encode it, in base64 for example") }
        let hasLineEnd = unsafe given.withBytes { unsafe $0[..<kept].contains { $0 == 0x0A || $0 == 0x0D } }
        guard multiline || !hasLineEnd else {
            throw refusal(
                "the value has more than one line", "is it what you mean? a key in PEM takes --multiline")
        }
        return try attempt(.secrets) { () throws(SystemError) in try given.part(0..<kept) }
    }

    package static var tooLong: JailError { refusal("the value is longer than 64 KiB", nil) }

    private static func refusal(_ reason: String, _ hint: String?) -> JailError {
        JailError(.secrets, reason: reason, hint: hint, status: ExitStatus.usage)
    }

    private static func lengthWithoutEnd(_ given: borrowing SecretBytes) -> Int {
        unsafe given.withBytes { bytes in
            var count = bytes.count
            if count > 0, unsafe bytes[count - 1] == 0x0A {
                count -= 1
                if count > 0, unsafe bytes[count - 1] == 0x0D { count -= 1 }
            }
            return count
        }
    }
}

/// About how long a value is: all that a sealed file says of it, and all that is ever shown.
package enum LengthClass: Int, CaseIterable, Sendable {
    case upTo32 = 32
    case upTo64 = 64
    case upTo128 = 128
    case upTo256 = 256
    case upTo512 = 512
    case upTo1K = 1024
    case upTo4K = 4096
    case upTo16K = 16384
    case upTo64K = 65536

    /// nil: nothing is that long.
    package init?(count: Int) {
        guard count > 0, let found = Self.allCases.first(where: { count <= $0.rawValue }) else { return nil }
        self = found
    }
}
