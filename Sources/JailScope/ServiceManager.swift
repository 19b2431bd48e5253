internal import Glibc
package import JailCore

/// A systemd manager, the system's or a user's, asked over the socket that it listens on itself: no bus is needed, and none
/// is in the way. See org.freedesktop.systemd1(5).
package struct ServiceManager: Sendable {
    private let socket: String
    /// Milliseconds that it has to answer and to carry it out.
    private let patience: Int64

    package init(socket: String, patience: Int64 = 10_000) {
        self.socket = socket
        self.patience = patience
    }

    private var deadline: Int64 { System.monotonicNanoseconds() + patience * 1_000_000 }

    /// Has a transient scope made with this process in it, and a control group that is delegated to this user. Returns when
    /// the scope is there.
    ///
    /// - Parameters:
    ///   - unit: `NAME.scope`.
    ///   - description: what the manager shows to people.
    package func startScope(_ unit: String, description: String) throws(JailError) {
        let answer: ScopeAnswer
        do { answer = try ask(unit, description) } catch { throw failed("StartTransientUnit", error) }
        if let refusal = answer.refusal { throw failed("StartTransientUnit", refusal) }
        if let result = answer.result, result != "done" {
            throw failed("StartTransientUnit", "the job of \(unit) ended with '\(result.printable)'")
        }
    }

    private func ask(_ unit: String, _ description: String) throws(DBusConnection.Failure) -> ScopeAnswer {
        let request = ScopeRequest(unit: unit, description: description, processID: System.processID)
        let connection = try DBusConnection(path: socket, deadline: deadline)
        try connection.send(request.message(serial: 1))
        var answer = ScopeAnswer(serial: 1, unit: unit)
        while answer.refusal == nil, answer.result == nil { try answer.take(try connection.next()) }
        return answer
    }

    /// Asks whether it is there; throws if it does not answer.
    package func ping() throws(JailError) {
        var call = DBusMessage(.call, serial: 1)
        call.destination = ScopeRequest.destination
        call.path = ScopeRequest.path
        call.interface = "org.freedesktop.DBus.Peer"
        call.member = "Ping"
        do throws(DBusConnection.Failure) {
            let connection = try DBusConnection(path: socket, deadline: deadline)
            try connection.send(call)
            while try connection.next().replySerial != 1 {}
        } catch {
            throw failed("Ping", error)
        }
    }

    /// Whether a unit's control group is left to who runs in it; throws if the manager does not say.
    package func delegates(to unit: String) throws(JailError) -> Bool {
        let request = DelegationRequest(unit: unit)
        let reply: DBusMessage
        do throws(DBusConnection.Failure) {
            let connection = try DBusConnection(path: socket, deadline: deadline)
            try connection.send(request.message(serial: 1))
            var next = try connection.next()
            while next.replySerial != 1 { next = try connection.next() }
            reply = next
        } catch { throw failed("Get(Delegate)", error) }
        do throws(DBusFormatError) { return try request.answer(reply) } catch {
            throw failed("Get(Delegate)", .format(error))
        }
    }

    private func failed(_ operation: String, _ reason: String) -> JailError {
        JailError(.cgroup, operation: operation, path: socket, reason: reason, hint: Self.hint)
    }

    private func failed(_ operation: String, _ failure: DBusConnection.Failure) -> JailError {
        switch failure {
        case .system(let error):
            JailError(.cgroup, error, path: socket, hint: Self.hint)
        case .format(let error): failed(operation, "the service manager says what is no D-Bus message (\(error))")
        case .closed: failed(operation, "the service manager closed the connection")
        case .late:
            failed(operation, "the service manager did not answer within \(patience) ms")
        case .refused(let reason): failed(operation, reason.printable)
        }
    }

    private static let hint =
        "start clawjail in a cgroup of its own: 'systemd-run --user --scope -p Delegate=yes clawjail …', "
        + "or in a unit with Delegate=yes"
}
