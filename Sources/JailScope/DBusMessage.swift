/// One message of D-Bus, as far as it is needed to ask a service manager for something: see "Message Protocol" in the
/// D-Bus specification.
package struct DBusMessage: Equatable, Sendable {
    package enum Kind: UInt8, Sendable { case call = 1, reply, error, signal }

    /// Bytes of a message that is still read; the protocol itself allows 128 MiB.
    package static let sizeLimit = 1 << 20

    package var kind: Kind
    package var serial: UInt32
    package var replySerial: UInt32?
    package var destination: String?
    package var path: String?
    package var interface: String?
    package var member: String?
    package var errorName: String?
    /// Of the body.
    package var signature = ""
    package var body: [UInt8] = []
    package private(set) var isBigEndian = false

    package init(_ kind: Kind, serial: UInt32) {
        self.kind = kind
        self.serial = serial
    }

    // MARK: Writing

    private enum Field: UInt8 {
        case path = 1, interface, member, errorName, replySerial, destination, sender, signature
    }

    package var bytes: [UInt8] {
        var writer = DBusWriter()
        writer.byte(UInt8(ascii: "l"))
        writer.byte(kind.rawValue)
        writer.byte(0)
        writer.byte(1)
        writer.number(UInt32(body.count))
        writer.number(serial)
        writer.array(alignment: 8) { writer in
            Self.write(path, .path, "o", &writer)
            Self.write(interface, .interface, "s", &writer)
            Self.write(member, .member, "s", &writer)
            Self.write(errorName, .errorName, "s", &writer)
            if let replySerial {
                Self.begin(.replySerial, "u", &writer)
                writer.number(replySerial)
            }
            Self.write(destination, .destination, "s", &writer)
            if !signature.isEmpty {
                Self.begin(.signature, "g", &writer)
                writer.signature(signature)
            }
        }
        writer.align(8)
        return writer.bytes + body
    }

    private static func begin(_ field: Field, _ type: String, _ writer: inout DBusWriter) {
        writer.align(8)
        writer.byte(field.rawValue)
        writer.signature(type)
    }

    private static func write(_ text: String?, _ field: Field, _ type: String, _ writer: inout DBusWriter) {
        guard let text else { return }
        begin(field, type, &writer)
        writer.string(text)
    }

    // MARK: Reading

    /// Bytes of a message that says of itself how long it is.
    private static let fixedSize = 16

    /// How long the message is that begins with these bytes; nil: that takes more of them.
    package static func length(of bytes: ArraySlice<UInt8>) throws(DBusFormatError) -> Int? {
        guard bytes.count >= fixedSize else { return nil }
        var reader = DBusReader(bytes, isBigEndian: try order(bytes))
        for _ in 0..<4 { _ = try reader.byte() }
        let body = try reader.number()
        _ = try reader.number()
        let fields = try reader.number()
        guard body < sizeLimit, fields < sizeLimit else { throw .tooLong }
        let length = (fixedSize + Int(fields) + 7) / 8 * 8 + Int(body)
        guard length <= sizeLimit else { throw .tooLong }
        return length
    }

    private static func order(_ bytes: ArraySlice<UInt8>) throws(DBusFormatError) -> Bool {
        switch bytes.first {
        case UInt8(ascii: "l"): false
        case UInt8(ascii: "B"): true
        default: throw .malformed("no byte order")
        }
    }

    /// - Parameter bytes: one whole message, see ``length(of:)``.
    package init(_ bytes: ArraySlice<UInt8>) throws(DBusFormatError) {
        guard let length = try Self.length(of: bytes), length == bytes.count else { throw .truncated }
        isBigEndian = try Self.order(bytes)
        var reader = DBusReader(bytes, isBigEndian: isBigEndian)
        _ = try reader.byte()
        guard let kind = Kind(rawValue: try reader.byte()) else { throw .malformed("an unknown kind of message") }
        self.kind = kind
        _ = try reader.byte()
        guard try reader.byte() == 1 else { throw .malformed("another version of the protocol") }
        _ = try reader.number()
        serial = try reader.number()
        guard serial != 0 else { throw .malformed("a message without a number") }
        // Closures have no typed throws of their own accord where self is captured: the fields are gathered first.
        var fields = Fields()
        try reader.array(alignment: 8) { (reader) throws(DBusFormatError) in try fields.read(&reader) }
        try reader.align(8)
        replySerial = fields.replySerial
        destination = fields.texts[.destination]
        path = fields.texts[.path]
        interface = fields.texts[.interface]
        member = fields.texts[.member]
        errorName = fields.texts[.errorName]
        signature = fields.signature
        body = Array(bytes.dropFirst(reader.offset))
    }

    private struct Fields {
        var texts: [Field: String] = [:]
        var replySerial: UInt32?
        var signature = ""

        mutating func read(_ reader: inout DBusReader) throws(DBusFormatError) {
            try reader.align(8)
            let field = Field(rawValue: try reader.byte())
            let type = try reader.signature()
            switch (field, type) {
            case (.path?, "o"), (.interface?, "s"), (.member?, "s"), (.errorName?, "s"), (.destination?, "s"),
                (.sender?, "s"):
                if let field { texts[field] = try reader.string() }
            case (.replySerial?, "u"): replySerial = try reader.number()
            case (.signature?, "g"): signature = try reader.signature()
            case (nil, _): try reader.skip(type)
            default: throw .malformed("a header field of another type than it has")
            }
        }
    }

    /// For the body.
    var reader: DBusReader { DBusReader(body[...], isBigEndian: isBigEndian) }
}
