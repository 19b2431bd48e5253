/// What a ``JSONStream`` finds, in its order.
enum JSONEvent: Equatable {
    case beginObject, beginArray, end
    case key(JSONText)
    case string(JSONText)
    /// As it was written.
    case number(String)
    case boolean(Bool)
    case null
}

/// A string without its escapes, up to a length.
struct JSONText: Equatable {
    var text: String
    /// There is more of it than is kept.
    var isCut: Bool
}

protocol JSONReceiver {
    mutating func take(_ event: JSONEvent) throws(JSONStreamError)
}

/// Why bytes are no JSON, or none that is wanted.
struct JSONStreamError: Error, Equatable {
    var reason: String
    /// What in the profile would let it pass, as JSON5.
    var remedy: String?
}

/// Reads JSON (RFC 8259) strictly, byte by byte as it comes, in little memory whatever the bytes are.
///
/// Numbers are checked for their characters only: whoever wants one reads it strictly. Keys may be repeated: whoever takes
/// the events sees each.
struct JSONStream {
    /// Bytes of a string or a number that are kept.
    static let mostKept = 256
    static let mostDepth = 256

    private enum State: Equatable {
        case value
        /// After `[`: a value, or its end.
        case firstElement
        /// After `{`: a key, or its end.
        case firstKey
        /// After a comma in an object.
        case key
        case colon
        case separator
        case string(isKey: Bool)
        case escape(isKey: Bool)
        /// Digits of `\u` that are still to come.
        case unicode(isKey: Bool, left: Int)
        case number
        /// Of `true`, `false` or `null`.
        case word
        case done
    }

    private var state = State.value
    /// true: an object.
    private var open: [Bool] = []
    private var kept: [UInt8] = []
    private var isCut = false
    private var code: UInt16 = 0
    /// The first half of a pair of surrogates.
    private var high: UInt16?

    /// Whether the one value is complete. A number is only once something follows it, see ``finish(_:)``.
    var isDone: Bool { state == .done }
    var isEmpty: Bool { state == .value && open.isEmpty }

    mutating func feed(
        _ bytes: some Sequence<UInt8>, _ receiver: inout some JSONReceiver
    ) throws(JSONStreamError) {
        for byte in bytes { try feed(byte, &receiver) }
    }

    mutating func finish(_ receiver: inout some JSONReceiver) throws(JSONStreamError) {
        if state == .number { try endNumber(&receiver) }
        if state == .word { try endWord(&receiver) }
        guard state == .done else { throw JSONStreamError(reason: "it ends in the middle") }
    }

    mutating func feed(_ byte: UInt8, _ receiver: inout some JSONReceiver) throws(JSONStreamError) {
        switch state {
        case .string(let isKey): try string(byte, isKey, &receiver)
        case .escape(let isKey): try escape(byte, isKey)
        case .unicode(let isKey, let left): try unicode(byte, isKey, left)
        case .number:
            if byte.isNumberPart { return keep(byte) }
            try endNumber(&receiver)
            try structure(byte, &receiver)
        case .word:
            if (0x61...0x7A).contains(byte) { return keep(byte) }
            try endWord(&receiver)
            try structure(byte, &receiver)
        default: try structure(byte, &receiver)
        }
    }

    // MARK: Structure

    private mutating func structure(
        _ byte: UInt8, _ receiver: inout some JSONReceiver
    ) throws(JSONStreamError) {
        if byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { return }
        switch (state, byte) {
        case (.firstElement, UInt8(ascii: "]")), (.firstKey, UInt8(ascii: "}")): try close(&receiver)
        case (.value, _), (.firstElement, _): try beginValue(byte, &receiver)
        case (.firstKey, UInt8(ascii: "\"")), (.key, UInt8(ascii: "\"")): begin(.string(isKey: true))
        case (.colon, UInt8(ascii: ":")): state = .value
        case (.separator, UInt8(ascii: ",")): state = open.last == true ? .key : .value
        case (.separator, UInt8(ascii: "]")) where open.last == false: try close(&receiver)
        case (.separator, UInt8(ascii: "}")) where open.last == true: try close(&receiver)
        default: throw JSONStreamError(reason: "a byte where it cannot be")
        }
    }

