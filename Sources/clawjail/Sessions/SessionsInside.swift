import JailCore
import JailLaunch
import JailPlan

/// The same commands inside a jail with `sessions`: what they ask for is asked of that jail's supervisor.
enum SessionsInside {
    /// Whether this process runs in such a jail. On a host only root could put something there.
    static let isInside = (try? System.status(SessionsPlan.socket))?.kind == .socket

    /// - Throws: what was refused, with its status.
    static func ask(
        _ request: SessionRequest
    ) throws(JailError) -> (reply: SessionReply, connection: SharedDescriptor?) {
        guard let bytes = request.bytes else { throw JailError(.usage, reason: "this is more than can be asked for") }
        let received: (bytes: [UInt8], descriptors: [Int32])
        do throws(SystemError) {
            let socket = SharedDescriptor(try System.makeUnixSocket(.sequencedPacket))
            received = try withExtendedLifetime(socket) { () throws(SystemError) in
                try System.connect(socket.borrowed, path: SessionsPlan.socket)
                try System.send(socket.borrowed, bytes)
                return try System.receive(socket.borrowed, most: SessionReply.sizeLimit, descriptors: 1)
            }
        } catch {
            guard [.connectionReset, .brokenPipe, .connectionRefused].contains(error.errno) else {
                throw JailError(.session, error, path: SessionsPlan.socket)
            }
            throw noAnswer
        }
        let connection = received.descriptors.first.map { SharedDescriptor(OwnedDescriptor($0)) }
        guard !received.bytes.isEmpty else { throw noAnswer }
        guard let reply = SessionReply(bytes: received.bytes) else {
            throw JailError(.session, reason: "the jail's supervisor said what it never would")
        }
        guard reply.status == 0 else { throw JailError(.session, said: reply.text, status: reply.status) }
        return (reply, connection)
    }

    private static let noAnswer = JailError(
        .session, path: SessionsPlan.socket, reason: "no answer",
        hint: "too much is asked for at the same time; try again")

    /// A connection to a session's supervisor, and the session as that one wrote it down.
    static func open(_ id: String) throws(JailError) -> (connection: SharedDescriptor, state: [UInt8]) {
        let (reply, connection) = try ask(.open(id: id))
        guard let connection else {
            throw JailError(.session, reason: "the jail's supervisor said what it never would")
        }
        return (connection, Array(reply.text.utf8))
    }

    static func create(_ settings: SessionSettings) throws(JailError) {
        guard settings.profile == nil, settings.user == nil, settings.environment.isEmpty, settings.egressGroup == nil
        else {
            throw JailError(
                .usage, reason: "--profile, --user, --env and --egress-group are not for a jail to say",
                hint: "sessions.profile of its own profile names one for all sessions", status: ExitStatus.refused)
        }
        guard settings.ownWorkspace == nil else {
            throw JailError(
                .usage, reason: "a session that a jail asks for has a directory of the jail's, or none",
                status: ExitStatus.refused)
        }
        var create = SessionRequest.Create(id: settings.id)
        create.workspace = settings.workspace
        create.agent = settings.agent
        create.readOnly = settings.readOnly
        create.memory = settings.memory
        create.processes = settings.processes
        create.cpus = settings.cpus
        create.labels = settings.labels
        create.secrets = settings.secrets ?? []
        _ = try ask(.create(create))
    }

    static func all() throws(JailError) -> [Session] {
        var sessions: [Session] = []
        for id in try ask(.list).reply.ids {
            do throws(JailError) { sessions.append(try find(id)) } catch {
                // It has ended meanwhile.
                guard [ExitStatus.notThere, ExitStatus.notRunning].contains(error.status) else { throw error }
            }
        }
        return sessions
    }

    static func find(_ id: String) throws(JailError) -> Session {
        guard let session = Session(name: id, state: try open(id).state, isRunning: true) else {
            throw Session.notThere(id)
        }
        return session
    }
}
