internal import CIDN

/// Names in Unicode (RFC 5891, UTS #46), by libidn2.
enum IDNA {
    /// Not IDN2_USE_STD3_ASCII_RULES: with it the library (2.3.3) leaves out what the rules forbid, and makes `ab` of
    /// `a\u{FF0F}b`. Without it `/`, ` ` and `_` stay where they are, and ``HostName`` refuses them.
    private static let flags = Int32(IDN2_NFC_INPUT.rawValue | IDN2_NONTRANSITIONAL.rawValue)

    /// The name with A-labels, or nil if it has none. Whoever asks checks the letters, digits and hyphens of the result.
    static func toASCII(_ name: String) -> String? {
        unsafe convert(name) { unsafe idn2_to_ascii_8z($0, $1, flags) }
    }

    /// Whether a label in lower case, `xn--` and letters, digits and hyphens, is what its own Unicode form is mapped to.
    /// Several texts decode to the same name, and to names that are no names; only one of them may stand for it.
    static func isALabel(_ label: String) -> Bool {
        guard let unicode = unsafe convert(label, { unsafe idn2_to_unicode_8z8z($0, $1, flags) }), unicode != label
        else {
            return false
        }
        return toASCII(unicode)?.utf8.elementsEqual(label.utf8) ?? false
    }

    private typealias Output = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

    private static func convert(_ text: String, _ call: (UnsafePointer<CChar>, Output) -> Int32) -> String? {
        // A NUL would end the name for the library, and for it alone.
        guard !text.utf8.contains(0) else { return nil }
        var output: UnsafeMutablePointer<CChar>?
        let status = unsafe text.withCString { unsafe call($0, &output) }
        guard let result = unsafe output else { return nil }
        defer { unsafe idn2_free(result) }
        return status == IDN2_OK.rawValue ? unsafe String(validatingCString: result) : nil
    }
}