    private mutating func beginValue(
        _ byte: UInt8, _ receiver: inout some JSONReceiver
    ) throws(JSONStreamError) {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            let isObject = byte == UInt8(ascii: "{")
            guard open.count < Self.mostDepth else { throw JSONStreamError(reason: "it is nested too deeply") }
            open.append(isObject)
            state = isObject ? .firstKey : .firstElement
            try receiver.take(isObject ? .beginObject : .beginArray)
        case UInt8(ascii: "\""): begin(.string(isKey: false))
        case UInt8(ascii: "-"), 0x30...0x39:
            begin(.number)
            keep(byte)
        case UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            begin(.word)
            keep(byte)
        default: throw JSONStreamError(reason: "a byte where a value must be")
        }
    }

    private mutating func begin(_ next: State) {
        kept.removeAll(keepingCapacity: true)
        isCut = false
        high = nil
        state = next
    }

    private mutating func close(_ receiver: inout some JSONReceiver) throws(JSONStreamError) {
        open.removeLast()
        endValue()
        try receiver.take(.end)
    }

    private mutating func endValue() { state = open.isEmpty ? .done : .separator }

    private mutating func keep(_ byte: UInt8) {
        if kept.count < Self.mostKept { kept.append(byte) } else { isCut = true }
    }

    // MARK: Scalars

    private mutating func endNumber(_ receiver: inout some JSONReceiver) throws(JSONStreamError) {
        guard !isCut, kept.last != UInt8(ascii: "-") else { throw JSONStreamError(reason: "a number that is none") }
        endValue()
        try receiver.take(.number(String(decoding: kept, as: UTF8.self)))
    }

    private mutating func endWord(_ receiver: inout some JSONReceiver) throws(JSONStreamError) {
        endValue()
        switch String(decoding: kept, as: UTF8.self) {
        case "true": try receiver.take(.boolean(true))
        case "false": try receiver.take(.boolean(false))
        case "null": try receiver.take(.null)
        default: throw JSONStreamError(reason: "a word that is no value")
        }
    }

    private mutating func string(
        _ byte: UInt8, _ isKey: Bool, _ receiver: inout some JSONReceiver
    ) throws(JSONStreamError) {
        switch byte {
        case UInt8(ascii: "\""):
            dropHigh()
            let text = JSONText(text: String(decoding: kept, as: UTF8.self), isCut: isCut)
            if isKey { state = .colon } else { endValue() }
            try receiver.take(isKey ? .key(text) : .string(text))
        case UInt8(ascii: "\\"): state = .escape(isKey: isKey)
        case 0..<0x20: throw JSONStreamError(reason: "a control character in a string")
        default:
            if high != nil { dropHigh() }
            keep(byte)
        }
    }

    private mutating func escape(_ byte: UInt8, _ isKey: Bool) throws(JSONStreamError) {
        if byte == UInt8(ascii: "u") {
            code = 0
            return state = .unicode(isKey: isKey, left: 4)
        }
        dropHigh()
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): keep(byte)
        case UInt8(ascii: "b"): keep(0x08)
        case UInt8(ascii: "f"): keep(0x0C)
        case UInt8(ascii: "n"): keep(0x0A)
        case UInt8(ascii: "r"): keep(0x0D)
        case UInt8(ascii: "t"): keep(0x09)
        default: throw JSONStreamError(reason: "an escape that JSON does not have")
        }
        state = .string(isKey: isKey)
    }

    private mutating func unicode(_ byte: UInt8, _ isKey: Bool, _ left: Int) throws(JSONStreamError) {
        let digit: UInt16
        switch byte {
        case 0x30...0x39: digit = UInt16(byte - 0x30)
        case 0x41...0x46: digit = UInt16(byte - 0x41 + 10)
        case 0x61...0x66: digit = UInt16(byte - 0x61 + 10)
        default: throw JSONStreamError(reason: "an escape without its digits")
        }
        code = code << 4 | digit
        guard left == 1 else { return state = .unicode(isKey: isKey, left: left - 1) }
        state = .string(isKey: isKey)
        keepCode()
    }

    private mutating func keepCode() {
        switch code {
        case 0xD800...0xDBFF:
            dropHigh()
            high = code
        case 0xDC00...0xDFFF:
            guard let first = high else { return keep(scalar: "\u{FFFD}") }
            high = nil
            let value = 0x10000 + (UInt32(first - 0xD800) << 10 | UInt32(code - 0xDC00))
            keep(scalar: Unicode.Scalar(value) ?? "\u{FFFD}")
        default:
            dropHigh()
            keep(scalar: Unicode.Scalar(code) ?? "\u{FFFD}")
        }
    }

    /// A half without the other.
    private mutating func dropHigh() {
        guard high != nil else { return }
        high = nil
        keep(scalar: "\u{FFFD}")
    }

    private mutating func keep(scalar: Unicode.Scalar) { for byte in UTF8.encode(scalar) ?? .init() { keep(byte) } }
}

extension UInt8 {
    fileprivate var isNumberPart: Bool {
        switch self {
        case 0x30...0x39, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }
}
