import JailCore
import JailLaunch
import JailPlan
import JailPolicy

/// A connection to a running jail's supervisor.
enum JailConnection {
    /// - Throws: ``ExitStatus/notThere`` or ``ExitStatus/notRunning``.
    static func open(_ name: String) throws(JailError) -> SharedDescriptor {
        if SessionsInside.isInside { return try SessionsInside.open(name).connection }
        let address = try JailAddress(name)
        do throws(SystemError) { return try connect("\(address.base)/\(address.name)") } catch {
            if error.errno == .wouldBlock {
                throw JailError(
                    .supervise, reason: "the supervisor of jail '\(name)' does not take any more callers",
                    hint: "look whether it was stopped", status: ExitStatus.notRunning)
            }
            guard [.notFound, .connectionRefused].contains(error.errno) else { throw JailError(.supervise, error) }
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

    /// A full queue says EAGAIN at once, and a blocking connect(2) would wait for ever: it is tried again for a while.
    private static func connect(_ path: String) throws(SystemError) -> SharedDescriptor {
        var left = patience
        while true {
            do throws(SystemError) { return try RunDirectory.connect(to: path) } catch {
                guard error.errno == .wouldBlock, left > 0 else { throw error }
                try System.pause(milliseconds: 5)
                left -= 5
            }
        }
    }

    static func notThere(_ name: String) -> JailError {
        JailError(
            .supervise, reason: "no jail named '\(name)' is running", hint: "'clawjail ps' lists those that are",
            status: ExitStatus.notThere)
    }

    /// Milliseconds that a supervisor has to answer what it need not work for, or to end a jail that it was told to kill.
    static let patience: Int32 = 10_000

    /// Asks, and waits for the one answer; nil: the jail ended.
    ///
    /// - Throws: ``ExitStatus/notRunning`` if the supervisor does not answer: it was stopped, or hangs.
    static func ask(
        _ request: ControlRequest, _ connection: SharedDescriptor, patience: Int32 = patience
    ) throws(JailError) -> ControlReply? {
        guard let (bytes, _) = try exchange(request, connection, most: ControlReply.sizeLimit, patience: patience)
        else { return nil }
        guard let reply = ControlReply(bytes) else {
            throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
        }
        if case .refused(let status, let text) = reply { throw ControlReply.error(status, text) }
        return reply
    }

    /// Bytes of a plan; none that a profile can be made into is nearly as long.
    private static let fileLimit = 16 << 20

    /// The plan that a running jail was made from, as JSON; nil: the jail ended.
    static func plan(_ connection: SharedDescriptor) throws(JailError) -> [UInt8]? {
        try file(.plan, connection, "plan")
    }

    /// What is answered in a file in memory; nil: the jail ended.
    static func file(
        _ request: ControlRequest, _ connection: SharedDescriptor, _ name: String
    ) throws(JailError) -> [UInt8]? {
        guard
            let (bytes, files) = try exchange(
                request, connection, most: ControlReply.sizeLimit, descriptors: 1, patience: patience)
        else { return nil }
        if case .refused(let status, let text)? = ControlReply(bytes) { throw ControlReply.error(status, text) }
        guard ControlReply(bytes) == .file, let file = files.first else {
            throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
        }
        return try attempt(.supervise, name) { () throws(SystemError) in
            try withExtendedLifetime(file) { () throws(SystemError) in
                try System.readContent(file.borrowed, limit: fileLimit)
            }
        }
    }

    /// File systems of a jail's own; no profile has nearly as many.
    private static let mostFileSystems = 64

    /// The paths inside, and the places; nil: the jail ended.
    static func fileSystems(
        _ connection: SharedDescriptor
    ) throws(JailError) -> [(path: String, place: SharedDescriptor)]? {
        guard
            let (bytes, files) = try exchange(
                .fileSystems, connection, most: ControlReply.sizeLimit, descriptors: mostFileSystems,
                patience: patience)
        else { return nil }
        switch ControlReply(bytes) {
        case .refused(let status, let text): throw ControlReply.error(status, text)
        case .state(let text):
            guard case .array(let values)? = (try? JSON5Reader.read(Array(text.utf8), file: ""))?.content,
                values.count == files.count
            else { break }
            return zip(values, files).map { ($0.0.text ?? "", $0.1) }
        default: break
        }
        throw JailError(.supervise, reason: "the jail's supervisor said what it never would")
    }

    /// Asks for the end of the jail, and waits until it is gone: for a stop as long as its profile's grace lasts.
    static func end(_ connection: SharedDescriptor, kill: Bool) throws(JailError) {
        // The supervisor says nothing, and closes the connection when the jail is gone.
        _ = try exchange(kill ? .kill : .stop, connection, most: 1, patience: kill ? patience : -1)
    }

    /// The same for a jail by its name, also for one that is started again: a supervisor that ended before it had heard the
    /// request has hung up as well, and the guardian above it goes on.
    static func end(_ name: String, kill: Bool) throws(JailError) {
        let guardian = guardian(of: name)
        try end(try open(name), kill: kill)
        while let guardian, self.guardian(of: name) == guardian {
            do throws(JailError) { try end(try open(name), kill: kill) } catch {
                guard [ExitStatus.notThere, ExitStatus.notRunning].contains(error.status) else { throw error }
                // On its way out: the directory goes before the process.
                if self.guardian(of: name) == guardian { throw error }
            }
        }
    }

    /// The process above the supervisors of a jail that is started again; nil: there is none.
    private static func guardian(of name: String) -> Int64? {
        guard !SessionsInside.isInside, let address = try? JailAddress(name),
            case .running(let state) = address.presence
        else { return nil }
        return RunningJail(name: name, state: state)?.guardian
    }

    private static func exchange(
        _ request: ControlRequest, _ connection: SharedDescriptor, most: Int, descriptors: Int = 0, patience: Int32
    ) throws(JailError) -> (bytes: [UInt8], files: [SharedDescriptor])? {
        do throws(SystemError) {
            try System.send(connection.borrowed, request.bytes)
            var entries = [System.PollEntry(connection.borrowed, System.PollEvents.readable)]
            try System.poll(&entries, milliseconds: patience)
            if entries[0].returned != 0 {
                let (bytes, numbers) = try System.receive(connection.borrowed, most: most, descriptors: descriptors)
                let files = numbers.map { SharedDescriptor(OwnedDescriptor($0)) }
                return bytes.isEmpty ? nil : (bytes, files)
            }
        } catch {
            if error.errno == .connectionReset || error.errno == .brokenPipe { return nil }
            throw JailError(.supervise, error)
        }
        let pid = (try? System.peer(of: connection.borrowed).pid).map { ", process \($0)," } ?? ""
        throw JailError(
            .supervise, reason: "the jail's supervisor\(pid) does not answer", hint: "look whether it was stopped",
            status: ExitStatus.notRunning)
    }
}
