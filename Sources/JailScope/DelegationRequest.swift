/// Asks a service manager whether it has delegated a unit's control group: Get of org.freedesktop.DBus.Properties.
struct DelegationRequest: Equatable {
    /// With its kind: `a.service`.
    var unit: String

    func message(serial: UInt32) -> DBusMessage {
        var call = DBusMessage(.call, serial: serial)
        call.destination = ScopeRequest.destination
        call.path = "/org/freedesktop/systemd1/unit/" + Self.escaped(unit)
        call.interface = "org.freedesktop.DBus.Properties"
        call.member = "Get"
        call.signature = "ss"
        var body = DBusWriter()
        body.string("org.freedesktop.systemd1." + (unit.hasSuffix(".scope") ? "Scope" : "Service"))
        body.string("Delegate")
        call.body = body.bytes
        return call
    }

    /// An error is no delegation: only services and scopes have the property.
    func answer(_ reply: DBusMessage) throws(DBusFormatError) -> Bool {
        guard reply.kind == .reply else { return false }
        var reader = reply.reader
        guard reply.signature == "v", try reader.signature() == "b" else { throw .malformed("no yes and no no") }
        return try reader.number() == 1
    }

    /// As an element of an object path, see sd_bus_path_encode(3): what is no letter or digit becomes `_` and two digits.
    static func escaped(_ unit: String) -> String {
        var result = ""
        for (index, byte) in unit.utf8.enumerated() {
            switch byte {
            case 0x61...0x7A, 0x41...0x5A,
                0x30...0x39 where index > 0:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "_" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return result
    }
}
