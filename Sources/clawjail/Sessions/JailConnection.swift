import JailCore
import JailLaunch
import JailPlan

/// A connection to a running jail's supervisor.
enum JailConnection {
    /// - Throws: ``ExitStatus/notThere`` or ``ExitStatus/notRunning``.
    static func open(_ name: String) throws(JailError) -> SharedDescriptor {
        if SessionsInside.isInside { return try SessionsInside.open(name).connection }
        let address = try JailAddress(name)
        do throws(SystemError) { return try RunDirectory.connect(to: "\(address.base)/\(address.name)") } catch {
            switch address.presence {
            case .nothing: throw notThere(name)
            case .dead, .running:
                throw JailError(
                    .supervise, reason: "jail '\(name)' is not running",
                    hint:
                        "its supervisor was killed; remove it with 'clawjail session remove \(name)', or start it again",
                    status: ExitStatus.notRunning)
            }
        }
    }

    static func notThere(_ name: String) -> JailError {
        JailError(
            .supervise, reason: "no jail named '\(name)' is running", hint: "'clawjail ps' lists those that are",
            status: ExitStatus.notThere)
    }

    /// Asks, and waits for the one answer; nil: the jail ended.
    static func ask(_ request: ControlRequest, _ connection: SharedDescriptor) throws(JailError) -> ControlReply? {
        let bytes: [UInt8]
        do throws(SystemError) {
            try System.send(connection.borrowed, request.bytes)
            bytes = try System.receive(connection.borrowed, most: ControlReply.sizeLimit).bytes
        } catch {
            if error.errno == .connectionReset || error.errno == .brokenPipe { return nil }
            throw JailError(.supervise, error)
        }
        if bytes.isEmpty { return nil }
        guard let reply = ControlReply(bytes) else {
            throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
        }
        if case .refused(let status, let text) = reply { throw ControlReply.error(status, text) }
        return reply
    }

    /// Asks for the end of the jail, and waits until it is gone.
    static func end(_ connection: SharedDescriptor, kill: Bool) throws(JailError) {
        let request = kill ? ControlRequest.kill : .stop
        do throws(SystemError) {
            try System.send(connection.borrowed, request.bytes)
            // The supervisor closes the connection when the jail is gone.
            while try !System.receive(connection.borrowed, most: 1).bytes.isEmpty {}
        } catch {
            guard error.errno == .connectionReset || error.errno == .brokenPipe else {
                throw JailError(.supervise, error)
            }
        }
    }
}
