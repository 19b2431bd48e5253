internal import JailCore

/// What a service manager is asked for: StartTransientUnit of org.freedesktop.systemd1(5).
struct ScopeRequest: Equatable {
    static let destination = "org.freedesktop.systemd1"
    static let path = "/org/freedesktop/systemd1"
    static let interface = "org.freedesktop.systemd1.Manager"

    var unit: String
    var description: String
    var processID: Int32

    func message(serial: UInt32) -> DBusMessage {
        var call = DBusMessage(.call, serial: serial)
        call.destination = Self.destination
        call.path = Self.path
        call.interface = Self.interface
        call.member = "StartTransientUnit"
        // Name, mode, properties, and auxiliary units, of which there are none.
        call.signature = "ssa(sv)a(sa(sv))"
        var body = DBusWriter()
        body.string(unit)
        body.string("fail")
        body.array(alignment: 8, properties)
        body.array(alignment: 8) { _ in }
        call.body = body.bytes
        return call
    }

    private func properties(_ writer: inout DBusWriter) {
        Self.begin("Description", "s", &writer)
        writer.string(description)
        Self.begin("Delegate", "b", &writer)
        writer.boolean(true)
        // Else one that has failed stays listed until somebody resets it.
        Self.begin("CollectMode", "s", &writer)
        writer.string("inactive-or-failed")
        Self.begin("PIDs", "au", &writer)
        writer.array(alignment: 4) { $0.number(UInt32(processID)) }
    }

    private static func begin(_ name: String, _ type: String, _ writer: inout DBusWriter) {
        writer.align(8)
        writer.string(name)
        writer.signature(type)
    }
}

/// What the manager says to it: that there is a job for it, and later, in a signal to everybody, how that job ended.
struct ScopeAnswer {
    private let serial: UInt32
    private let unit: String
    private var isAccepted = false
    private var jobResult: String?
    /// Why it was refused.
    private(set) var refusal: String?

    init(serial: UInt32, unit: String) {
        self.serial = serial
        self.unit = unit
    }

    /// `done`, or what else became of the job; nil: it is not over.
    var result: String? { isAccepted ? jobResult : nil }

    /// Messages that are about something else are passed over.
    mutating func take(_ message: DBusMessage) throws(DBusConnection.Failure) {
        switch message.kind {
        case .reply where message.replySerial == serial: isAccepted = true
        case .error where message.replySerial == serial:
            var reader = message.reader
            let text = message.signature.utf8.first == UInt8(ascii: "s") ? try? reader.string() : nil
            refusal = "\(message.errorName ?? "an error")\(text.map { ": \($0)" } ?? "")".printable
        case .signal where message.member == "JobRemoved" && message.interface == ScopeRequest.interface:
            guard message.signature == "uoss" else { return }
            do throws(DBusFormatError) {
                var reader = message.reader
                _ = try reader.number()
                _ = try reader.string()
                if try reader.string() == unit { jobResult = try reader.string() }
            } catch { throw .format(error) }
        default: break
        }
    }
}
